// What the events say of an edge of a Flink job, and names for what has none yet.
import type { InputRange } from '../model/job-events.ts';
import type { InitializedStep } from './flink-history.ts';

/** The consumer of what somebody writes and nobody reads yet. */
export const unseenConsumer = 'a vertex not initialized yet';

/** The producer of what somebody reads and no vertex of the store can have written. */
export const unseenProducer = 'a vertex that the store never initialized';

/** A name for a data set whose id nothing tells: of an edge to a vertex that is not initialized. */
export function unnamedDataSet(producerVertexId: string, consumer: string): string {
  return `${producerVertexId}>${consumer}`;
}

/** What the tasks of an initialized consumer read of a data set; empty where it reads none of it. */
export function rangesOf({ inputs }: InitializedStep['event'], datasetId: string): readonly InputRange[] {
  return inputs.filter((input) => input.datasetId === datasetId).flatMap(({ ranges }) => ranges);
}
