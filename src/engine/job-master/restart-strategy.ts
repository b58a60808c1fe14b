// Restart strategies for failed tasks, under Flink's names and by its arithmetic: a pure decision from the times of the
// failures so far, so that a new JobMaster goes on with the count of the one before. It knows no tasks and no graph:
// whoever runs a job feeds it. Losing a worker or a master is no failure (invariant 9). Doc: docs/recovery.md "Failing tasks".
import { createHash } from 'node:crypto';
import { invariant } from '../../model/errors.ts';
import type { RestartStrategyOptions } from '../../model/options.ts';
import { type DecisionRow, decide } from '../../replay/decision-table.ts';

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'fail'; readonly reason: string };

/** Spreads restarts: a number from -1 to 1 for each restart in a row (0, 1, ...), the same each time it is asked. */
export type Jitter = (restart: number) => number;

export interface RestartFacts {
  readonly type: RestartStrategyOptions['type'];
  /** The failures, the latest included, do not exceed what the strategy allows. */
  readonly withinLimit: boolean;
  /** The latest failure came before the restart that an earlier one had already brought about. */
  readonly restartPending: boolean;
}

export type RestartOutcome = 'fail' | 'after-delay' | 'after-backoff' | 'with-pending-restart';

/** What follows a task's failure. */
export const restartCases: readonly DecisionRow<RestartFacts, RestartOutcome>[] = [
  // One failure ends the job.
  { label: 'none', when: { type: 'none' }, decision: 'fail' },
  // Every failure is an attempt, also of tasks that fail at the same time.
  { label: 'attempts-left', when: { type: 'fixed-delay', withinLimit: true }, decision: 'after-delay' },
  { label: 'attempts-used-up', when: { type: 'fixed-delay', withinLimit: false }, decision: 'fail' },
  // Failures are allowed, but not too many in too short a time.
  { label: 'rate-kept', when: { type: 'failure-rate', withinLimit: true }, decision: 'after-delay' },
  { label: 'rate-exceeded', when: { type: 'failure-rate', withinLimit: false }, decision: 'fail' },
  // Each restart waits longer than the one before, until a quiet time has passed.
  {
    label: 'backoff',
    when: { type: 'exponential-delay', withinLimit: true, restartPending: false },
    decision: 'after-backoff',
  },
  // Tasks that fail while a restart is still awaited share it: they are one attempt.
  {
    label: 'merged',
    when: { type: 'exponential-delay', withinLimit: true, restartPending: true },
    decision: 'with-pending-restart',
  },
  { label: 'backoff-used-up', when: { type: 'exponential-delay', withinLimit: false }, decision: 'fail' },
];

/**
 * What follows the latest failure.
 * @param failureTimesMs times of all counted failures of the job, never decreasing, the latest one included
 */
export function decideRestart(
  strategy: RestartStrategyOptions,
  failureTimesMs: readonly number[],
  jitter: Jitter = () => 0,
): RestartDecision {
  invariant(failureTimesMs.length > 0, 'a restart is decided after a failure');
  const situation = situationOf(strategy, failureTimesMs, jitter);
  const { withinLimit, restartPending, delayMs, reason } = situation;
  const outcome = decide(restartCases, { type: strategy.type, withinLimit, restartPending });
  return outcome === 'fail' ? { kind: 'fail', reason } : { kind: 'restart', delayMs };
}

/** A jitter that differs from job to job and is the same for every JobMaster of one job. */
export function jitterOf(jobId: string): Jitter {
  return (restart) => {
    const digest = createHash('sha256').update(`${jobId} ${restart}`).digest();
    return (digest.readUInt32BE(0) / 0xffff_ffff) * 2 - 1;
  };
}

interface Situation extends Omit<RestartFacts, 'type'> {
  readonly delayMs: number;
  /** Why the job fails, if it does. */
  readonly reason: string;
}

function situationOf(strategy: RestartStrategyOptions, timesMs: readonly number[], jitter: Jitter): Situation {
  switch (strategy.type) {
    case 'none':
      return { withinLimit: false, restartPending: false, delayMs: 0, reason: 'restart-strategy.type is none' };
    case 'fixed-delay':
      return fixedDelay(strategy, timesMs);
    case 'failure-rate':
      return failureRate(strategy, timesMs);
    case 'exponential-delay':
      return exponentialDelay(strategy, timesMs, jitter);
  }
}

type OptionsOf<Type> = Extract<RestartStrategyOptions, { type: Type }>;

function fixedDelay({ attempts, delayMs }: OptionsOf<'fixed-delay'>, timesMs: readonly number[]): Situation {
  const reason = `restart-strategy fixed-delay allows ${attempts} restarts`;
  return { withinLimit: timesMs.length <= attempts, restartPending: false, delayMs, reason };
}

function failureRate(strategy: OptionsOf<'failure-rate'>, timesMs: readonly number[]): Situation {
  const { failuresPerIntervalMax, intervalMs, delayMs } = strategy;
  const latest = timesMs.at(-1) ?? 0;
  const within = timesMs.filter((timeMs) => latest - timeMs <= intervalMs).length;
  const reason = `${within} failures within ${intervalMs / 1000} s exceed restart-strategy failure-rate`;
  return { withinLimit: within <= failuresPerIntervalMax, restartPending: false, delayMs, reason };
}

/** Walks the failures once: each begins a restart, joins one that is awaited, or comes after a quiet time. */
function exponentialDelay(
  strategy: OptionsOf<'exponential-delay'>,
  timesMs: readonly number[],
  jitter: Jitter,
): Situation {
  let restarts = 0;
  let nextRestartMs = Number.NEGATIVE_INFINITY;
  let restartPending = false;
  for (const timeMs of timesMs) {
    restartPending = timeMs <= nextRestartMs;
    if (restartPending) continue;
    if (timeMs - nextRestartMs >= strategy.resetThresholdMs) restarts = 0;
    nextRestartMs = timeMs + backoffMs(strategy, restarts, jitter);
    restarts += 1;
  }
  const { attemptsMax } = strategy;
  const reason = `restart-strategy exponential-delay allows ${attemptsMax} restarts in a row`;
  return {
    withinLimit: restarts <= attemptsMax,
    restartPending,
    delayMs: nextRestartMs - (timesMs.at(-1) ?? 0),
    reason,
  };
}

function backoffMs(strategy: OptionsOf<'exponential-delay'>, restart: number, jitter: Jitter): number {
  const { initialBackoffMs, maxBackoffMs, backoffMultiplier, jitterFactor } = strategy;
  // Beyond the largest pause the power only grows, in the end to infinity.
  const plainMs = Math.min(initialBackoffMs * backoffMultiplier ** restart, Number.MAX_SAFE_INTEGER);
  const jitteredMs = Math.floor(plainMs) + Math.round(plainMs * jitterFactor * jitter(restart));
  return Math.max(initialBackoffMs, Math.min(jitteredMs, maxBackoffMs));
}
