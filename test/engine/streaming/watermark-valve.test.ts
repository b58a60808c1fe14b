import { describe, expect, it } from 'vitest';
import { WatermarkValve } from '../../../src/engine/streaming/channels/watermark-valve.ts';
import { seeded } from '../../replay/random.ts';

function valve(inputs: number): WatermarkValve<number> {
  const made = new WatermarkValve<number>();
  for (let id = 0; id < inputs; id += 1) made.add(id);
  return made;
}

describe('watermarks that meet', () => {
  it('wait for every input', () => {
    const two = valve(2);
    expect(two.watermark(0, 10)).toEqual({ kind: 'none' });
    expect(two.watermark(1, 5)).toEqual({ kind: 'watermark', watermarkMs: 5 });
    expect(two.watermark(1, 20)).toEqual({ kind: 'watermark', watermarkMs: 10 });
  });

  it('do not wait for an input that is idle, and do again when it is back', () => {
    const two = valve(2);
    two.watermark(0, 10);
    expect(two.idle(1)).toEqual({ kind: 'watermark', watermarkMs: 10 });
    expect(two.watermark(1, 3)).toEqual({ kind: 'none' });
    expect(two.watermark(0, 30)).toEqual({ kind: 'none' });
    expect(two.watermark(1, 25)).toEqual({ kind: 'watermark', watermarkMs: 25 });
  });

  it('are idle when all inputs are, which is told once', () => {
    const two = valve(2);
    two.watermark(0, 1);
    two.watermark(1, 1);
    expect(two.idle(0)).toEqual({ kind: 'none' });
    expect(two.idle(1)).toEqual({ kind: 'idle' });
    expect(two.idle(1)).toEqual({ kind: 'none' });
    expect(two.watermark(0, 0)).toEqual({ kind: 'watermark', watermarkMs: 1 });
  });

  it('do not wait for an input that has ended, and end when all have: an idle one may still bring rows', () => {
    const end = Number.POSITIVE_INFINITY;
    const two = valve(2);
    expect(two.watermark(0, end)).toEqual({ kind: 'none' });
    expect(two.watermark(1, 5)).toEqual({ kind: 'watermark', watermarkMs: 5 });
    expect(two.idle(1)).toEqual({ kind: 'idle' });
    expect(two.watermark(1, 7)).toEqual({ kind: 'watermark', watermarkMs: 7 });
    expect(two.watermark(1, end)).toEqual({ kind: 'watermark', watermarkMs: end });
    expect(two.idle(0)).toEqual({ kind: 'none' });
  });

  it.each(Array.from({ length: 50 }, (_, seed) => seed))(
    'are the least of the active ones, and only grow (seed %i)',
    (seed) => {
      const random = seeded(seed);
      const inputs = 1 + random.below(4);
      const tested = valve(inputs);
      const marks = Array.from({ length: inputs }, () => Number.NEGATIVE_INFINITY);
      const idle = new Set<number>();
      let highest = Number.NEGATIVE_INFINITY;
      for (let step = 0; step < 100; step += 1) {
        const id = random.below(inputs);
        const isIdle = random.chance(0.2);
        const mark = random.below(50) + step;
        const output = isIdle ? tested.idle(id) : tested.watermark(id, mark);
        if (isIdle) idle.add(id);
        else {
          idle.delete(id);
          marks[id] = Math.max(marks[id] ?? 0, mark);
        }
        const active = marks.filter((_, index) => !idle.has(index));
        const least = Math.min(...active);
        if (output.kind === 'watermark') {
          expect(output.watermarkMs).toBe(Math.max(highest, least));
          highest = output.watermarkMs;
        } else if (active.length > 0) expect(least).toBeLessThanOrEqual(highest);
      }
    },
  );
});
