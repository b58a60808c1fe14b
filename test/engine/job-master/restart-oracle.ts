// Restart strategies the slow and obvious way: as objects that are told of each failure and keep what they need, as
// Flink 1.20's are (FixedDelay-, FailureRate-, ExponentialDelayRestartBackoffTimeStrategy). Shares no code with src/.
import type { RestartStrategyOptions } from '../../../src/model/options.ts';

/** The pause before the restart, in milliseconds; null: the job fails. */
export type OracleOutcome = number | null;

interface Strategy {
  failure(nowMs: number): OracleOutcome;
}

/** What follows the last of these failures. */
export function restartOracle(
  options: RestartStrategyOptions,
  timesMs: readonly number[],
  jitter: (restart: number) => number,
): OracleOutcome {
  const strategy = strategyOf(options, jitter);
  let outcome: OracleOutcome = null;
  for (const timeMs of timesMs) outcome = strategy.failure(timeMs);
  return outcome;
}

function strategyOf(options: RestartStrategyOptions, jitter: (restart: number) => number): Strategy {
  if (options.type === 'none') return { failure: () => null };
  if (options.type === 'fixed-delay') {
    let count = 0;
    return {
      failure: () => {
        count += 1;
        return count > options.attempts ? null : options.delayMs;
      },
    };
  }
  if (options.type === 'failure-rate') {
    // One more than allowed: the oldest tells whether they all came within the interval.
    const last: number[] = [];
    return {
      failure: (nowMs) => {
        last.push(nowMs);
        if (last.length > options.failuresPerIntervalMax + 1) last.shift();
        const isFull = last.length > options.failuresPerIntervalMax;
        return isFull && nowMs - (last[0] ?? 0) <= options.intervalMs ? null : options.delayMs;
      },
    };
  }
  let attempt = 0;
  let nextRestartMs = Number.NEGATIVE_INFINITY;
  return {
    failure: (nowMs) => {
      if (nowMs > nextRestartMs) {
        if (nowMs - nextRestartMs >= options.resetThresholdMs) attempt = 0;
        let pauseMs = options.initialBackoffMs;
        for (let step = 0; step < attempt; step += 1) pauseMs *= options.backoffMultiplier;
        pauseMs = Math.floor(pauseMs) + Math.round(pauseMs * options.jitterFactor * jitter(attempt));
        if (pauseMs > options.maxBackoffMs) pauseMs = options.maxBackoffMs;
        if (pauseMs < options.initialBackoffMs) pauseMs = options.initialBackoffMs;
        nextRestartMs = nowMs + pauseMs;
        attempt += 1;
      }
      return attempt > options.attemptsMax ? null : nextRestartMs - nowMs;
    },
  };
}
