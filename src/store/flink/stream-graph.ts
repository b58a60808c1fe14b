// A persisted StreamGraph (Flink 2.x) as plain data: operators and the edges between them, as the user's program made
// them, before Flink chains operators into vertices. Spec: docs/flink.md "The submitted job".

export interface StreamEdgeFacts {
  readonly edgeId: string;
  readonly sourceId: number;
  readonly targetId: number;
  /** Which input of the target; inputs of one number are a union. */
  readonly typeNumber: number;
  /** Simple class name, e.g. `RescalePartitioner`. */
  readonly partitioner: string;
  /** PIPELINED, BATCH, UNDEFINED, … */
  readonly exchangeMode: string;
  readonly hasOutputTag: boolean;
}

export interface StreamNodeFacts {
  readonly id: number;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly parallelismConfigured: boolean;
  readonly slotSharingGroup: string | null;
  readonly uid: string | null;
  readonly inEdges: readonly StreamEdgeFacts[];
  readonly outEdges: readonly StreamEdgeFacts[];
  /** null: no operator factory. */
  readonly operator: StreamOperatorFacts | null;
}

export interface StreamOperatorFacts {
  /** Class of the factory. */
  readonly factory: string;
  /** ALWAYS, NEVER, HEAD, HEAD_WITH_SOURCES. */
  readonly chaining: string;
  /** Class of the source behind a source operator; null: none. */
  readonly sourceClass: string | null;
}

export interface StreamGraphFacts {
  readonly jobId: string | null;
  readonly name: string | null;
  readonly nodes: ReadonlyMap<number, StreamNodeFacts>;
  readonly sourceIds: readonly number[];
  readonly config: Readonly<Record<string, string>>;
}

const sourceFactory = 'org.apache.flink.streaming.api.operators.SourceOperatorFactory';

export function isSource(node: StreamNodeFacts | undefined): boolean {
  return node?.operator?.factory === sourceFactory;
}
