// Partitions are given up once nobody needs them (recorded first, deleted after), and producers run again when one that
// is needed is lost: disk use over a long chain, a crash between record and deletion, and damage under a running job.
import { copyFile, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, parseJson, runCli, runJson, type StartedCli, startCli } from './cli.ts';
import {
  answerOf,
  expectedAnswer,
  type GatedJob,
  gatedJob,
  hasBegun,
  killAll,
  onlyJobFolder,
  openAll,
  openGate,
  runArgs,
  runsOf,
} from './gated-job.ts';
import { partitionFiles } from './lose-partition.ts';

// Real processes, on machines that may be busy: a second or two each, when they are not.
vi.setConfig({ testTimeout: 120_000 });

interface EventOf {
  readonly partitions: readonly { readonly datasetId: string; readonly partitionIndex: number }[];
}

async function releases(folder: string): Promise<string[]> {
  const { stdout } = await runCli(['inspect', folder, '--events', '--type', 'partitions-released', '--json']);
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventOf);
  return events.flatMap(({ partitions }) =>
    partitions.map(({ datasetId, partitionIndex }) => `${datasetId}#${partitionIndex}`),
  );
}

async function bytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const dataSets = (files: readonly string[]): Set<string> => new Set(files.map((file) => basename(dirname(file))));

describe('disk use', () => {
  it('of a chain of ten stages is that of two of them, not of all', async () => {
    const stages = 10;
    const job = await gatedJob({ stages, rows: 400, padding: 2_000 });
    const run = startCli(runArgs(job));
    const stageBytes: number[] = [];
    let peakBytes = 0;
    for (let stage = 1; stage < stages; stage += 1) {
      await openGate(job, `s${stage}`);
      await eventually(`s${stage + 1} waits`, async () => ((await hasBegun(job, `s${stage + 1}-0`)) ? true : null));
      const folder = await onlyJobFolder(job);
      peakBytes = Math.max(peakBytes, await bytesOf(await partitionFiles(folder)));
      // The release of the stage before is recorded, acknowledged, and then carried out.
      const files = await eventually(`only the partitions of s${stage}`, async () => {
        const found = await partitionFiles(folder);
        return dataSets(found).size === 1 && found.length === 2 ? found : null;
      });
      stageBytes.push(await bytesOf(files));
    }
    await openAll(job);
    const report = parseJson<RunReport>(await run.result);
    expect(report.state).toBe('FINISHED');
    expect(await answerOf(job)).toEqual(expectedAnswer(job));
    expect(peakBytes).toBeGreaterThan(0);
    expect(peakBytes).toBeLessThanOrEqual(2 * Math.max(...stageBytes));
    expect(peakBytes).toBeLessThan(stageBytes.reduce((sum, bytes) => sum + bytes, 0) / 3);
    expect(new Set(await releases(report.store)).size).toBe(2 * (stages - 1));
  });
});

/** Whether no other partition of its data set is there. */
const isAlone = (file: string, files: readonly string[]): boolean =>
  files.filter((other) => dirname(other) === dirname(file)).length === 1;

/** Starts a chain of three stages and stops where `s3` waits: `s1`'s partitions are given up, `s2`'s are needed. */
async function untilThirdStage(job: GatedJob, slots = 2): Promise<{ run: StartedCli; folder: string }> {
  const run = startCli(runArgs(job, {}, { slots }));
  await openGate(job, 's1');
  await openGate(job, 's2');
  await eventually('s3 waits', async () => ((await hasBegun(job, 's3-0')) ? true : null));
  const folder = await onlyJobFolder(job);
  await eventually('the first stage is given up', async () =>
    dataSets(await partitionFiles(folder)).size === 1 ? true : null,
  );
  return { run, folder };
}

describe('a recorded release', () => {
  it('whose deletion a crash prevented is carried out by the next JobMaster, and nothing runs again for it', async () => {
    const job = await gatedJob({ stages: 3 });
    const aside = join(job.folder, 'aside');
    await mkdir(aside);
    const run = startCli(runArgs(job));
    await openGate(job, 's1');
    await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
    const folder = await onlyJobFolder(job);
    const kept = await eventually('the partitions of s1', async () => {
      const files = await partitionFiles(folder);
      return files.length === 2 ? files : null;
    });
    const withSidecars = kept.flatMap((file) => [file, file.replace(/\.parquet$/, '.json')]);
    for (const file of withSidecars) await copyFile(file, join(aside, basename(file)));
    await openGate(job, 's2');
    await eventually('s3 waits', async () => ((await hasBegun(job, 's3-0')) ? true : null));
    await eventually('the release', async () => ((await releases(folder)).length === 2 ? true : null));
    await killAll(folder);
    await run.result;
    // As if the machine had died between the record and the deletion.
    for (const file of withSidecars) await copyFile(join(aside, basename(file)), file);
    const diff = await runJson<DiffReport>(['diff', folder]);
    expect(diff.summary).toMatchObject({ finished: 4, rerun: 0, kept: 4 });
    expect(diff.partitions.released).toHaveLength(2);
    const resumed = startCli(runArgs(job));
    await eventually('the deletion', async () =>
      (await partitionFiles(folder)).some((file) => kept.includes(file)) ? null : true,
    );
    await openAll(job);
    const report = parseJson<RunReport>(await resumed.result);
    expect(report).toMatchObject({ state: 'FINISHED', recoveries: [{ kept: 4, rerun: 0 }] });
    expect(await answerOf(job)).toEqual(expectedAnswer(job));
    expect(await runsOf(job)).toMatchObject({ 's1-0': 1, 's1-1': 1, 's2-0': 1, 's2-1': 1 });
  });

  it('makes what it gave up run again when a consumer must, as diff says', async () => {
    const job = await gatedJob({ stages: 3 });
    const { run, folder } = await untilThirdStage(job);
    await killAll(folder);
    await run.result;
    const [victim = ''] = await partitionFiles(folder);
    await rm(victim);
    const diff = await runJson<DiffReport>(['diff', folder]);
    const codes = diff.rerun
      .map(({ vertexName, reasons }) => `${vertexName} ${reasons.map(({ code }) => code).join()}`)
      .sort();
    expect(codes).toEqual([
      's1 partition-released',
      's1 partition-released',
      's2 downstream-of-rerun',
      's2 partition-missing',
    ]);
    await openAll(job);
    const report = parseJson<RunReport>(await runCli(runArgs(job)));
    const { kept, rerun } = diff.summary;
    expect(report).toMatchObject({
      state: 'FINISHED',
      recoveries: [{ kept, rerun, predicted: { kept, rerun }, differences: [] }],
    });
    expect(report.recoveries[0]?.reasons).toEqual([
      { code: 'partition-released', tasks: 2 },
      { code: 'partition-missing', tasks: 1 },
      { code: 'downstream-of-rerun', tasks: 1 },
    ]);
    const why = '(2 partition-released, 1 partition-missing, 1 downstream-of-rerun)';
    expect((await runCli(['inspect', report.store, '--events', '--type', 'recovery-completed'])).stdout).toContain(why);
    expect((await runJson<{ recoveries: unknown }>(['inspect', report.store])).recoveries).toEqual(report.recoveries);
    expect((await runJson<{ recoveries: unknown }>(['replay', report.store])).recoveries).toEqual(report.recoveries);
    expect(await answerOf(job)).toEqual(expectedAnswer(job));
  });
});

describe('a partition that is lost while its consumer is about to run', () => {
  const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
    deleted: (file) => rm(file),
    truncated: async (file) => truncate(file, (await stat(file)).size - 1),
    'flipped by one bit': async (file) => {
      const bytes = await readFile(file);
      const at = Math.floor(bytes.length / 2);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      await writeFile(file, bytes);
    },
    'without its sidecar': (file) => rm(file.replace(/\.parquet$/, '.json')),
  };

  it.each(Object.keys(damages))(
    '(%s) makes its producer run again, with what had been given up above it',
    async (damage) => {
      const job = await gatedJob({ stages: 3 });
      const run = startCli(runArgs(job, {}, { slots: 1 }));
      await openGate(job, 's1');
      await openGate(job, 's2-0');
      // One slot: `s2#0` has finished, `s2#1` waits, and `s3` cannot have begun.
      await eventually('s2#1 waits', async () => ((await hasBegun(job, 's2-1')) ? true : null));
      const folder = await onlyJobFolder(job);
      const victim = await eventually('the partition of s2#0', async () => {
        const files = await partitionFiles(folder);
        return files.length === 3 ? (files.find((file) => isAlone(file, files)) ?? null) : null;
      });
      await damages[damage]?.(victim);
      await openAll(job);
      const report = parseJson<RunReport>(await run.result);
      expect(report.state).toBe('FINISHED');
      expect(await answerOf(job)).toEqual(expectedAnswer(job));
      // All of s1 was given up when s2#1 had finished, so it runs again, and with it all its consumers.
      expect(await runsOf(job)).toMatchObject({ 's1-0': 2, 's1-1': 2, 's2-0': 2, 's2-1': 2 });
      const failures = await runCli(['inspect', report.store, '--events', '--type', 'execution-failed', '--json']);
      expect(failures.stdout).toMatch(/"counted":false/);
      expect(failures.stdout).not.toMatch(/"counted":true/);
    },
  );

  it('to only one of its consumers is produced again for that one, and rows of two attempts do not mix', async () => {
    const job = await gatedJob({ stages: 3 });
    const { run, folder } = await untilThirdStage(job, 1);
    // s3#0 has read both partitions of s2 and waits; s3#1 will find one gone.
    const [victim = ''] = await partitionFiles(folder);
    await rm(victim);
    await openAll(job);
    const report = parseJson<RunReport>(await run.result);
    expect(report.state).toBe('FINISHED');
    expect(await answerOf(job)).toEqual(expectedAnswer(job));
  });
});
