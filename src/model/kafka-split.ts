// A Kafka partition as a split of jobrec's own source: the id by which checkpoints keep its position. Written by the engine,
// read again by it and by `checkpoint inspect`. Spec: docs/streaming.md, "Kafka".

export interface KafkaPartition {
  readonly topic: string;
  readonly partition: number;
}

export function kafkaSplitIdOf({ topic, partition }: KafkaPartition): string {
  return `${topic}-${partition}`;
}

/** null: no id of a partition. Topics may hold hyphens and digits: the last hyphen ends them. */
export function kafkaPartitionOf(splitId: string): KafkaPartition | null {
  const [, topic, digits] = /^(.+)-(\d{1,10})$/s.exec(splitId) ?? [];
  return topic === undefined ? null : { topic, partition: Number(digits) };
}
