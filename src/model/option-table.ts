// The table of known configuration options, under Flink's names: type, default and one line of what it does. Those of
// streaming jobs: streaming-options.ts. docs/job-file.md repeats it and a test compares the two. Defaults differ from Flink's
// where a better one costs nothing here (snapshots with every finish, heartbeats on one machine).

import { type OptionDefinition, type OptionType, option } from './option-types.ts';

const duration: OptionType = { kind: 'duration' };
const size: OptionType = { kind: 'size' };
const boolean: OptionType = { kind: 'boolean' };
const count: OptionType = { kind: 'integer', min: 1 };
const countOrZero: OptionType = { kind: 'integer', min: 0 };

export const restartStrategyTypes = ['none', 'fixed-delay', 'exponential-delay', 'failure-rate'] as const;

/** Flink's other spellings of the types. */
export const restartStrategyAliases: Readonly<Record<string, (typeof restartStrategyTypes)[number]>> = {
  off: 'none',
  disable: 'none',
  fixeddelay: 'fixed-delay',
  exponentialdelay: 'exponential-delay',
  failurerate: 'failure-rate',
};

export const optionTable = {
  'execution.batch.job-recovery.enabled': option(
    boolean,
    'true',
    'Record the job, and recover it after a process died.',
  ),
  'execution.batch.job-recovery.snapshot.min-pause': option(
    duration,
    '0 ms',
    'Least time between two records of how far the sources are; a recovery drops what a source finished since the last.',
  ),
  'execution.batch.job-recovery.previous-worker.recovery.timeout': option(
    duration,
    '30 s',
    'How long a new JobMaster waits for known workers to come back with their partitions.',
  ),
  'job-event.store.write-buffer.flush-interval': option(
    duration,
    '10 ms',
    'Longest that a batch of events waits to be joined by others before it is synced.',
  ),
  'job-event.store.write-buffer.size': option(size, '1 mb', 'A batch of events this large is written at once.'),
  'job-event.store.snapshot.interval-size': option(
    size,
    '16 mb',
    'Bytes of events after which a snapshot of the job is written, from which a recovery starts; 0: never.',
  ),
  'restart-strategy.type': option(
    { kind: 'enum', values: restartStrategyTypes, aliases: restartStrategyAliases },
    'fixed-delay',
    'What follows when a task fails. Losing a process is not a failure of a task.',
  ),
  'restart-strategy.fixed-delay.attempts': option(countOrZero, '3', 'Restarts before the job fails.'),
  'restart-strategy.fixed-delay.delay': option(duration, '1 s', 'Pause before each restart.'),
  'restart-strategy.exponential-delay.initial-backoff': option(duration, '1 s', 'First pause.'),
  'restart-strategy.exponential-delay.max-backoff': option(duration, '1 min', 'Longest pause.'),
  'restart-strategy.exponential-delay.backoff-multiplier': option(
    { kind: 'factor', min: 1 },
    '1.5',
    'Each pause is this much longer than the one before.',
  ),
  'restart-strategy.exponential-delay.reset-backoff-threshold': option(
    duration,
    '1 h',
    'A time without failures after which the pauses start over.',
  ),
  'restart-strategy.exponential-delay.jitter-factor': option(
    { kind: 'factor', min: 0, max: 1 },
    '0.1',
    'Each pause is longer or shorter by up to this share of it, so that jobs do not restart all at once.',
  ),
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': option(
    count,
    null,
    'Restarts without such a quiet time before the job fails; unless set, there is no limit.',
  ),
  'restart-strategy.failure-rate.max-failures-per-interval': option(count, '1', 'Failures allowed in an interval.'),
  'restart-strategy.failure-rate.failure-rate-interval': option(duration, '1 min', 'The interval they are counted in.'),
  'restart-strategy.failure-rate.delay': option(duration, '1 s', 'Pause before each restart.'),
  'heartbeat.interval': option(duration, '1 s', 'How often JobMaster and TaskManagers tell each other that they live.'),
  'heartbeat.timeout': option(duration, '10 s', 'Silence after which a process is held for lost.'),
  'task.timeout': option(duration, null, 'Ends an attempt that takes longer, as a failure; off unless set.'),
  'source.enumerator.timeout': option(
    duration,
    '1 min',
    "How long a source's enumerator may take to start, and to answer.",
  ),
  'taskmanager.memory.process.size': option(
    size,
    null,
    "Memory for the queries of one TaskManager; unless set, the machine's memory is divided among them.",
  ),
  'execution.batch.adaptive.auto-parallelism.enabled': option(
    boolean,
    'true',
    'Decide the parallelism of stages that state none from the bytes produced upstream; else it is the number of slots.',
  ),
  'execution.batch.adaptive.auto-parallelism.min-parallelism': option(count, '1', 'Least parallelism decided.'),
  'execution.batch.adaptive.auto-parallelism.max-parallelism': option(
    count,
    null,
    'Highest parallelism decided; unless set, twice the slots, at least 4.',
  ),
  'execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task': option(
    size,
    '16 mb',
    'Bytes that a task should read.',
  ),
  'execution.batch.adaptive.auto-parallelism.default-source-parallelism': option(
    count,
    null,
    'Upper bound for the parallelism of file sources; unless set, the number of their splits. Parallelism of sources with an enumerator that state none; unless set, the number of slots.',
  ),
  'table.optimizer.join.broadcast-threshold': option(
    size,
    '10 mb',
    'A side of a join that is fed by no more source bytes than this is broadcast where no exchange is stated.',
  ),
} as const satisfies Record<string, OptionDefinition>;

export const optionNames = Object.keys(optionTable) as readonly (keyof typeof optionTable)[];
