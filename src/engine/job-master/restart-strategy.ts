// Restart strategies for failed tasks, under Flink's names: a pure decision from the recorded failures, so that a
// new JobMaster continues the count of the one before. Losing a worker or a master is no failure (invariant 9).
import { invariant } from '../../model/errors.ts';
import type { RestartStrategyOptions } from '../../model/options.ts';

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'fail'; readonly reason: string };

/**
 * What follows the latest failure.
 * @param failureTimesMs times of all counted failures of the job, oldest first, the latest one included
 */
export function decideRestart(strategy: RestartStrategyOptions, failureTimesMs: readonly number[]): RestartDecision {
  invariant(failureTimesMs.length > 0, 'a restart is decided after a failure');
  switch (strategy.type) {
    case 'none':
      return { kind: 'fail', reason: 'restart-strategy.type is none' };
    case 'fixed-delay':
      return failureTimesMs.length > strategy.attempts
        ? { kind: 'fail', reason: `all ${strategy.attempts} restarts of restart-strategy fixed-delay are used up` }
        : { kind: 'restart', delayMs: strategy.delayMs };
    case 'exponential-delay':
      return decideExponential(strategy, failureTimesMs);
    case 'failure-rate':
      return decideFailureRate(strategy, failureTimesMs);
  }
}

function decideExponential(
  strategy: Extract<RestartStrategyOptions, { type: 'exponential-delay' }>,
  failureTimesMs: readonly number[],
): RestartDecision {
  const streak = streakLength(failureTimesMs, strategy.resetThresholdMs);
  if (streak > strategy.attemptsMax) {
    return { kind: 'fail', reason: `${streak} failures in a row exceed exponential-delay.attempts-before-reset` };
  }
  const delayMs = strategy.initialBackoffMs * strategy.backoffMultiplier ** (streak - 1);
  return { kind: 'restart', delayMs: Math.min(delayMs, strategy.maxBackoffMs) };
}

/** Failures up to the latest, back to the last pause of at least `resetThresholdMs`. */
function streakLength(failureTimesMs: readonly number[], resetThresholdMs: number): number {
  let first = failureTimesMs.length - 1;
  while (first > 0 && (failureTimesMs[first] ?? 0) - (failureTimesMs[first - 1] ?? 0) < resetThresholdMs) first -= 1;
  return failureTimesMs.length - first;
}

function decideFailureRate(
  strategy: Extract<RestartStrategyOptions, { type: 'failure-rate' }>,
  failureTimesMs: readonly number[],
): RestartDecision {
  const latest = failureTimesMs[failureTimesMs.length - 1] ?? 0;
  const within = failureTimesMs.filter((time) => latest - time < strategy.intervalMs).length;
  if (within > strategy.failuresPerIntervalMax) {
    const seconds = strategy.intervalMs / 1000;
    return { kind: 'fail', reason: `${within} failures within ${seconds} s exceed restart-strategy failure-rate` };
  }
  return { kind: 'restart', delayMs: strategy.delayMs };
}
