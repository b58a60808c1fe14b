// What recording costs: a job of 300 small tasks with job recovery on and off, whole processes. The job does next to
// nothing with its rows, so that what is left is the work around tasks.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runNode } from './processes.ts';
import type { Section } from './section.ts';
import { measurePairs, ratios, spreadOf, spreadText } from './statistics.ts';

const tasksAStage = 100;
const rowsAFile = 200;

export async function recordingBench(scratch: string, pairs: number): Promise<Section> {
  const jobFile = await writeJob(scratch);
  const measured = await measurePairs(
    pairs,
    () => runJob(scratch, jobFile, true),
    () => runJob(scratch, jobFile, false),
  );
  const medianOf = (values: readonly number[]) => spreadOf(values).median.toFixed(0);
  return {
    title: `recording: a job of ${3 * tasksAStage} small tasks, job recovery on; times of the same with it off`,
    lines: [
      spreadText(ratios(measured), 3),
      `  medians: on ${medianOf(measured.map((pair) => pair.ours))} ms, off ${medianOf(measured.map((pair) => pair.other))} ms; ${pairs} pairs; aim: at most 1.05`,
    ],
  };
}

async function runJob(scratch: string, jobFile: string, isRecorded: boolean): Promise<number> {
  const home = join(scratch, 'home');
  await rm(home, { recursive: true, force: true });
  const setting = `execution.batch.job-recovery.enabled=${isRecorded}`;
  return (await runNode(['bin/run.js', 'run', jobFile, '--home', home, '--json', '-D', setting])).wallMs;
}

/** One task a file, then two hash exchanges of as many tasks. */
async function writeJob(scratch: string): Promise<string> {
  const data = join(scratch, 'data');
  await mkdir(data, { recursive: true });
  for (let file = 0; file < tasksAStage; file++) await writeFile(join(data, `${file}.csv`), csvOf(file));
  const exchange = (from: string, by: string) => ({ from, exchange: 'hash', by: [by] });
  const job = {
    name: 'small-tasks',
    sources: { rows: { path: 'data/*.csv' } },
    stages: {
      read: { inputs: { r: 'rows' }, sql: 'SELECT k, v FROM r' },
      byKey: {
        inputs: { r: exchange('read', 'k') },
        sql: 'SELECT k, k % 97 AS g, sum(v)::BIGINT AS v FROM r GROUP BY k',
        parallelism: tasksAStage,
      },
      byGroup: {
        inputs: { b: exchange('byKey', 'g') },
        sql: 'SELECT g, sum(v)::BIGINT AS v FROM b GROUP BY g',
        parallelism: tasksAStage,
      },
    },
    sinks: { out: { input: 'byGroup', path: 'out/', format: 'csv' } },
  };
  const jobFile = join(scratch, 'job.json');
  await writeFile(jobFile, JSON.stringify(job, null, 2));
  return jobFile;
}

function csvOf(file: number): string {
  const rows = Array.from({ length: rowsAFile }, (_, row) => `${(file * 7919 + row * 31) % 5000},${row}`);
  return ['k,v', ...rows].join('\n');
}
