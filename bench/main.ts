// `npm run bench [-- [--pairs N] part…]`: the parts (store, demo-job, recording, recovery, shuffle, flink-read), each
// printed as it ends. All figures but recovery's are ratios inside interleaved pairs of this one run; bench/README.md
// keeps those that were recorded.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoJobBench } from './demo-job-bench.ts';
import { flinkReadBench } from './flink-read.ts';
import { recordingBench } from './recording-bench.ts';
import { recoveryBench } from './recovery-bench.ts';
import type { Section } from './section.ts';
import { shuffleBench } from './shuffle-bench.ts';
import { storeBench } from './store-bench.ts';

type Part = (scratch: string, pairs: number) => Promise<Section>;

const parts: Readonly<Record<string, Part>> = {
  store: storeBench,
  'demo-job': demoJobBench,
  recording: recordingBench,
  recovery: recoveryBench,
  shuffle: shuffleBench,
  'flink-read': flinkReadBench,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { pairs: { type: 'string' } } });
  const names = positionals.length === 0 ? Object.keys(parts) : positionals;
  const unknown = names.find((name) => parts[name] === undefined);
  if (unknown !== undefined) throw new Error(`no part ${unknown}; there are ${Object.keys(parts).join(', ')}`);
  console.log(`node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? '?'}), ${process.platform}`);
  for (const name of names) await runPart(name, Number(values.pairs ?? 7));
}

async function runPart(name: string, pairs: number): Promise<void> {
  const part = parts[name];
  if (part === undefined) return;
  const scratch = await mkdtemp(join(tmpdir(), 'jobrec-bench-'));
  try {
    await mkdir(scratch, { recursive: true });
    const { title, lines } = await part(scratch, pairs);
    console.log(`\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await main();
