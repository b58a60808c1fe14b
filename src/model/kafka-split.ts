// A Kafka partition as a split of jobrec's own source: the id by which checkpoints keep its position. Written by the engine,
// read again by it and by `checkpoint inspect`. Spec: docs/streaming.md, "Kafka".

export interface KafkaPartition {
  readonly topic: string;
  readonly partition: number;
}

export function kafkaSplitIdOf({ topic, partition }: KafkaPartition): string {
  return `${topic}-${partition}`;
}

/** null: no id of a partition. Topics have the characters that Kafka takes, hyphens among them: the last one ends them. */
export function kafkaPartitionOf(splitId: string): KafkaPartition | null {
  const [, topic, digits] = /^([A-Za-z0-9._-]{1,249})-(\d{1,10})$/.exec(splitId) ?? [];
  return topic === undefined ? null : { topic, partition: Number(digits) };
}
