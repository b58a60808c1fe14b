// Who counts as a survivor, by each way to say so; and what running tasks again costs.
import { describe, expect, it } from 'vitest';
import { costOf, sumCosts } from '../../src/replay/cost.ts';
import type { RecordedPartition } from '../../src/replay/recovery-plan.ts';
import type { ReportedPartition } from '../../src/replay/survivors.ts';
import {
  allSurvive,
  survivorsFromReport,
  survivorsOnWorkers,
  survivorsWithoutWorkers,
} from '../../src/replay/survivors.ts';

const recorded: RecordedPartition = { datasetId: 'd', partitionIndex: 3, attempt: 2, epoch: 5, workerId: 'w1' };
const report = (partition: Partial<ReportedPartition>) =>
  survivorsFromReport([
    { workerId: 'w1', partitions: [{ datasetId: 'd', partitionIndex: 3, attempt: null, ...partition }] },
  ]);

describe('survivors from a report', () => {
  it.each<[string, Partial<ReportedPartition>, boolean]>([
    ['no attempt means the recorded one', {}, true],
    ['the recorded attempt', { attempt: 2 }, true],
    ['an older attempt', { attempt: 1 }, false],
    ['a newer attempt', { attempt: 3 }, false],
    ['the recorded epoch', { attempt: 2, epoch: 5 }, true],
    ['the same attempt of another JobMaster', { attempt: 2, epoch: 4 }, false],
    ['an epoch that the report does not say', { attempt: 2, epoch: null }, true],
    ['another partition', { partitionIndex: 4 }, false],
    ['another data set', { datasetId: 'e' }, false],
  ])('%s', (_, partition, survives) => {
    expect(report(partition).has(recorded)).toBe(survives);
  });

  it('finds the right attempt among several copies, on whichever worker', () => {
    const copy = (attempt: number) => ({ datasetId: 'd', partitionIndex: 3, attempt });
    const survivors = survivorsFromReport([
      { workerId: 'w7', partitions: [copy(0), copy(1)] },
      { workerId: 'w8', partitions: [copy(2)] },
    ]);
    expect([survivors.has(recorded), survivors.has({ ...recorded, attempt: 3 })]).toEqual([true, false]);
  });

  it('compares no epochs where the store has none', () => {
    expect(report({ epoch: 4 }).has({ ...recorded, epoch: null })).toBe(true);
  });
});

describe('survivors by worker', () => {
  const placed = (workerId: string | null) => ({ ...recorded, workerId });
  it('are what lies on those that are back', () => {
    const survivors = survivorsOnWorkers(['w1', 'w2']);
    expect(['w1', 'w2', 'w3', null].map((id) => survivors.has(placed(id)))).toEqual([true, true, false, false]);
  });
  it('are what does not lie on those that are lost', () => {
    const survivors = survivorsWithoutWorkers(['w1', 'w2']);
    expect(['w1', 'w2', 'w3', null].map((id) => survivors.has(placed(id)))).toEqual([false, false, true, true]);
  });
  it('are all where nothing was lost', () => {
    expect(['w1', null].map((id) => allSurvive().has(placed(id)))).toEqual([true, true]);
  });
});

describe('staged parts', () => {
  it('count as there unless a check says otherwise', () => {
    const part = { sink: 'out', file: 'part-0', bytes: 1 };
    const gone = () => false;
    const each = [
      [survivorsFromReport([]), survivorsFromReport([], gone)],
      [survivorsOnWorkers([]), survivorsOnWorkers([], gone)],
      [survivorsWithoutWorkers([]), survivorsWithoutWorkers([], gone)],
      [allSurvive(), allSurvive(gone)],
    ];
    expect(each.map((pair) => pair.map((survivors) => survivors.partHas(part)))).toEqual(each.map(() => [true, false]));
  });
});

describe('cost', () => {
  const metrics = { recordsIn: 0, recordsOut: 50, bytesIn: 900, bytesOut: 100, durationMs: 7 };
  it('takes the larger of read and written', () => {
    expect(costOf(metrics)).toEqual({ records: 50, bytes: 900, durationMs: 7 });
    expect(costOf(null)).toBeNull();
  });
  it('sums what is known', () => {
    expect(sumCosts([costOf(metrics), null, costOf(metrics)])).toEqual({ records: 100, bytes: 1800, durationMs: 14 });
    expect(sumCosts([])).toEqual({ records: 0, bytes: 0, durationMs: 0 });
  });
});
