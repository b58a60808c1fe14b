// Tumbling windows against a slow oracle that keeps all rows and works out each result from them.
import { describe, expect, it } from 'vitest';
import { sumOf } from '../../../src/engine/streaming/operators/aggregation.ts';
import { WindowAggregate, windowStart } from '../../../src/engine/streaming/operators/window-aggregate.ts';
import { KeyedStateBackend } from '../../../src/engine/streaming/state/keyed-state-backend.ts';
import type { Row } from '../../../src/model/streaming-plan.ts';
import { seeded } from '../../replay/random.ts';

const size = 10;

async function windows(latenessMs: number, state = new KeyedStateBackend(128), restored: unknown[] = []) {
  const emitted: Row[] = [];
  const marks: number[] = [];
  const operator = new WindowAggregate(['k'], { sizeMs: size, time: 't', latenessMs }, async () => sumOf('s', 'n'));
  const output = {
    collect: (row: Row) => void emitted.push(row),
    emitWatermark: (mark: number) => void marks.push(mark),
    emitIdle: () => {},
  };
  if (restored.length > 0) operator.initializeState(restored);
  const task = { vertexName: 'v', subtask: 0, parallelism: 1, attempt: 0, functionsFolder: '' };
  await operator.open({ ...task, output, keyedState: state, origin: () => '' });
  return { operator, emitted, marks, state };
}

const row = (k: string, t: number, n = 1) => ({ k, t, n });
const results = (rows: readonly Row[]) => rows.map(({ k, n, windowStart: start }) => `${k}@${start}=${n}`);

it('puts a time into the window that begins at a multiple of the size', () => {
  for (const time of [-21, -20, -1, 0, 1, 9, 10, 19.5, 1e15]) {
    const start = windowStart(time, size);
    expect(start <= time && time < start + size && start % size === 0).toBe(true);
  }
});

describe('a tumbling window', () => {
  it('gives its result when the watermark has passed its last millisecond', async () => {
    const { operator, emitted, marks } = await windows(0);
    for (const each of [row('a', 1), row('b', 9), row('a', 9, 4), row('a', 12)]) operator.processElement(each);
    operator.processWatermark(8);
    expect(emitted).toEqual([]);
    operator.processWatermark(9);
    expect(results(emitted)).toEqual(['a@0=5', 'b@0=1']);
    expect(emitted[0]).toMatchObject({ windowStart: 0, windowEnd: 10 });
    operator.processWatermark(Number.POSITIVE_INFINITY);
    expect(results(emitted)).toEqual(['a@0=5', 'b@0=1', 'a@10=1']);
    expect(marks).toEqual([8, 9, Number.POSITIVE_INFINITY]);
  });

  it('drops a late row, or gives a new result within the lateness', async () => {
    const strict = await windows(0);
    strict.operator.processWatermark(9);
    strict.operator.processElement(row('a', 5));
    expect([strict.emitted, strict.operator.droppedRows]).toEqual([[], 1]);
    const lenient = await windows(5);
    lenient.operator.processElement(row('a', 1));
    lenient.operator.processWatermark(13);
    lenient.operator.processElement(row('a', 2));
    lenient.operator.processWatermark(14);
    lenient.operator.processElement(row('a', 3));
    expect(results(lenient.emitted)).toEqual(['a@0=1', 'a@0=2']);
    expect(lenient.operator.droppedRows).toBe(1);
  });

  it('goes on from a snapshot: no window fires twice, none is lost, what was late stays late', async () => {
    const first = await windows(0);
    for (const each of [row('a', 1), row('a', 11)]) first.operator.processElement(each);
    first.operator.processWatermark(9);
    const state = new KeyedStateBackend(128);
    state.restore(first.state.snapshot(), { first: 0, last: 127 });
    const second = await windows(0, state, [first.operator.snapshotState()]);
    second.operator.processElement(row('a', 2));
    second.operator.processElement(row('a', 12));
    second.operator.processWatermark(100);
    expect(results(first.emitted)).toEqual(['a@0=1']);
    expect(results(second.emitted)).toEqual(['a@10=2']);
  });

  it('that was drained, or had come to its end, goes on from there: only what was late before is late', async () => {
    const first = await windows(0);
    for (const each of [row('a', 1), row('a', 11)]) first.operator.processElement(each);
    first.operator.processWatermark(9);
    first.operator.processWatermark(Number.POSITIVE_INFINITY);
    expect(results(first.emitted)).toEqual(['a@0=1', 'a@10=1']);
    const second = await windows(0, first.state, [first.operator.snapshotState()]);
    for (const each of [row('a', 2), row('a', 12), row('a', 21)]) second.operator.processElement(each);
    second.operator.processWatermark(100);
    expect([results(second.emitted), second.operator.droppedRows]).toEqual([['a@10=1', 'a@20=1'], 1]);
    const never = await windows(0);
    never.operator.processWatermark(Number.POSITIVE_INFINITY);
    expect(never.operator.snapshotState()).toEqual({ watermarkMs: null });
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'agrees with an oracle that keeps all rows (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const lateness = random.pick([0, 4, 15]);
      const { operator, emitted } = await windows(lateness);
      const kept: { k: string; t: number; n: number }[] = [];
      const expected: string[] = [];
      let watermark = Number.NEGATIVE_INFINITY;
      const sum = (k: string, start: number) =>
        kept
          .filter((each) => each.k === k && windowStart(each.t, size) === start)
          .reduce((total, { n }) => total + n, 0);
      for (let step = 0; step < 200; step += 1) {
        if (random.chance(0.8)) {
          const each = row(random.pick(['a', 'b', 'c']), step + random.below(40) - 20, 1 + random.below(9));
          const end = windowStart(each.t, size) + size;
          operator.processElement(each);
          if (end - 1 + lateness <= watermark) continue;
          kept.push(each);
          if (end - 1 <= watermark) expected.push(`${each.k}@${end - size}=${sum(each.k, end - size)}`);
        } else {
          const next = Math.max(watermark, step - random.below(20));
          const starts = [...new Set(kept.map(({ t }) => windowStart(t, size)))].sort((a, b) => a - b);
          for (const start of starts) {
            const fires = start + size - 1 > watermark && start + size - 1 <= next;
            const keys = [...new Set(kept.filter(({ t }) => windowStart(t, size) === start).map(({ k }) => k))];
            if (fires) expected.push(...keys.map((k) => `${k}@${start}=${sum(k, start)}`));
          }
          operator.processWatermark(next);
          watermark = next;
        }
      }
      expect(results(emitted)).toEqual(expected);
    },
  );
});
