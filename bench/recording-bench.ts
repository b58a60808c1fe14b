// What recording costs: a job of 300 small tasks with job recovery on and off, whole processes. A task reads a small
// file and writes a small partition, so that the work around tasks is as large a part of the time as it gets.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runNode } from './processes.ts';
import type { Section } from './section.ts';
import { measurePairs, ratios, spreadOf, spreadText } from './statistics.ts';

const tasks = 300;
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
    title: `recording: a job of ${tasks} small tasks, job recovery on; times of the same with it off`,
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

/** One task a file, and one that gathers: no work but reading a small file and writing a small partition. */
export async function writeJob(scratch: string): Promise<string> {
  const data = join(scratch, 'data');
  await mkdir(data, { recursive: true });
  for (let file = 0; file < tasks; file++) await writeFile(join(data, `${file}.csv`), csvOf(file));
  const job = {
    name: 'small-tasks',
    sources: { rows: { path: 'data/*.csv' } },
    stages: {
      read: { inputs: { r: 'rows' }, sql: 'SELECT k, v FROM r WHERE v % 2 = 0' },
      total: {
        inputs: { r: { from: 'read', exchange: 'gather' } },
        sql: 'SELECT count(*) AS n, sum(v)::BIGINT AS v FROM r',
      },
    },
    sinks: { out: { input: 'total', path: 'out/', format: 'csv' } },
  };
  const jobFile = join(scratch, 'job.json');
  await writeFile(jobFile, JSON.stringify(job, null, 2));
  return jobFile;
}

function csvOf(file: number): string {
  const rows = Array.from({ length: rowsAFile }, (_, row) => `${(file * 7919 + row * 31) % 5000},${row}`);
  return ['k,v', ...rows].join('\n');
}
