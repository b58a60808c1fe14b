// Bad rows that were left out are told: at the first, when they have doubled, and at the end.
import { expect, it } from 'vitest';
import { BadRowCounts } from '../../../src/engine/job-master/bad-row-counts.ts';
import { jobGraphOf } from '../../replay/job-builder.ts';

it('of each vertex, a task that ran again once', () => {
  const graph = jobGraphOf([{ name: 'scan' }, { name: 'other' }]);
  const [scan = '', other = ''] = graph.vertices.map(({ id }) => id);
  const counts = new BadRowCounts(graph);
  const say = (rows: number) => `scan: ${rows} bad row(s) left out, as onBadRow says`;
  expect(counts.finished(scan, 0, 0)).toBeNull();
  expect(counts.finished(scan, 1, 2)).toBe(say(2));
  expect(counts.finished(scan, 2, 1)).toBeNull();
  expect(counts.finished(scan, 1, 2)).toBeNull();
  expect(counts.finished(scan, 3, 1)).toBe(say(4));
  expect(counts.finished(scan, 4, 1)).toBeNull();
  expect(counts.finished(other, 0, 7)).toBe('other: 7 bad row(s) left out, as onBadRow says');
  expect(counts.last()).toEqual([say(5)]);
  expect(counts.last()).toEqual([]);
});
