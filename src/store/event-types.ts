// The event kinds of format 1 with their type bytes, and the tables by which frames name vertices and data sets as
// small numbers. Invariant: a type byte is never given to another kind. Spec: docs/format.md, "Events".
import type { JobEvent, JobEventType } from '../model/job-events.ts';
import type { JobGraph } from '../model/job-graph.ts';
import { noVertex } from './frame.ts';

export const typeByteOf: Readonly<Record<JobEventType, number>> = {
  'job-submitted': 1,
  'job-status-changed': 2,
  'job-vertex-initialized': 3,
  'execution-vertex-finished': 4,
  'execution-vertex-reset': 5,
  'coordinator-snapshot': 6,
  'shuffle-master-snapshot': 7,
  'partitions-released': 8,
  'commit-started': 9,
  'recovery-completed': 10,
  'checkpoint-completed': 11,
  'savepoint-completed': 12,
  'worker-registered': 64,
  'worker-lost': 65,
  'execution-deployed': 66,
  'execution-failed': 67,
  'checkpoint-aborted': 68,
  'checkpoint-restored': 69,
};

const typeByByte: ReadonlyMap<number, JobEventType> = new Map(
  Object.entries(typeByteOf).map(([type, byte]) => [byte, type as JobEventType]),
);

/** The kind that a type byte stands for; null where this version does not know it. */
export function eventTypeOf(typeByte: number): JobEventType | null {
  return typeByByte.get(typeByte) ?? null;
}

/** Positions of vertices and data sets in the job graph that was submitted last; empty before. */
export class GraphTables {
  readonly vertexIds: readonly string[];
  readonly datasetIds: readonly string[];
  readonly #vertexIndex: ReadonlyMap<string, number>;
  readonly #datasetIndex: ReadonlyMap<string, number>;

  constructor(graph: JobGraph | null) {
    const vertices = graph?.vertices ?? [];
    this.vertexIds = vertices.map((vertex) => vertex.id);
    this.datasetIds = vertices.flatMap((vertex) => vertex.outputs.map((output) => output.id));
    this.#vertexIndex = new Map(this.vertexIds.map((id, index) => [id, index]));
    this.#datasetIndex = new Map(this.datasetIds.map((id, index) => [id, index]));
  }

  /** The frame's `vertex` for an event; `noVertex` where it has none or the graph does not know it. */
  vertexOf(event: JobEvent): number {
    if (!('vertexId' in event)) return noVertex;
    const index = this.#vertexIndex.get(event.vertexId) ?? noVertex;
    return Math.min(index, noVertex);
  }

  datasetCell(id: string): number | string {
    return this.#datasetIndex.get(id) ?? id;
  }
}
