// What must hold when a chaos run has ended, whatever was done to it: the sinks hold DuckDB's answer and nothing else,
// no event that was read before a kill is lost, every prediction that could be compared came true, the stores are
// sound, no process and no working file is left.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunReport } from '../../src/services/run-report.ts';
import type { ValidateReport } from '../../src/services/validate-report.ts';
import { parseJson, pause, runCli } from '../e2e/cli.ts';
import { type ChaosJob, sinkFolder, sinkRows } from './chaos-job.ts';
import type { ChaosOutcome, ChaosRun } from './chaos-run.ts';
import { processesOf } from './job-processes.ts';
import type { ShapedSink } from './job-shape.ts';
import { compareWithRecovery } from './prediction.ts';
import { recordsOf } from './store-watch.ts';

/** What stays of an ended job. */
const lastingEntries = new Set(['job-events', 'epochs', 'logs', 'plan.json', 'master-failure.json']);
const endTimeoutMs = 15_000;

type Checked = Pick<ChaosOutcome, 'predictions' | 'recoveries'>;

/** Throws for the first thing that does not hold. */
export async function checkEnd(run: ChaosRun, report: RunReport): Promise<Checked> {
  if (report.state !== 'FINISHED') throw new Error(`the job ended ${report.state}: ${JSON.stringify(report.failure)}`);
  await checkNobodyLeft(run);
  const folders = await run.watch.jobFolders();
  for (const sink of run.job.shape.sinks) await checkSink(run.job, sink, folders.length);
  await run.watch.proveNothingLost(run.plan.kind === 'compact');
  for (const folder of folders) await checkJobFolder(folder);
  await checkHome(run);
  const recoveries = await countRecoveries(folders);
  return { predictions: await comparePredictions(run), recoveries };
}

async function checkNobodyLeft(run: ChaosRun): Promise<void> {
  const deadlineMs = performance.now() + endTimeoutMs;
  for (;;) {
    const left = await processesOf(run.job.folder);
    if (left.length === 0) return;
    if (performance.now() > deadlineMs) throw new Error(`processes are left: ${JSON.stringify(left)}`);
    await pause(20);
  }
}

/** The rows of DuckDB's query and the files that the marker names, no others; `runs`: how often the job ran. */
export async function checkSink(job: ChaosJob, sink: ShapedSink, runs: number): Promise<void> {
  const folder = sinkFolder(job, sink);
  const marker = JSON.parse(await readFile(join(folder, '_SUCCESS'), 'utf8')) as { files: string[] };
  const expectedNames = [...marker.files, '_SUCCESS'].sort();
  const names = (await readdir(folder)).sort();
  if (names.join() !== expectedNames.join()) {
    throw new Error(`${folder} holds ${names.join(', ')}, and the marker names ${expectedNames.join(', ')}`);
  }
  const once = job.expected.get(sink.name) ?? [];
  // A client that came after the job's end ran it once more, and an appending sink then has both.
  const expected = sink.mode === 'append' ? once.flatMap((row) => Array<string>(runs).fill(row)) : once;
  compareRows(sink, expected, await sinkRows(job, sink));
}

function compareRows(sink: ShapedSink, expected: readonly string[], actual: readonly string[]): void {
  const at = expected.findIndex((row, index) => row !== actual[index]);
  if (at < 0 && expected.length === actual.length) return;
  const where = at < 0 ? expected.length : at;
  throw new Error(
    `sink ${sink.name} holds ${actual.length} rows, DuckDB's query gives ${expected.length}; first difference: ${actual[where]} instead of ${expected[where]}`,
  );
}

async function checkJobFolder(folder: string): Promise<void> {
  const stray = (await readdir(folder)).filter((name) => !lastingEntries.has(name));
  if (stray.length > 0) throw new Error(`${folder} still holds ${stray.join(', ')} after the end`);
  const result = await runCli(['validate', join(folder, 'job-events'), '--json']);
  const report = parseJson<ValidateReport>(result);
  if (result.code !== 0 || !report.ok)
    throw new Error(`validate is not content (exit ${result.code}): ${result.stdout}`);
}

async function checkHome(run: ChaosRun): Promise<void> {
  const stray = (await readdir(run.job.home)).filter((name) => !['jobs', 'locks'].includes(name));
  if (stray.length > 0) throw new Error(`${run.job.home} holds ${stray.join(', ')} after the end`);
}

/** Of all job ids: a client that came after the end has begun another. */
async function countRecoveries(folders: readonly string[]): Promise<number> {
  let count = 0;
  for (const folder of folders) {
    count += (await recordsOf(folder)).filter(({ event }) => event.type === 'recovery-completed').length;
  }
  return count;
}

async function comparePredictions(run: ChaosRun): Promise<ChaosOutcome['predictions']> {
  const total = { compared: 0, open: 0, kept: 0, rerun: 0 };
  for (const prediction of run.predictions) {
    const comparison = prediction.comparison ?? compareWithRecovery(prediction, await recordsOf(prediction.jobFolder));
    run.note(`prediction at ${prediction.sequence}: ${JSON.stringify(comparison)}`);
    if (comparison.kind === 'open') {
      total.open += 1;
      continue;
    }
    total.compared += 1;
    total.kept += comparison.kept;
    total.rerun += comparison.rerun;
  }
  return total;
}
