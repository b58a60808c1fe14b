// The store of a streaming job that lives long: the JobMaster takes snapshots of it by itself, history can be retired
// behind one, and the job goes on from what the snapshot says of its checkpoints, each result once.
import { expect, it, onTestFinished } from 'vitest';
import type { CompactReport } from '../../../src/services/compact-report.ts';
import type { InspectReport } from '../../../src/services/inspect-report.ts';
import { eventually, parseJson } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const jobFile = `
name: counts
mode: streaming
config: { execution.checkpointing.interval: 100 ms, job-event.store.snapshot.interval-size: 1 kb }
sources:
  words: { log: words }
stages:
  counts: { inputs: { w: words }, sum: n, keyBy: word }
sinks:
  out: { input: counts, path: out }
`;

it('is bounded by snapshots, and the job goes on behind retired history', async () => {
  const job = await StreamJob.create({ 'job.yaml': jobFile });
  onTestFinished(() => job.remove());
  const counts = async () => (await job.written()).map(({ word, n }) => `${word}${n}`).sort();
  await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
  const first = job.start('--json');
  const folder = await eventually('a snapshot of the store', async () => {
    const found = await job.jobFolder();
    if (found === null) return null;
    // Before the store is there, what comes is an error.
    const { store } = parseJson<Partial<InspectReport>>(await job.cli('inspect', found, '--json'));
    return (store?.snapshots.length ?? 0) > 0 ? found : null;
  });
  await job.nextCheckpoint();
  await job.killAll(first);
  const compacted = parseJson<CompactReport>(await job.cli('compact', folder, '--json'));
  expect(compacted).toMatchObject({ applied: true, after: { events: 0 } });

  await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
  const second = job.start('--json');
  await eventually('the next count', async () => ((await counts()).length >= 2 ? true : null));
  expect(await job.events('checkpoint-restored')).toHaveLength(1);
  await job.cli('cancel', 'counts');
  await second.result;
  expect(await counts()).toEqual(['a1', 'a2']);
});
