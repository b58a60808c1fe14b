// examples/word-count, to the row: what is printed before a failure, what the restarts from the checkpoint print
// again, and that the restart strategy ends the job.
import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const example = new URL('../../../examples/word-count/', import.meta.url);
const rows = (...words: readonly string[]) => words.map((word) => ({ word, frequency: 1 }));

it('counts words, and begins again from the checkpoint until its restarts are used up', async () => {
  const files = await Promise.all(
    ['job.yaml', 'word-count.ts'].map(async (name) => [name, await readFile(new URL(name, example), 'utf8')] as const),
  );
  const job = await StreamJob.create(Object.fromEntries(files));
  onTestFinished(() => job.remove());
  await job.append('data/words/0.jsonl', rows('a', 'b', 'a'));
  const faster = ['execution.checkpointing.interval=1 s', 'restart-strategy.fixed-delay.delay=100 ms'];
  const started = job.start('--json', ...faster.flatMap((option) => ['-D', option]));
  await eventually('three counts', async () => ((await job.printed()).length === 3 ? true : null));
  await job.nextCheckpoint();
  await job.append('data/words/0.jsonl', rows('a', 'c', 'ERROR'));
  const { code, stdout } = await started.result;

  const printed = (await job.printed()).map(({ word, frequency }) => `(${word},${frequency})`);
  expect(printed.slice(0, 5)).toEqual(['(a,1)', '(b,1)', '(a,2)', '(a,3)', '(c,1)']);
  expect(printed.slice(5)).toEqual(['(a,3)', '(c,1)', '(a,3)', '(c,1)', '(a,3)', '(c,1)']);
  expect(code).toBe(7);
  const report = JSON.parse(stdout);
  expect(report.state).toBe('FAILED');
  expect(report.failure.message).toMatch(/the word ERROR cannot be counted .*word-count\.ts:\d+/);
  const failures = await job.events('execution-failed', 'checkpoint-restored');
  expect(failures.map(({ type }) => type)).toEqual([
    ...Array.from({ length: 3 }, () => ['execution-failed', 'checkpoint-restored']).flat(),
    'execution-failed',
  ]);
});
