// Restart strategies: strategy × pattern of failures → what happens.
import { describe, expect, it } from 'vitest';
import { decideRestart } from '../../../src/engine/job-master/restart-strategy.ts';
import type { RestartStrategyOptions } from '../../../src/model/options.ts';

const fixed: RestartStrategyOptions = { type: 'fixed-delay', attempts: 3, delayMs: 1_000 };
const exponential: RestartStrategyOptions = {
  type: 'exponential-delay',
  initialBackoffMs: 100,
  maxBackoffMs: 1_000,
  backoffMultiplier: 2,
  resetThresholdMs: 60_000,
  attemptsMax: 6,
};
const rate: RestartStrategyOptions = {
  type: 'failure-rate',
  failuresPerIntervalMax: 2,
  intervalMs: 10_000,
  delayMs: 50,
};

describe('decideRestart', () => {
  it.each([
    { strategy: { type: 'none' } as const, times: [0], restartsAfterMs: null },
    { strategy: fixed, times: [0], restartsAfterMs: 1_000 },
    { strategy: fixed, times: [0, 1, 2], restartsAfterMs: 1_000 },
    { strategy: fixed, times: [0, 1, 2, 3], restartsAfterMs: null },
    { strategy: { ...fixed, attempts: 0 }, times: [0], restartsAfterMs: null },
    { strategy: exponential, times: [0], restartsAfterMs: 100 },
    { strategy: exponential, times: [0, 1_000], restartsAfterMs: 200 },
    { strategy: exponential, times: [0, 1, 2, 3], restartsAfterMs: 800 },
    { strategy: exponential, times: [0, 1, 2, 3, 4], restartsAfterMs: 1_000 },
    { strategy: exponential, times: [0, 1, 2, 3, 4, 5, 6], restartsAfterMs: null },
    { strategy: exponential, times: [0, 1, 2, 60_002], restartsAfterMs: 100 },
    { strategy: rate, times: [0, 1], restartsAfterMs: 50 },
    { strategy: rate, times: [0, 1, 2], restartsAfterMs: null },
    { strategy: rate, times: [0, 1, 10_001], restartsAfterMs: 50 },
    { strategy: rate, times: [0, 5_000, 9_999], restartsAfterMs: null },
  ])('$strategy.type after failures at $times: $restartsAfterMs', ({ strategy, times, restartsAfterMs }) => {
    const decision = decideRestart(strategy, times);
    expect(decision.kind === 'restart' ? decision.delayMs : null).toBe(restartsAfterMs);
    if (decision.kind === 'fail') expect(decision.reason).toContain(strategy.type);
  });
});
