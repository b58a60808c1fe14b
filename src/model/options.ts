// From raw configuration (Flink's option names, values as written) to typed options. Every name and value is checked
// before a job starts; the raw strings are what is recorded, so that a newer jobrec reads them with its own defaults.
// Spec: docs/job-file.md, "Options".
import { parseBoolean, parseDurationMs, parseSizeBytes, parseWholeNumber } from './config-values.ts';
import { JobrecError } from './errors.ts';
import { nearName } from './nearest-name.ts';
import { optionTable, restartStrategyAliases, restartStrategyTypes } from './option-table.ts';
import type { OptionDefinition, OptionType } from './option-types.ts';
import {
  deprecatedOptionNames,
  externalizedRetentions,
  type StreamingOptions,
  streamingOptionTable,
} from './streaming-options.ts';

const knownOptions = { ...optionTable, ...streamingOptionTable } as const satisfies Record<string, OptionDefinition>;

type OptionName = keyof typeof knownOptions;

const optionNames = Object.keys(knownOptions) as readonly OptionName[];

/** Same shape as the engine's restart decision takes. */
export type RestartStrategyOptions =
  | { readonly type: 'none' }
  | { readonly type: 'fixed-delay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly type: 'exponential-delay';
      readonly initialBackoffMs: number;
      readonly maxBackoffMs: number;
      readonly backoffMultiplier: number;
      readonly resetThresholdMs: number;
      /** Largest share of a pause that is added to or taken from it. */
      readonly jitterFactor: number;
      /** Infinity: no limit. */
      readonly attemptsMax: number;
    }
  | {
      readonly type: 'failure-rate';
      readonly failuresPerIntervalMax: number;
      readonly intervalMs: number;
      readonly delayMs: number;
    };

export interface Options {
  readonly recoveryEnabled: boolean;
  readonly snapshotMinPauseMs: number;
  readonly previousWorkerTimeoutMs: number;
  readonly storeFlushIntervalMs: number;
  readonly storeWriteBufferBytes: number;
  /** 0: never. */
  readonly storeSnapshotIntervalBytes: number;
  readonly restartStrategy: RestartStrategyOptions;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** null: no limit. */
  readonly taskTimeoutMs: number | null;
  readonly enumeratorTimeoutMs: number;
  /** Memory for one TaskManager's queries; null: its share of the machine. */
  readonly workerMemoryBytes: number | null;
  readonly autoParallelism: AutoParallelismOptions;
  readonly broadcastThresholdBytes: number;
  readonly streaming: StreamingOptions;
}

export interface AutoParallelismOptions {
  readonly enabled: boolean;
  readonly minParallelism: number;
  /** null: from the number of slots. */
  readonly maxParallelism: number | null;
  readonly avgDataVolumePerTaskBytes: number;
  /** null: the number of splits. */
  readonly defaultSourceParallelism: number | null;
}

/** Typed options. Throws INVALID_ARGUMENT for an unknown option or a bad value (data: `option`, `nearest`, `value`). */
export function readOptions(config: Readonly<Record<string, string>>): Options {
  for (const [name, value] of Object.entries(config)) checkOption(name, value);
  checkBackoffs(config);
  checkHeartbeat(config);
  const auto = 'execution.batch.adaptive.auto-parallelism';
  return {
    recoveryEnabled: flag(config, 'execution.batch.job-recovery.enabled'),
    snapshotMinPauseMs: amount(config, 'execution.batch.job-recovery.snapshot.min-pause'),
    previousWorkerTimeoutMs: amount(config, 'execution.batch.job-recovery.previous-worker.recovery.timeout'),
    storeFlushIntervalMs: amount(config, 'job-event.store.write-buffer.flush-interval'),
    storeWriteBufferBytes: amount(config, 'job-event.store.write-buffer.size'),
    storeSnapshotIntervalBytes: amount(config, 'job-event.store.snapshot.interval-size'),
    restartStrategy: readRestartStrategy(config),
    heartbeatIntervalMs: amount(config, 'heartbeat.interval'),
    heartbeatTimeoutMs: amount(config, 'heartbeat.timeout'),
    taskTimeoutMs: optionalAmount(config, 'task.timeout'),
    enumeratorTimeoutMs: amount(config, 'source.enumerator.timeout'),
    workerMemoryBytes: optionalAmount(config, 'taskmanager.memory.process.size'),
    autoParallelism: {
      enabled: flag(config, `${auto}.enabled`),
      minParallelism: amount(config, `${auto}.min-parallelism`),
      maxParallelism: optionalAmount(config, `${auto}.max-parallelism`),
      avgDataVolumePerTaskBytes: amount(config, `${auto}.avg-data-volume-per-task`),
      defaultSourceParallelism: optionalAmount(config, `${auto}.default-source-parallelism`),
    },
    broadcastThresholdBytes: amount(config, 'table.optimizer.join.broadcast-threshold'),
    streaming: readStreamingOptions(config),
  };
}

function readStreamingOptions(config: Readonly<Record<string, string>>): StreamingOptions {
  const checkpointFolder = rawValue(config, 'execution.checkpointing.dir');
  const storage = rawValue(config, 'execution.checkpointing.storage');
  return {
    intervalMs: optionalAmount(config, 'execution.checkpointing.interval'),
    minPauseMs: amount(config, 'execution.checkpointing.min-pause'),
    timeoutMs: amount(config, 'execution.checkpointing.timeout'),
    tolerableFailedCheckpoints: amount(config, 'execution.checkpointing.tolerable-failed-checkpoints'),
    maxConcurrentCheckpoints: amount(config, 'execution.checkpointing.max-concurrent-checkpoints'),
    retainedCheckpoints: amount(config, 'execution.checkpointing.num-retained'),
    storage: storage === 'filesystem' || (storage === null && checkpointFolder !== null) ? 'filesystem' : 'jobmanager',
    checkpointFolder,
    savepointFolder: rawValue(config, 'execution.checkpointing.savepoint-dir'),
    retention: retentionOf(rawValue(config, 'execution.checkpointing.externalized-checkpoint-retention')),
    inlineThresholdBytes: amount(config, 'execution.checkpointing.data-inline-threshold'),
    defaultParallelism: amount(config, 'parallelism.default'),
    maxParallelism: amount(config, 'pipeline.max-parallelism'),
    bufferTimeoutMs: amount(config, 'execution.buffer-timeout.interval'),
    watermarkIntervalMs: amount(config, 'pipeline.auto-watermark-interval'),
  };
}

function retentionOf(text: string | null): StreamingOptions['retention'] {
  return externalizedRetentions.find((known) => known === text) ?? 'DELETE_ON_CANCELLATION';
}

/** Checks one option by itself. Throws INVALID_ARGUMENT (data: `option`, and `nearest` or `value`). */
export function checkOption(name: string, value: string): void {
  const known = deprecatedOptionNames[name] ?? name;
  if (!isOptionName(known)) {
    const nearest = nearName(name, optionNames);
    throw new JobrecError('INVALID_ARGUMENT', `unknown option ${name}`, {
      data: { option: name, nearest },
      hint:
        nearest === null
          ? 'the options are listed in docs/job-file.md and docs/streaming.md'
          : `did you mean ${nearest}?`,
    });
  }
  const { type } = knownOptions[known];
  if (parsedValue(type, value) === null) {
    throw new JobrecError('INVALID_ARGUMENT', `option ${name}: ${JSON.stringify(value)} is not ${describeType(type)}`, {
      data: { option: name, value },
    });
  }
}

function checkBackoffs(config: Readonly<Record<string, string>>): void {
  const [initial, max] = [
    'restart-strategy.exponential-delay.initial-backoff',
    'restart-strategy.exponential-delay.max-backoff',
  ] as const;
  if (amount(config, initial) <= amount(config, max)) return;
  const message = `option ${initial}: ${rawValue(config, initial)} is longer than ${max} (${rawValue(config, max)})`;
  throw new JobrecError('INVALID_ARGUMENT', message, { data: { option: initial, value: rawValue(config, initial) } });
}

/** A timeout within one interval would take every process for lost. */
function checkHeartbeat(config: Readonly<Record<string, string>>): void {
  const [interval, timeout] = ['heartbeat.interval', 'heartbeat.timeout'] as const;
  if (amount(config, interval) > 0 && amount(config, interval) < amount(config, timeout)) return;
  const message = `option ${timeout}: ${rawValue(config, timeout)} is not longer than ${interval} (${rawValue(config, interval)})`;
  throw new JobrecError('INVALID_ARGUMENT', message, { data: { option: timeout, value: rawValue(config, timeout) } });
}

function readRestartStrategy(config: Readonly<Record<string, string>>): RestartStrategyOptions {
  const raw = rawValue(config, 'restart-strategy.type') ?? '';
  const type = restartStrategyTypes.find((known) => known === (restartStrategyAliases[raw] ?? raw));
  switch (type) {
    case 'fixed-delay':
      return {
        type,
        attempts: amount(config, 'restart-strategy.fixed-delay.attempts'),
        delayMs: amount(config, 'restart-strategy.fixed-delay.delay'),
      };
    case 'exponential-delay':
      return {
        type,
        initialBackoffMs: amount(config, 'restart-strategy.exponential-delay.initial-backoff'),
        maxBackoffMs: amount(config, 'restart-strategy.exponential-delay.max-backoff'),
        backoffMultiplier: amount(config, 'restart-strategy.exponential-delay.backoff-multiplier'),
        resetThresholdMs: amount(config, 'restart-strategy.exponential-delay.reset-backoff-threshold'),
        jitterFactor: amount(config, 'restart-strategy.exponential-delay.jitter-factor'),
        attemptsMax:
          optionalAmount(config, 'restart-strategy.exponential-delay.attempts-before-reset-backoff') ??
          Number.POSITIVE_INFINITY,
      };
    case 'failure-rate':
      return {
        type,
        failuresPerIntervalMax: amount(config, 'restart-strategy.failure-rate.max-failures-per-interval'),
        intervalMs: amount(config, 'restart-strategy.failure-rate.failure-rate-interval'),
        delayMs: amount(config, 'restart-strategy.failure-rate.delay'),
      };
    default:
      return { type: 'none' };
  }
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(knownOptions, name);
}

function rawValue(config: Readonly<Record<string, string>>, name: OptionName): string | null {
  return (config[name] ?? deprecatedValue(config, name))?.trim() ?? knownOptions[name].default;
}

/** The value under a name that Flink has given up. */
function deprecatedValue(config: Readonly<Record<string, string>>, name: OptionName): string | undefined {
  const old = Object.keys(config).find((given) => deprecatedOptionNames[given] === name);
  return old === undefined ? undefined : config[old];
}

function flag(config: Readonly<Record<string, string>>, name: OptionName): boolean {
  return parseBoolean(rawValue(config, name) ?? '') === true;
}

/** An option that always has a value: the table gives a default. */
function amount(config: Readonly<Record<string, string>>, name: OptionName): number {
  return optionalAmount(config, name) ?? 0;
}

function optionalAmount(config: Readonly<Record<string, string>>, name: OptionName): number | null {
  const raw = rawValue(config, name);
  const value = raw === null ? null : parsedValue(knownOptions[name].type, raw);
  return typeof value === 'number' ? value : null;
}

function parsedValue(type: OptionType, text: string): number | boolean | string | null {
  switch (type.kind) {
    case 'duration':
      return parseDurationMs(text);
    case 'size':
      return parseSizeBytes(text);
    case 'boolean':
      return parseBoolean(text);
    case 'integer':
      return parseWholeNumber(text, type.min, type.max);
    case 'factor':
      return parseFactor(text, type.min, type.max ?? Number.POSITIVE_INFINITY);
    case 'text':
      return text.trim() === '' ? null : text.trim();
    case 'enum':
      return type.values.includes(text.trim()) || Object.hasOwn(type.aliases ?? {}, text.trim()) ? text.trim() : null;
  }
}

function parseFactor(text: string, min: number, max: number): number | null {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}

function rangeText({ min, max }: { readonly min: number; readonly max?: number }): string {
  return max === undefined ? `from ${min} up` : `from ${min} to ${max}`;
}

function describeType(type: OptionType): string {
  switch (type.kind) {
    case 'duration':
      return 'a duration such as "30 s", "10ms" or "1 min"';
    case 'size':
      return 'a size such as "64 kb" or "1mb"';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number ${rangeText(type)}`;
    case 'factor':
      return `a number ${rangeText(type)}`;
    case 'text':
      return 'a text that is not empty';
    case 'enum':
      return `one of ${type.values.join(', ')}`;
  }
}
