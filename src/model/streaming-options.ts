// Options of streaming jobs, under the names that they have in Flink 1.20; the names before those are taken too. One
// table; docs/streaming.md repeats it and a test compares the two. Defaults are Flink's unless the docs say otherwise.
import { type OptionDefinition, type OptionType, option } from './option-types.ts';

const duration: OptionType = { kind: 'duration' };
const count: OptionType = { kind: 'integer', min: 1 };
const countOrZero: OptionType = { kind: 'integer', min: 0 };
const text: OptionType = { kind: 'text' };

export const externalizedRetentions = [
  'DELETE_ON_CANCELLATION',
  'RETAIN_ON_CANCELLATION',
  'NO_EXTERNALIZED_CHECKPOINTS',
] as const;

export const streamingOptionTable = {
  'execution.checkpointing.interval': option(
    duration,
    null,
    'Time from the begin of a checkpoint to the begin of the next; unless set, none are taken.',
  ),
  'execution.checkpointing.min-pause': option(
    duration,
    '0 ms',
    'Least time between the end of a checkpoint and the begin of the next.',
  ),
  'execution.checkpointing.timeout': option(duration, '10 min', 'A checkpoint that takes longer is given up.'),
  'execution.checkpointing.tolerable-failed-checkpoints': option(
    countOrZero,
    '0',
    'Checkpoints in a row that may fail; one more is a failure of the job, which then restarts.',
  ),
  'execution.checkpointing.max-concurrent-checkpoints': option(count, '1', 'Checkpoints under way at a time.'),
  'execution.checkpointing.num-retained': option(
    { kind: 'integer', min: 1, max: 100 },
    '2',
    'Completed checkpoints that are kept; at most 100.',
  ),
  'execution.checkpointing.storage': option(
    { kind: 'enum', values: ['jobmanager', 'filesystem'] },
    null,
    'Where state lies: in the JobMaster, or in files of its tasks; unless set, filesystem where a folder is named.',
  ),
  'execution.checkpointing.dir': option(
    text,
    null,
    'Folder of the checkpoints, `<dir>/<jobId>/chk-<n>`; unless set, `checkpoints/` in the folder of the job.',
  ),
  'execution.checkpointing.savepoint-dir': option(text, null, 'Folder of savepoints for which none is named.'),
  'execution.checkpointing.externalized-checkpoint-retention': option(
    { kind: 'enum', values: externalizedRetentions },
    'DELETE_ON_CANCELLATION',
    'Which checkpoints outlive their job: of a failed one, of a canceled one too, or none.',
  ),
  'execution.checkpointing.data-inline-threshold': option(
    { kind: 'size' },
    '20 kb',
    'State smaller than this is kept in `_metadata` rather than in a file of its own.',
  ),
  'state.backend.type': option(
    { kind: 'enum', values: ['hashmap'] },
    'hashmap',
    'Where keyed state lives at run time.',
  ),
  'parallelism.default': option(count, '1', 'Tasks of a source or stage that states no parallelism.'),
  'pipeline.max-parallelism': option(
    { kind: 'integer', min: 1, max: 32_768 },
    '128',
    'Number of key groups: the highest parallelism that keyed state can ever be divided into; at most 32768.',
  ),
  'execution.buffer-timeout.interval': option(
    duration,
    '20 ms',
    'Longest that a row waits in an exchange for others to be sent with it.',
  ),
  'pipeline.auto-watermark-interval': option(duration, '200 ms', 'How often watermarks are emitted.'),
} as const satisfies Record<string, OptionDefinition>;

/** Names of Flink before 1.20 that mean the same. */
export const deprecatedOptionNames: Readonly<Record<string, StreamingOptionName>> = {
  'state.checkpoints.num-retained': 'execution.checkpointing.num-retained',
  'state.checkpoints.dir': 'execution.checkpointing.dir',
  'state.savepoints.dir': 'execution.checkpointing.savepoint-dir',
  'state.checkpoint-storage': 'execution.checkpointing.storage',
  'state.storage.fs.memory-threshold': 'execution.checkpointing.data-inline-threshold',
  'state.backend': 'state.backend.type',
  'execution.buffer-timeout': 'execution.buffer-timeout.interval',
};

export type StreamingOptionName = keyof typeof streamingOptionTable;

export interface StreamingOptions {
  /** null: no periodic checkpoints. */
  readonly intervalMs: number | null;
  readonly minPauseMs: number;
  readonly timeoutMs: number;
  readonly tolerableFailedCheckpoints: number;
  readonly maxConcurrentCheckpoints: number;
  readonly retainedCheckpoints: number;
  readonly storage: 'jobmanager' | 'filesystem';
  /** As written, relative to the job file; null: the job's own folder. */
  readonly checkpointFolder: string | null;
  readonly savepointFolder: string | null;
  readonly retention: (typeof externalizedRetentions)[number];
  readonly inlineThresholdBytes: number;
  readonly defaultParallelism: number;
  readonly maxParallelism: number;
  readonly bufferTimeoutMs: number;
  readonly watermarkIntervalMs: number;
}
