// What an edge of a Flink job shows of itself in the events of its consumer, and names for what has none yet.
import type { Distribution } from '../model/job-graph.ts';
import type { InitializedStep } from './flink-history.ts';

/** The consumer of what somebody writes and nobody reads yet. */
export const unseenConsumer = 'a vertex not initialized yet';

/** The producer of what somebody reads and no vertex of the store can have written. */
export const unseenProducer = 'a vertex that the store never initialized';

/** A name for a data set whose id nothing tells: of an edge to a vertex that is not initialized. */
export function unnamedDataSet(producerVertexId: string, consumer: string): string {
  return `${producerVertexId}>${consumer}`;
}

/**
 * The shape of an edge as the consumer's input ranges show it: all tasks read all partitions, or each its own. Broadcast
 * is not told apart from all-to-all, and does not differ for a recovery.
 */
export function distributionShown(step: InitializedStep, datasetId: string): Distribution {
  const ranges = step.event.inputs.find((input) => input.datasetId === datasetId)?.ranges ?? [];
  const [first] = ranges;
  const isSame = ranges.every(({ partitions }) => partitions.join() === first?.partitions.join());
  return isSame ? 'ALL_TO_ALL' : 'POINTWISE';
}

/** How many partitions the consumer's ranges of a data set reach to. */
export function partitionsRead(event: InitializedStep['event'], datasetId: string): number {
  let partitions = 0;
  for (const input of event.inputs) {
    if (input.datasetId !== datasetId) continue;
    for (const range of input.ranges) partitions = Math.max(partitions, range.partitions[1] + 1);
  }
  return partitions;
}
