import { describe, expect, it } from 'vitest';
import { parseDurationMs, parseSizeBytes } from '../../src/model/config-values.ts';
import { JobrecError } from '../../src/model/errors.ts';
import { optionNames, optionTable } from '../../src/model/option-table.ts';
import { checkOption, readOptions } from '../../src/model/options.ts';

describe('spellings', () => {
  it.each([
    ['30 s', 30_000],
    ['10ms', 10],
    ['1 min', 60_000],
    ['2 h', 7_200_000],
    ['1d', 86_400_000],
    ['250', 250],
    ['1500 µs', 1.5],
    ['PT30S', 30_000],
    ['PT1M0.5S', 60_500],
    ['P1DT1H', 90_000_000],
    ['', null],
    ['-1 s', null],
    ['1.5 s', null],
    ['3 fortnights', null],
    ['PT', null],
    ['99999999999999999 d', null],
  ])('duration %s is %s ms', (text, expected) => expect(parseDurationMs(text)).toBe(expected));

  it.each([
    ['1mb', 1_048_576],
    ['64 kb', 65_536],
    ['1 MiB', 1_048_576],
    ['2g', 2_147_483_648],
    ['12', 12],
    ['12 bytes', 12],
    ['1 pb', null],
    ['much', null],
    ['', null],
  ])('size %s is %s bytes', (text, expected) => expect(parseSizeBytes(text)).toBe(expected));
});

function errorOf(name: string, value: string): JobrecError {
  try {
    checkOption(name, value);
  } catch (error) {
    if (error instanceof JobrecError) return error;
  }
  throw new Error(`${name}=${value} was accepted`);
}

describe('readOptions', () => {
  it('has defaults that its own table accepts', () => {
    for (const name of optionNames) {
      const { default: text } = optionTable[name];
      if (text !== null) expect(() => checkOption(name, text)).not.toThrow();
    }
  });

  it('gives the defaults', () => {
    const options = readOptions({});
    expect(options.recoveryEnabled).toBe(true);
    expect(options.restartStrategy).toEqual({ type: 'fixed-delay', attempts: 3, delayMs: 1000 });
    expect(options.taskTimeoutMs).toBeNull();
    expect(options.autoParallelism.maxParallelism).toBeNull();
    expect(options.storeWriteBufferBytes).toBe(2 ** 20);
  });

  it('reads every kind of value', () => {
    const options = readOptions({
      'execution.batch.job-recovery.enabled': 'FALSE',
      'task.timeout': '2 min',
      'job-event.store.write-buffer.size': '64kb',
      'restart-strategy.type': 'exponential-delay',
      'restart-strategy.exponential-delay.backoff-multiplier': '2.5',
      'restart-strategy.exponential-delay.attempts-before-reset-backoff': '7',
      'execution.batch.adaptive.auto-parallelism.max-parallelism': '12',
    });
    expect(options).toMatchObject({ recoveryEnabled: false, taskTimeoutMs: 120_000, storeWriteBufferBytes: 65_536 });
    expect(options.restartStrategy).toMatchObject({ backoffMultiplier: 2.5, attemptsMax: 7, maxBackoffMs: 60_000 });
    expect(options.autoParallelism.maxParallelism).toBe(12);
    expect(readOptions({ 'restart-strategy.type': 'none' }).restartStrategy).toEqual({ type: 'none' });
    expect(readOptions({ 'restart-strategy.type': 'failure-rate' }).restartStrategy).toEqual({
      type: 'failure-rate',
      failuresPerIntervalMax: 1,
      intervalMs: 60_000,
      delayMs: 1000,
    });
  });

  it("gives Flink's defaults of the restart strategies, and takes its other spellings", () => {
    expect(readOptions({ 'restart-strategy.type': 'exponentialdelay' }).restartStrategy).toEqual({
      type: 'exponential-delay',
      initialBackoffMs: 1_000,
      maxBackoffMs: 60_000,
      backoffMultiplier: 1.5,
      resetThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      attemptsMax: Number.POSITIVE_INFINITY,
    });
    for (const off of ['off', 'disable', 'none']) {
      expect(readOptions({ 'restart-strategy.type': off }).restartStrategy).toEqual({ type: 'none' });
    }
  });

  it('refuses pauses that begin beyond their end', () => {
    const config = { 'restart-strategy.exponential-delay.initial-backoff': '2 min' };
    expect(() => readOptions(config)).toThrow(/initial-backoff: 2 min is longer than .*max-backoff \(1 min\)/);
  });

  it('refuses a heartbeat that would lose every process', () => {
    expect(() => readOptions({ 'heartbeat.timeout': '1 s' })).toThrow(
      /heartbeat.timeout: 1 s is not longer than heartbeat.interval \(1 s\)/,
    );
    expect(() => readOptions({ 'heartbeat.interval': '0 s' })).toThrow(/not longer than heartbeat.interval/);
    expect(readOptions({ 'heartbeat.timeout': '1 s', 'heartbeat.interval': '500 ms' }).heartbeatTimeoutMs).toBe(1_000);
  });

  it('refuses an unknown option with the nearest known one', () => {
    const error = errorOf('restart-strategy.typo', 'none');
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.data).toEqual({ option: 'restart-strategy.typo', nearest: 'restart-strategy.type' });
    expect(error.hint).toContain('restart-strategy.type');
    expect(() => readOptions({ toString: '1' })).toThrow(/unknown option toString/);
    const far = errorOf('foo', '1');
    expect(far.data).toEqual({ option: 'foo', nearest: null });
    expect(far.hint).toMatch(/docs\/job-file\.md/);
  });

  it.each([
    ['task.timeout', 'soon', /a duration such as/],
    ['job-event.store.write-buffer.size', '-1', /a size such as/],
    ['execution.batch.job-recovery.enabled', 'yes', /true or false/],
    ['restart-strategy.type', 'hope', /one of none, fixed-delay/],
    ['restart-strategy.fixed-delay.attempts', '1.5', /a whole number from 0 up/],
    ['restart-strategy.exponential-delay.backoff-multiplier', '0.5', /a number from 1 up/],
    ['restart-strategy.exponential-delay.jitter-factor', '1.1', /a number from 0 to 1/],
    ['execution.batch.adaptive.auto-parallelism.min-parallelism', '0', /a whole number from 1 up/],
    ['execution.checkpointing.num-retained', '101', /a whole number from 1 to 100$/],
    ['execution.checkpointing.num-retained', '0', /a whole number from 1 to 100$/],
    ['pipeline.max-parallelism', '32769', /a whole number from 1 to 32768$/],
  ])('refuses %s=%s and says what is allowed', (name, value, message) => {
    expect(errorOf(name, value).message).toMatch(message);
  });
});
