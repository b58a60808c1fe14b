// TaskError: an attempt that failed, as the JobMaster hears of it. Whatever else is thrown inside the kernel is a bug.
import type { PartitionLocation, TaskFailure, TaskFailureKind } from '../protocol/messages.ts';

export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly failure: TaskFailure;

  constructor(
    kind: TaskFailureKind,
    message: string,
    options: { partition?: PartitionLocation; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const { partition } = options;
    const ref = partition && { datasetId: partition.datasetId, partitionIndex: partition.partitionIndex };
    this.failure = { kind, message, partition: ref ?? null };
  }
}
