// What the JobMaster believes of the partitions: exact copies, replaced by a worker's report, gone when dropped.
import { expect, it } from 'vitest';
import { PartitionTracker } from '../../../src/engine/job-master/partition-tracker.ts';

const whole = (partitionIndex: number, attempt = 0, epoch = 1) => ({
  datasetId: 'd',
  partitionIndex,
  attempt,
  epoch,
  bytes: 1,
});
const recorded = (partitionIndex: number, workerId: string, attempt = 0, epoch = 1) => ({
  datasetId: 'd',
  partitionIndex,
  attempt,
  epoch,
  workerId,
});

it('knows exact copies: worker, attempt and epoch', () => {
  const tracker = new PartitionTracker();
  tracker.report('w1', [whole(0), whole(1, 2, 3)]);
  tracker.produced(
    'w2',
    { attempt: 0, epoch: 1 },
    [{ datasetId: 'd', partitionIndex: 0, bytes: 1, rows: 1, subpartitionRows: null }],
    [],
  );
  expect(tracker.has(recorded(0, 'w1'))).toBe(true);
  expect(tracker.has(recorded(0, 'w2'))).toBe(true);
  expect(tracker.has(recorded(1, 'w1'))).toBe(false);
  expect(tracker.has(recorded(1, 'w1', 2, 3))).toBe(true);
  expect(tracker.copiesOf({ datasetId: 'd', partitionIndex: 0 })).toEqual([recorded(0, 'w1'), recorded(0, 'w2')]);
});

it('replaces what it knows of a worker by its report, and forgets what is dropped or could not be read', () => {
  const tracker = new PartitionTracker();
  tracker.report('w1', [whole(0), whole(1), whole(2)]);
  tracker.report('w2', [whole(0)]);
  tracker.report('w1', [whole(1), whole(2)]);
  expect(tracker.copiesOf({ datasetId: 'd', partitionIndex: 0 })).toEqual([recorded(0, 'w2')]);
  tracker.drop([recorded(1, 'w1')]);
  expect(tracker.has(recorded(1, 'w1'))).toBe(false);
  tracker.lost('d', 2);
  expect(tracker.allCopies()).toEqual([recorded(0, 'w2')]);
});
