// What `shuffle: service` costs: the demo's job, and a job of 300 small tasks of which each hands over a small partition,
// whole processes, against the same job whose partitions stay with the workers. One process more is started, and each
// result is checked and linked once before its finish is recorded.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout, runNode } from './processes.ts';
import { writeJob } from './recording-bench.ts';
import type { Section } from './section.ts';
import { measurePairs, ratios, spreadOf, spreadText } from './statistics.ts';

const smallPairs = 5;

export async function shuffleBench(scratch: string, pairs: number): Promise<Section> {
  const demo = await compare(scratch, await writeDemo(scratch), pairs);
  const small = await compare(scratch, await writeSmall(scratch), Math.min(pairs, smallPairs));
  return {
    title: 'shuffle: service; times of the same job without',
    lines: [...demo.map((line) => `demo job: ${line}`), ...small.map((line) => `300 small tasks: ${line}`)],
  };
}

interface Variants {
  readonly service: string;
  readonly workers: string;
}

async function compare(scratch: string, { service, workers }: Variants, pairs: number): Promise<string[]> {
  const measured = await measurePairs(
    pairs,
    () => runJob(scratch, service),
    () => runJob(scratch, workers),
  );
  const medianOf = (values: readonly number[]) => spreadOf(values).median.toFixed(0);
  const medians = `with ${medianOf(measured.map((pair) => pair.ours))} ms, without ${medianOf(measured.map((pair) => pair.other))} ms`;
  return [`${spreadText(ratios(measured))}`, `medians: ${medians}; ${pairs} pairs`];
}

async function runJob(scratch: string, jobFile: string): Promise<number> {
  const home = join(scratch, 'home');
  for (const folder of [home, join(scratch, 'out')]) await rm(folder, { recursive: true, force: true });
  return (await runNode(['bin/run.js', 'run', jobFile, '--home', home, '--json'])).wallMs;
}

/** The example with absolute paths, so that the two variants can lie here. */
async function writeDemo(scratch: string): Promise<Variants> {
  const example = join(checkout, 'examples/flights');
  const text = (await readFile(join(example, 'job.yaml'), 'utf8'))
    .replaceAll('../../node_modules/', join(checkout, 'node_modules/'))
    .replaceAll(/(map: )\.\//g, `$1${example}/`);
  const variants = { service: join(scratch, 'demo-service.yaml'), workers: join(scratch, 'demo-workers.yaml') };
  await writeFile(variants.workers, text);
  await writeFile(variants.service, text.replace(/^name: .*$/m, '$&\nshuffle: service'));
  return variants;
}

async function writeSmall(scratch: string): Promise<Variants> {
  const workers = await writeJob(scratch);
  const service = join(scratch, 'small-service.json');
  await writeFile(service, JSON.stringify({ ...JSON.parse(await readFile(workers, 'utf8')), shuffle: 'service' }));
  return { service, workers };
}
