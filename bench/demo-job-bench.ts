// The demo's job as whole processes: `jobrec run` from start to exit against a fresh node process that gives the same
// query to DuckDB with as many threads as the run has slots. Also says in which phase of the run the time went.
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Phases, phasesOf } from './job-phases.ts';
import { checkout, runNode } from './processes.ts';
import type { Section } from './section.ts';
import { measurePairs, ratios, spreadOf, spreadText } from './statistics.ts';

const slots = availableParallelism();

export async function demoJobBench(scratch: string, pairs: number): Promise<Section> {
  const phases: Phases[] = [];
  const measured = await measurePairs(
    pairs,
    () => runJob(scratch, phases),
    () => runDuckdb(scratch),
  );
  const medianOf = (values: readonly number[]) => spreadOf(values).median.toFixed(0);
  return {
    title: `demo job, whole processes, ${slots} slots; times of raw DuckDB with ${slots} threads`,
    lines: [
      `${spreadText(ratios(measured))}`,
      `  medians: jobrec ${medianOf(measured.map((pair) => pair.ours))} ms, DuckDB ${medianOf(measured.map((pair) => pair.other))} ms; ${pairs} pairs; aim: at most 6`,
      "where the run's time goes (medians):",
      ...Object.keys(phases[0] ?? {}).map(
        (phase) => `  ${medianOf(phases.map((each) => each[phase] ?? 0)).padStart(5)} ms  ${phase}`,
      ),
    ],
  };
}

async function runJob(scratch: string, phases: Phases[]): Promise<number> {
  const home = join(scratch, 'home');
  await rm(home, { recursive: true, force: true });
  const startedAtMs = Date.now();
  const { wallMs } = await runNode(['bin/run.js', 'run', 'examples/flights/job.yaml', '--home', home, '--json']);
  phases.push(await phasesOf(home, startedAtMs, Date.now()));
  return wallMs;
}

async function runDuckdb(scratch: string): Promise<number> {
  const raw = join(checkout, 'build/bench/raw-duckdb.js');
  return (await runNode([raw, String(slots), join(scratch, 'answer.parquet')])).wallMs;
}
