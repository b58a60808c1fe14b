// The restart strategy of a streaming job: the one that is configured, else none without checkpoints, and with them
// fixed-delay, one second, without end. (Flink since 1.19 takes exponential-delay here: docs/streaming.md says so.)
import type { Options, RestartStrategyOptions } from '../../../model/options.ts';

export function streamRestartStrategy(
  config: Readonly<Record<string, string>>,
  { restartStrategy, streaming }: Pick<Options, 'restartStrategy' | 'streaming'>,
): RestartStrategyOptions {
  if (config['restart-strategy.type'] !== undefined) return restartStrategy;
  if (streaming.intervalMs === null) return { type: 'none' };
  if (restartStrategy.type === 'fixed-delay') {
    const isGiven = config['restart-strategy.fixed-delay.attempts'] !== undefined;
    return isGiven ? restartStrategy : { ...restartStrategy, attempts: Number.MAX_SAFE_INTEGER };
  }
  return { type: 'fixed-delay', attempts: Number.MAX_SAFE_INTEGER, delayMs: 1_000 };
}
