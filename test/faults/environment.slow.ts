// A machine that misbehaves while it runs a job: its clock jumps by hours, its disk is slow or fails a sync. Injected
// into the real processes, worker threads included, by a module that Node loads first (test/faults/preload).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { recordsOf } from '../chaos/store-watch.ts';
import { eventually, parseJson, startCli } from '../e2e/cli.ts';
import { createSalesJob, outputRows, type SalesJob } from '../e2e/sales-job.ts';
import { endJob, finishedTasks } from './job-at-work.ts';

const hourMs = 3_600_000;
let folder: string;
let job: SalesJob;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jobrec-environment-'));
});
afterEach(async () => {
  await endJob(job);
  rmSync(folder, { recursive: true, force: true });
});

function preload(module: string, env: Record<string, string>): Record<string, string> {
  const path = fileURLToPath(new URL(`./preload/${module}`, import.meta.url));
  return { ...env, NODE_OPTIONS: `--import=${path}` };
}

function start(env: Record<string, string>, ...options: string[]) {
  const given = options.flatMap((option) => ['-D', option]);
  const args = ['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1', ...given, '--json'];
  return startCli(args, { env });
}

async function expectRight(report: RunReport): Promise<void> {
  expect(report.state, JSON.stringify(report.failure)).toBe('FINISHED');
  expect(await outputRows(job)).toEqual(job.expected);
}

describe('a clock that jumps', () => {
  const clockFile = () => join(folder, 'clock');
  const clock = () => preload('skewed-clock.mjs', { JOBREC_TEST_CLOCK: clockFile() });
  const setClock = (hours: number) => writeFileSync(clockFile(), String(hours * hourMs));

  it.each([-7, 7])(
    'by %d hours while a job runs that restarts a task: nobody is held for lost, times never go back',
    async (hours) => {
      job = await createSalesJob({ pauseMs: 100 });
      await failOnce(job);
      setClock(0);
      const client = start(clock(), 'restart-strategy.fixed-delay.delay=2 s');
      await eventually('the failure', async () => ((await failures(job)) > 0 ? true : null));
      setClock(hours);
      const report = parseJson<RunReport>(await client.result);
      await expectRight(report);
      expect(report.recoveries).toEqual([]);
      const records = await recordsOf(join(report.store, '..'));
      expect(records.filter(({ event }) => event.type === 'worker-lost')).toEqual([]);
      const times = records.map(({ timeMicros }) => timeMicros ?? 0);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    },
  );

  it('back by hours between two runs: the one that has not ended is resumed all the same', async () => {
    job = await createSalesJob({ pauseMs: 100 });
    setClock(0);
    const first = parseJson<RunReport>(await start(clock()).result);
    setClock(-7);
    const second = start(clock());
    await eventually('a task of the second run', async () => ((await newestFinished(first.jobId)) >= 1 ? true : null));
    process.kill(second.pid, 'SIGTERM');
    const suspended = parseJson<RunReport>(await second.result);
    expect(suspended.state).toBe('SUSPENDED');
    const third = parseJson<RunReport>(await start(clock()).result);
    expect(third.jobId).toBe(suspended.jobId);
    await expectRight(third);
  });

  async function newestFinished(notJob: string): Promise<number> {
    const { readdir } = await import('node:fs/promises');
    const [name] = (await readdir(join(job.home, 'jobs'))).filter((id) => id !== notJob);
    if (name === undefined) return 0;
    const records = await recordsOf(join(job.home, 'jobs', name));
    return records.filter(({ event }) => event.type === 'execution-vertex-finished').length;
  }
});

describe('a slow disk', () => {
  it('whose syncs take longer than the heartbeat timeout makes nobody lost', async () => {
    job = await createSalesJob({ pauseMs: 0 });
    const slow = preload('faulty-disk.mjs', { JOBREC_TEST_SYNC_MS: '1200' });
    // A JobMaster's start takes a dozen syncs, and less than the 30 s after which a client takes it for hung.
    const result = await start(slow, 'heartbeat.interval=200 ms', 'heartbeat.timeout=1 s').result;
    const report = parseJson<RunReport>(result);
    await expectRight(report);
    const lost = (await recordsOf(join(report.store, '..'))).filter(({ event }) => event.type === 'worker-lost');
    expect({ lost, recoveries: report.recoveries }).toEqual({ lost: [], recoveries: [] });
  }, 120_000);
});

describe('a disk that fails a sync (EIO)', () => {
  it.each([4, 9, 14, 20])('the %dth of the JobMaster: suspended or refused with a word, then resumed', async (nth) => {
    job = await createSalesJob({ pauseMs: 30 });
    const result = await start(preload('faulty-disk.mjs', { JOBREC_TEST_EIO: String(nth) })).result;
    expect(result.code, result.stdout + result.stderr).toBe(7);
    expect(result.stdout).toMatch(/EIO: i\/o error/);
    const finished = await finishedTasks(job);
    const report = parseJson<RunReport>(await start({}).result);
    await expectRight(report);
    expect(report.recoveries.at(-1)?.kept ?? 0).toBe(finished);
  });
});

/** The first attempt of the map stage fails; that it has been there is kept in a file. */
async function failOnce(target: SalesJob): Promise<void> {
  const file = join(target.folder, 'slow.ts');
  const text = await readFile(file, 'utf8');
  const marker = JSON.stringify(join(target.folder, 'failed-once'));
  const fail = `import { existsSync, writeFileSync } from 'node:fs';\nfunction failFirst() { if (!existsSync(${marker})) { writeFileSync(${marker}, ''); throw new Error('once'); } }\n`;
  await writeFile(
    file,
    fail +
      text.replace(
        'await pause();\n  for await (const { region',
        'failFirst();\n  await pause();\n  for await (const { region',
      ),
  );
}

async function failures(target: SalesJob): Promise<number> {
  const { readdir } = await import('node:fs/promises');
  const [name] = await readdir(join(target.home, 'jobs')).catch(() => []);
  if (name === undefined) return 0;
  const records = await recordsOf(join(target.home, 'jobs', name));
  return records.filter(({ event }) => event.type === 'execution-failed').length;
}
