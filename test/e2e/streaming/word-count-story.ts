// The classic word count, to the row, whatever the words come from: what is printed before a failure, what the restarts
// from the checkpoint print again, and that the restart strategy ends the job.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { eventually } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const example = new URL('../../../examples/word-count/', import.meta.url);
const faster = ['execution.checkpointing.interval=1 s', 'restart-strategy.fixed-delay.delay=100 ms'];

export interface WordFeed {
  /** What the job file says in place of `log: data/words`. */
  readonly source: string;
  append(job: StreamJob, rows: readonly object[]): Promise<void>;
}

const rows = (...words: readonly string[]) => words.map((word) => ({ word, frequency: 1 }));

/** A job that counts the words of the feed. */
export async function wordCountJob(feed: WordFeed): Promise<StreamJob> {
  const text = await readFile(new URL('job.yaml', example), 'utf8');
  return StreamJob.create({
    'job.yaml': text.replace('log: data/words', () => feed.source),
    'word-count.ts': await readFile(new URL('word-count.ts', example), 'utf8'),
  });
}

export async function playWordCount(job: StreamJob, feed: WordFeed): Promise<void> {
  const started = job.start('--json', ...faster.flatMap((option) => ['-D', option]));
  // A source that begins at the end has its place in the stream when a checkpoint is complete.
  await eventually('a checkpoint', async () => ((await job.checkpoints()) > 0 ? true : null));
  await feed.append(job, rows('a', 'b', 'a'));
  await eventually('three counts', async () => ((await job.printed()).length === 3 ? true : null));
  await job.nextCheckpoint();
  await feed.append(job, rows('a', 'c', 'ERROR'));
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
}
