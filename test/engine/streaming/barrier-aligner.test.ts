import { describe, expect, it } from 'vitest';
import { BarrierAligner } from '../../../src/engine/streaming/channels/barrier-aligner.ts';
import { seeded } from '../../replay/random.ts';

describe('aligning barriers', () => {
  it('takes a checkpoint at once where there is one channel', () => {
    const aligner = new BarrierAligner(1);
    expect(aligner.barrier(0, 1)).toBe(true);
    expect(aligner.isBlocked(0)).toBe(false);
  });

  it('holds a channel back until all barriers have come', () => {
    const aligner = new BarrierAligner(3);
    expect(aligner.barrier(1, 7)).toBe(false);
    expect([0, 1, 2].map((channel) => aligner.isBlocked(channel))).toEqual([false, true, false]);
    expect(aligner.barrier(0, 7)).toBe(false);
    expect(aligner.barrier(2, 7)).toBe(true);
    expect([0, 1, 2].some((channel) => aligner.isBlocked(channel))).toBe(false);
  });

  it('refuses barriers that cross', () => {
    const aligner = new BarrierAligner(2);
    aligner.barrier(0, 1);
    expect(() => aligner.barrier(1, 2)).toThrow(/barrier 2 came while 1/);
    expect(() => aligner.barrier(0, 2)).toThrow(/is read while it waits/);
  });

  it.each(Array.from({ length: 50 }, (_, seed) => seed))(
    'puts exactly the rows before the barriers into a checkpoint, however channels are read (seed %i)',
    (seed) => {
      const random = seeded(seed);
      const channels = 1 + random.below(4);
      const queues = Array.from({ length: channels }, () => {
        const rows = Array.from({ length: 30 }, (_, index) => (index % 7 === 6 ? 'barrier' : 'row'));
        return rows.filter((element) => element === 'barrier' || random.chance(0.6));
      });
      // Of checkpoint n, the rows before the n-th barrier of each channel.
      const expected = [1, 2, 3, 4].map((checkpoint) =>
        queues.reduce((sum, queue) => sum + rowsBefore(queue, checkpoint), 0),
      );
      const aligner = new BarrierAligner(channels);
      const barriersOf = new Array<number>(channels).fill(0);
      const taken: number[] = [];
      let rows = 0;
      while (taken.length < 4) {
        const readable = queues.map((_, channel) => channel).filter((channel) => !aligner.isBlocked(channel));
        const channel = random.pick(readable);
        const element = queues[channel]?.shift();
        if (element === 'row') rows += 1;
        if (element !== 'barrier') continue;
        barriersOf[channel] = (barriersOf[channel] ?? 0) + 1;
        if (aligner.barrier(channel, barriersOf[channel] ?? 0)) taken.push(rows);
      }
      expect(taken).toEqual(expected);
    },
  );
});

function rowsBefore(queue: readonly string[], barriers: number): number {
  let [rows, seen] = [0, 0];
  for (const element of queue) {
    if (element === 'barrier') seen += 1;
    if (seen === barriers) return rows;
    if (element === 'row') rows += 1;
  }
  return rows;
}
