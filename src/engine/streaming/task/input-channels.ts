// Which channels a task reads: of each input all subtasks of its producer, or of a forward exchange the one of the
// same number. The order is that of the plan, so it is the same on both sides and in every attempt.
import type { StreamVertex } from '../../../model/streaming-plan.ts';

export interface InputChannelRef {
  readonly datasetId: string;
  readonly producerVertexId: string;
  /** Subtasks. */
  readonly producer: number;
  readonly consumer: number;
}

export function inputChannels(
  vertex: StreamVertex,
  subtask: number,
  vertexOf: (vertexId: string) => StreamVertex,
): InputChannelRef[] {
  return vertex.inputs.flatMap(({ datasetId, producerVertexId }) => {
    const producer = vertexOf(producerVertexId);
    const edge = producer.outputs.find((output) => output.datasetId === datasetId);
    const all = Array.from({ length: producer.parallelism }, (_, index) => index);
    const producers = edge?.exchange === 'forward' ? [subtask] : all;
    return producers.map((index) => ({ datasetId, producerVertexId, producer: index, consumer: subtask }));
  });
}
