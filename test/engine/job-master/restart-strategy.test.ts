// Restart strategies: strategy × pattern of failures → what happens; the decision table over all its combinations, and
// every pattern of gaps between failures against an oracle that counts as Flink's own strategies do.
import { describe, expect, it } from 'vitest';
import {
  decideRestart,
  jitterOf,
  type RestartFacts,
  restartCases,
} from '../../../src/engine/job-master/restart-strategy.ts';
import { type RestartStrategyOptions, readOptions } from '../../../src/model/options.ts';
import { either, holdsTable } from '../../support/decision-tables.ts';
import { restartOracle } from './restart-oracle.ts';

const fixed: RestartStrategyOptions = { type: 'fixed-delay', attempts: 3, delayMs: 1_000 };
const exponential: RestartStrategyOptions = {
  type: 'exponential-delay',
  initialBackoffMs: 100,
  maxBackoffMs: 1_000,
  backoffMultiplier: 2,
  resetThresholdMs: 60_000,
  jitterFactor: 0,
  attemptsMax: 6,
};
const rate: RestartStrategyOptions = {
  type: 'failure-rate',
  failuresPerIntervalMax: 2,
  intervalMs: 10_000,
  delayMs: 50,
};

describe('restart-cases', () => {
  it('decides every combination', () => {
    const expected = ({ type, withinLimit, restartPending }: RestartFacts) => {
      if (type === 'none' || !withinLimit) return 'fail';
      if (type !== 'exponential-delay') return 'after-delay';
      return restartPending ? 'with-pending-restart' : 'after-backoff';
    };
    const types = ['none', 'fixed-delay', 'failure-rate', 'exponential-delay'] as const;
    holdsTable(restartCases, { type: types, withinLimit: either, restartPending: either }, expected);
  });
});

describe('decideRestart', () => {
  it.each([
    { strategy: { type: 'none' } as const, times: [0], restartsAfterMs: null },
    { strategy: fixed, times: [0], restartsAfterMs: 1_000 },
    { strategy: fixed, times: [0, 1, 2], restartsAfterMs: 1_000 },
    { strategy: fixed, times: [0, 1, 2, 3], restartsAfterMs: null },
    { strategy: { ...fixed, attempts: 0 }, times: [0], restartsAfterMs: null },
    { strategy: exponential, times: [0], restartsAfterMs: 100 },
    { strategy: exponential, times: [0, 1_000], restartsAfterMs: 200 },
    { strategy: exponential, times: [0, 101, 302, 703], restartsAfterMs: 800 },
    { strategy: exponential, times: [0, 101, 302, 703, 1_504], restartsAfterMs: 1_000 },
    // The second and third come while the first restart is awaited.
    { strategy: exponential, times: [0, 40, 100], restartsAfterMs: 0 },
    { strategy: { ...exponential, attemptsMax: 1 }, times: [0, 40, 100], restartsAfterMs: 0 },
    { strategy: { ...exponential, attemptsMax: 1 }, times: [0, 40, 101], restartsAfterMs: null },
    // Quiet for the threshold since the restart, and one millisecond less.
    { strategy: exponential, times: [0, 101, 60_301], restartsAfterMs: 100 },
    { strategy: exponential, times: [0, 101, 60_300], restartsAfterMs: 400 },
    { strategy: rate, times: [0, 1], restartsAfterMs: 50 },
    { strategy: rate, times: [0, 1, 2], restartsAfterMs: null },
    { strategy: rate, times: [0, 1, 10_001], restartsAfterMs: 50 },
    { strategy: rate, times: [0, 5_000, 10_000], restartsAfterMs: null },
  ])('$strategy.type after failures at $times: $restartsAfterMs', ({ strategy, times, restartsAfterMs }) => {
    const decision = decideRestart(strategy, times);
    expect(decision.kind === 'restart' ? decision.delayMs : null).toBe(restartsAfterMs);
    if (decision.kind === 'fail') expect(decision.reason).toContain(strategy.type);
  });

  const strategies: readonly RestartStrategyOptions[] = [
    { type: 'none' },
    ...[0, 1, 3].map((attempts) => ({ ...fixed, attempts })),
    ...[1, 2, 3].map((failuresPerIntervalMax) => ({ ...rate, failuresPerIntervalMax })),
    ...[1, 2, Number.POSITIVE_INFINITY].flatMap((attemptsMax) =>
      [0, 0.1, 1].map((jitterFactor) => ({ ...exponential, attemptsMax, jitterFactor })),
    ),
    { ...exponential, backoffMultiplier: 1, attemptsMax: Number.POSITIVE_INFINITY },
  ];

  it('does what the oracle does after every pattern of up to five failures', () => {
    const gapsMs = [1, 100, 101, 5_000, 10_000, 60_100, 60_101];
    const jitter = jitterOf('0123456789abcdef0123456789abcdef');
    let compared = 0;
    for (const timesMs of patterns(gapsMs, 5)) {
      for (const strategy of strategies) {
        const decision = decideRestart(strategy, timesMs, jitter);
        const got = decision.kind === 'fail' ? null : decision.delayMs;
        if (got !== restartOracle(strategy, timesMs, jitter)) {
          expect({ strategy, timesMs, got }).toEqual({
            strategy,
            timesMs,
            got: restartOracle(strategy, timesMs, jitter),
          });
        }
        compared += 1;
      }
    }
    expect(compared).toBe(strategies.length * (1 + 7 + 49 + 343 + 2_401));
  });

  it('jitters within the factor, the same for every master of a job and not the same for all jobs', () => {
    const strategy = { ...exponential, jitterFactor: 0.25, maxBackoffMs: 1_000_000 };
    const delays = Array.from({ length: 200 }, (_, job) => {
      const decision = decideRestart(strategy, [0, 1_000, 10_000], jitterOf(`job ${job}`));
      expect(decision).toEqual(decideRestart(strategy, [0, 1_000, 10_000], jitterOf(`job ${job}`)));
      return decision.kind === 'restart' ? decision.delayMs : Number.NaN;
    });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...delays)).toBeLessThanOrEqual(500);
    expect(new Set(delays).size).toBeGreaterThan(50);
  });

  it('does not overflow with the restarts of a year', () => {
    const timesMs = Array.from({ length: 100_000 }, (_, index) => index * 61_000);
    const strategy = readOptions({ 'restart-strategy.type': 'exponentialdelay' }).restartStrategy;
    const decision = decideRestart(strategy, timesMs, jitterOf('a'));
    expect(decision).toEqual({ kind: 'restart', delayMs: 60_000 });
  });
});

/** Times of one failure, then of two, and so on, with every combination of gaps. */
function* patterns(gapsMs: readonly number[], failuresMax: number): Generator<readonly number[]> {
  let all: number[][] = [[1_000_000]];
  for (let failures = 1; failures <= failuresMax; failures += 1) {
    yield* all;
    all =
      failures === failuresMax
        ? []
        : all.flatMap((times) => gapsMs.map((gap) => [...times, (times.at(-1) ?? 0) + gap]));
  }
}
