// The recovery rules of sources with a user-written enumerator, each as a run whose JobMaster is killed: what `diff` says
// before the next one starts is what runs then, and a side log of the readers shows which splits were read how often.
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import {
  allRows,
  endOf,
  enumeratorsOf,
  type FeedJob,
  feedJob,
  folderOf,
  hasBegun,
  hasRecovered,
  killMaster,
  openGates,
  predict,
  readsOf,
  rowsBySplit,
  sourceHasFinished,
  splitIds,
  startFeed,
} from './feed-job.ts';
import { killAll } from './gated-job.ts';
import { partitionFiles } from './lose-partition.ts';

/** Task 0 has finished; task 1 has read s2 and is at s3; task 2 is at s4; s5 has never been handed out. */
async function halfDone(job: FeedJob): Promise<void> {
  await openGates(job, 's0', 's1', 's2', 'hold');
  startFeed(job);
  await sourceHasFinished(job, 1);
  await hasBegun(job, 's0', 's1', 's2', 's3', 's4');
  await killMaster(job);
}

/** All tasks of the source have finished, and those behind it wait. */
async function allDone(job: FeedJob): Promise<void> {
  await openGates(job, ...splitIds);
  startFeed(job);
  await sourceHasFinished(job, 3);
  await hasBegun(job, 'hold');
}

/** Runs on, and holds the run against the prediction; then the answer. */
async function resumes(job: FeedJob, prediction: DiffReport): Promise<void> {
  await openGates(job, ...splitIds, 'hold');
  const report = await endOf(startFeed(job));
  expect(report.state).toBe('FINISHED');
  const { kept, rerun } = report.recoveries.at(-1) ?? {};
  expect({ kept, rerun }).toEqual({ kept: prediction.summary.kept, rerun: prediction.summary.rerun });
  expect(await rowsBySplit(job)).toEqual(allRows);
}

const codesOf = (prediction: DiffReport) =>
  prediction.rerun
    .filter(({ vertexName }) => vertexName === 'feed')
    .map(({ subtask, reasons }) => [subtask, reasons.map(({ code }) => code)]);

/** Loses the partition of task 1 of the source. */
async function losePartitionOfTask1(job: FeedJob): Promise<void> {
  const files = await partitionFiles(await folderOf(job));
  const [victim, ...others] = files.filter((file) => /\/1-a0-/.test(file));
  expect([victim !== undefined, others]).toEqual([true, []]);
  await rm(victim ?? '');
}

describe('a source with batch snapshots', () => {
  it('unfinished: only what was not done is read again', async () => {
    const job = await feedJob({ snapshots: true });
    await halfDone(job);
    const prediction = await predict(job);
    expect([codesOf(prediction), prediction.summary.kept]).toEqual([[], 1]);
    await resumes(job, prediction);
    // s2 had been read, but its task had no result; s5 was never handed out before.
    expect(await readsOf(job)).toEqual({ s0: 1, s1: 1, s2: 2, s3: 2, s4: 2, s5: 1 });
    // As it was when task 0 finished: only what was handed out by then is known to have been.
    const [, , restored = '', ...more] = await enumeratorsOf(job);
    expect(more).toEqual([]);
    expect(restored).toMatch(/^restored 2 [012] [01]$/);
  });

  it('finished, and a partition is lost with everything: only the splits of that task are read again', async () => {
    const job = await feedJob({ snapshots: true });
    await allDone(job);
    await killAll(await folderOf(job));
    await losePartitionOfTask1(job);
    const prediction = await predict(job);
    expect(codesOf(prediction)).toEqual([[1, ['partition-missing']]]);
    await resumes(job, prediction);
    expect(await readsOf(job)).toEqual({ s0: 1, s1: 1, s2: 2, s3: 2, s4: 1, s5: 1 });
    expect(await enumeratorsOf(job)).toEqual(['started', 'started', 'restored 2 2 2']);
  });
});

it('with a snapshot.min-pause, what a task has read since the last snapshot is read again', async () => {
  const config = { 'execution.batch.job-recovery.snapshot.min-pause': '1 h' };
  const job = await feedJob({ snapshots: true, config });
  await openGates(job, 's0', 's1', 'hold');
  startFeed(job);
  await sourceHasFinished(job, 1);
  await openGates(job, 's2', 's3');
  await sourceHasFinished(job, 2);
  await hasBegun(job, 's4');
  await killMaster(job);
  const prediction = await predict(job);
  expect(codesOf(prediction)).toEqual([[1, ['finish-not-durable']]]);
  await resumes(job, prediction);
  expect(await readsOf(job)).toEqual({ s0: 1, s1: 1, s2: 2, s3: 2, s4: 2, s5: 1 });
});

describe('a source without batch snapshots', () => {
  it('unfinished: all its tasks run again', async () => {
    const job = await feedJob({ snapshots: false });
    await halfDone(job);
    const prediction = await predict(job);
    expect(codesOf(prediction)).toEqual([[0, ['source-without-batch-snapshot']]]);
    await resumes(job, prediction);
    expect(await readsOf(job)).toEqual({ s0: 2, s1: 2, s2: 2, s3: 2, s4: 2, s5: 1 });
    expect(await enumeratorsOf(job)).toEqual(['started', 'started']);
  });

  it('finished, and a partition is lost with everything: one restart takes all its tasks', async () => {
    const job = await feedJob({ snapshots: false });
    await allDone(job);
    await killAll(await folderOf(job));
    await losePartitionOfTask1(job);
    const prediction = await predict(job);
    expect(codesOf(prediction)).toEqual([
      [0, ['source-restarts-whole']],
      [1, ['partition-missing']],
      [2, ['source-restarts-whole']],
    ]);
    await resumes(job, prediction);
    expect(await readsOf(job)).toEqual({ s0: 2, s1: 2, s2: 2, s3: 2, s4: 2, s5: 2 });
  });

  it('finished: none runs again, until one has to: that restart takes all of them', async () => {
    const job = await feedJob({ snapshots: false });
    await allDone(job);
    await killMaster(job);
    const prediction = await predict(job);
    expect([codesOf(prediction), prediction.summary.kept]).toEqual([[], 3]);
    const run = startFeed(job);
    await hasRecovered(job);
    expect(await readsOf(job)).toEqual({ s0: 1, s1: 1, s2: 1, s3: 1, s4: 1, s5: 1 });
    expect(await enumeratorsOf(job)).toEqual(['started']);
    // The consumers meet a partition that is not there; nobody knows any more what its task had read.
    await losePartitionOfTask1(job);
    await openGates(job, 'hold');
    const report = await endOf(run);
    expect(report.state).toBe('FINISHED');
    expect(report.recoveries[0]).toMatchObject({ kept: 3, rerun: 0 });
    expect(await rowsBySplit(job)).toEqual(allRows);
    expect(await readsOf(job)).toEqual({ s0: 2, s1: 2, s2: 2, s3: 2, s4: 2, s5: 2 });
  });

  it('a partition is lost under a JobMaster that lives: it knows what each task had read', async () => {
    const job = await feedJob({ snapshots: false });
    await openGates(job, ...splitIds);
    const run = startFeed(job);
    await sourceHasFinished(job, 3);
    await hasBegun(job, 'hold');
    await losePartitionOfTask1(job);
    await openGates(job, 'hold');
    expect((await endOf(run)).state).toBe('FINISHED');
    expect(await rowsBySplit(job)).toEqual(allRows);
    expect(await readsOf(job)).toEqual({ s0: 1, s1: 1, s2: 2, s3: 2, s4: 1, s5: 1 });
  });
});
