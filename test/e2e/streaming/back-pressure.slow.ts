// Back-pressure: a source that could give a million rows a second before a stage that takes two thousand. The memory
// of the processes must not grow with time: what waits between two tasks is bounded by the channel's credits.
import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { eventually, pause } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const seconds = Number(process.env.JOBREC_SLOW_SECONDS ?? 30);

const jobFile = `
name: back-pressure
mode: streaming
config: { execution.checkpointing.interval: 1 s }
sources:
  numbers: { generator: { columns: { n: sequence, text: { choice: [${'x'.repeat(200)}] } } } }
stages:
  slow: { inputs: { n: { from: numbers, exchange: rebalance } }, map: "./slow.ts#slow", parallelism: 2 }
sinks:
  out: { input: slow, path: out }
`;

const functions = `
export function slow(row: unknown) {
  const end = performance.now() + 0.5;
  while (performance.now() < end);
  return row;
}
`;

it(`keeps its memory over ${seconds} s`, async () => {
  const job = await StreamJob.create({ 'job.yaml': jobFile, 'slow.ts': functions });
  onTestFinished(() => job.remove());
  const started = job.start('--workers', '1');
  await eventually('the first checkpoints', async () => ((await job.checkpoints()) >= 3 ? true : null));
  const early = await highestRss(job, 3_000);
  await pause(seconds * 1000);
  const late = await highestRss(job, 3_000);
  const rows = (await job.written()).length;
  process.kill(started.pid, 'SIGINT');
  await started.result;
  process.stdout.write(
    `back-pressure: ${early} MiB after the start, ${late} MiB ${seconds} s later, ${rows} rows written\n`,
  );
  expect(rows).toBeGreaterThan(1_000);
  // An unbounded buffer would take hundreds of MiB a second here.
  expect(late).toBeLessThan(early + 100);
});

/** Of the TaskManager, in MiB. */
async function highestRss(job: StreamJob, durationMs: number): Promise<number> {
  let highest = 0;
  for (const end = performance.now() + durationMs; performance.now() < end; await pause(100)) {
    const pid = (await job.processes())?.taskManagers[0]?.pid;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    highest = Math.max(highest, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
  }
  return Math.round(highest);
}
