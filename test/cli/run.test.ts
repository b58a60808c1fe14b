// run, jobs and cancel from outside: what they print and how they exit, with and without --json. What the engine does
// inside is tested in test/e2e.
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, jsonOf, runCli, spawnCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/sample-store.ts';

interface JobOptions {
  /** Makes each row take this long, so that there is time to interrupt. */
  readonly rowMs?: number;
  /** The stage's SQL; by default it ends well. */
  readonly sql?: string;
}

/** A folder with a small job: one source of 40 rows, one SQL stage, one sink, and a map stage where rows take time. */
function jobFolder({ rowMs = 0, sql = 'SELECT k, count(*) AS n FROM r GROUP BY k' }: JobOptions = {}): string {
  const folder = temporaryFolder();
  const rows = Array.from({ length: 40 }, (_, index) => `${'abcd'[index % 4]},${index}`);
  writeFileSync(join(folder, 'rows.csv'), ['k,v', ...rows, ''].join('\n'));
  const sleep = `await new Promise((resolve) => setTimeout(resolve, ${rowMs}));`;
  writeFileSync(
    join(folder, 'slow.ts'),
    `export async function* slow(rows) { for await (const row of rows) { ${sleep} yield row; } }\n`,
  );
  const job = {
    name: 'small',
    sources: { rows: { path: 'rows.csv' } },
    stages: {
      slow: { inputs: { r: 'rows' }, map: './slow.ts#slow', columns: { k: 'VARCHAR', v: 'BIGINT' } },
      totals: { inputs: { r: 'slow' }, sql },
    },
    sinks: { out: { input: 'totals', path: 'out/', format: 'csv' } },
  };
  writeFileSync(join(folder, 'job.json'), JSON.stringify(job));
  return folder;
}

const flags = ['--workers', '1', '--slots', '1'];

/** Starts a run that takes its time, and waits until a task of it is at work. */
async function startSlowRun(folder: string, more: readonly string[] = []) {
  const child = spawnCli(['run', 'job.json', ...flags, ...more], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code, signal]): CliResult => ({ code, signal, stdout, stderr }));
  await eventually(async () => {
    const { code, stdout: events } = await runCli(['inspect', '.', '--type', 'execution-deployed', '--json'], {
      cwd: folder,
    });
    return code === 0 && events !== '';
  });
  return { child, ended };
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) if (await condition()) return;
  throw new Error('this did not come about within 20 s');
}

describe('run', () => {
  it('0: finishes, and says where everything is', async () => {
    const folder = jobFolder();
    const result = await runCli(['run', 'job.json', ...flags, '--json'], { cwd: folder });
    expect(result.code).toBe(0);
    const report = jsonOf(result);
    expect(report).toMatchObject({
      schemaVersion: 1,
      jobId: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'small',
      state: 'FINISHED',
      store: expect.stringMatching(/\/\.jobrec\/jobs\/[^/]+\/job-events$/),
      durationMs: expect.any(Number),
      sinks: [{ name: 'out', path: join(folder, 'out'), rows: 4 }],
      recoveries: [],
    });
    expect(report).not.toHaveProperty('failure');
    expect(existsSync(join(folder, 'out', '_SUCCESS'))).toBe(true);
    const jobs = jsonOf(await runCli(['jobs', '--json'], { cwd: folder }));
    expect(jobs).toMatchObject({ jobs: [{ name: 'small', state: 'FINISHED', store: report.store, live: false }] });
  });

  it('0: shows the report on stdout and its progress, plain, on stderr', async () => {
    const result = await runCli(['run', 'job.json', ...flags], { cwd: jobFolder() });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^job {4}small {2}FINISHED after /);
    expect(result.stderr).toMatch(/^RUNNING$/m);
    expect(result.stderr).toMatch(/^finished slow \(1\/1\)$/m);
    expect(result.stdout + result.stderr).not.toContain('\u001b');
  });

  it('0: --dry-run shows the plan and starts nothing', async () => {
    const folder = jobFolder();
    const json = await runCli(['run', 'job.json', '--dry-run', '--json'], { cwd: folder });
    expect([json.code, json.stderr]).toEqual([0, '']);
    expect(jsonOf(json)).toMatchObject({
      schemaVersion: 1,
      vertices: expect.arrayContaining([expect.objectContaining({ vertexName: 'totals', stages: ['totals'] })]),
      edges: expect.arrayContaining([
        expect.objectContaining({ from: 'slow', to: 'totals', exchange: 'hash', by: ['k'] }),
      ]),
    });
    expect((await runCli(['run', 'job.json', '--dry-run'], { cwd: folder })).stdout).toContain('hash by k');
    expect(existsSync(join(folder, '.jobrec'))).toBe(false);
  });

  it.each([[], ['--dry-run']])('2: refuses a sink whose path is a file, before anything starts %s', async (...more) => {
    const folder = jobFolder();
    writeFileSync(join(folder, 'out'), '');
    const result = await runCli(['run', 'job.json', ...flags, ...more, '--json'], { cwd: folder });
    expect([result.code, jsonOf(result)]).toMatchObject([
      2,
      { error: { code: 'JOB_FILE_INVALID', data: { line: 1, sink: 'out', path: join(folder, 'out') } } },
    ]);
    expect(existsSync(join(folder, '.jobrec'))).toBe(false);
  });

  it('reads the job file from stdin', async () => {
    const folder = jobFolder();
    const job = {
      name: 'piped',
      sources: { rows: { path: 'rows.csv' } },
      stages: { all: { inputs: { r: 'rows' }, sql: 'SELECT * FROM r' } },
      sinks: { out: { input: 'all', path: 'out/', format: 'csv' } },
    };
    const result = await runCli(['run', '-', ...flags, '--json'], { cwd: folder, input: JSON.stringify(job) });
    expect([result.code, jsonOf(result)]).toMatchObject([0, { name: 'piped', state: 'FINISHED' }]);
  });

  it.each([[], ['--json']])('7: a job that fails says why %s', async (...more) => {
    const folder = jobFolder({ sql: 'SELECT CAST(k AS INTEGER) AS k FROM r' });
    const result = await runCli(['run', 'job.json', ...flags, '-D', 'restart-strategy.type=none', ...more], {
      cwd: folder,
    });
    expect(result.code).toBe(7);
    if (more.length === 0) expect(result.stdout).toMatch(/^why {4}.*convert/im);
    else
      expect(jsonOf(result)).toMatchObject({
        state: 'FAILED',
        failure: { code: 'JOB_FAILED', message: expect.stringMatching(/convert/i) },
      });
  });

  it.each([
    ['a missing job file', ['none.yaml'], 'JOB_FILE_UNREADABLE'],
    ['an unknown key', ['odd.json'], 'JOB_FILE_INVALID'],
    ['a job that is not known', null, 'JOB_UNKNOWN'],
  ] as const)('2: %s', async (_, run, code) => {
    const folder = jobFolder();
    writeFileSync(join(folder, 'odd.json'), '{"name":"odd","stagse":{}}');
    const args = run === null ? ['cancel', 'nobody'] : ['run', ...run];
    const plain = await runCli(args, { cwd: folder });
    const json = await runCli([...args, '--json'], { cwd: folder });
    expect([plain.code, plain.stdout, json.code, json.stderr]).toEqual([2, '', 2, '']);
    expect(plain.stderr).toMatch(/^jobrec: [^\n]+\n$/);
    expect(jsonOf(json)).toMatchObject({ error: { code } });
  });
});

describe('a run that is interrupted', () => {
  it.each([
    ['SIGINT', 130, 'INTERRUPTED', []],
    ['SIGINT', 130, 'INTERRUPTED', ['--json']],
    ['SIGTERM', 143, 'TERMINATED', ['--json']],
    ['SIGHUP', 129, 'INTERRUPTED_HANGUP', ['--json']],
  ] as const)(
    'by %s exits %d, keeps its state and prints what resumes it (%s %s)',
    async (signal, exit, code, more) => {
      const folder = jobFolder({ rowMs: 300 });
      const { child, ended } = await startSlowRun(folder, more);
      child.kill(signal);
      const result = await ended;
      expect(result.code).toBe(exit);
      const resume = /jobrec run job\.json --home \S+ --workers 1 --slots 1/;
      if (more.length === 0) expect(result.stdout).toMatch(resume);
      else
        expect(jsonOf(result)).toMatchObject({
          state: 'SUSPENDED',
          failure: { code, hint: expect.stringMatching(resume) },
        });
      const jobs = jsonOf(await runCli(['jobs', '--json'], { cwd: folder }));
      expect(jobs).toMatchObject({ jobs: [{ state: 'SUSPENDED', live: false }] });
      const canceled = await runCli(['cancel', 'small', '--json'], { cwd: folder });
      expect([canceled.code, jsonOf(canceled)]).toMatchObject([0, { state: 'CANCELED' }]);
    },
  );
});

describe('a live job', () => {
  it('5: is held by its client; 7: its run ends when it is canceled', async () => {
    const folder = jobFolder({ rowMs: 300 });
    const { ended } = await startSlowRun(folder, ['--json']);
    const second = await runCli(['run', 'job.json', ...flags], { cwd: folder });
    expect(second).toMatchObject({ code: 5, stdout: '' });
    expect(second.stderr).toMatch(/jobrec: [^\n]+\n$/);
    const json = await runCli(['run', 'job.json', ...flags, '--json'], { cwd: folder });
    expect([json.code, jsonOf(json)]).toMatchObject([5, { error: { code: 'JOB_HELD' } }]);
    for (const command of ['inspect', 'replay', 'diff']) {
      expect((await runCli([command, folder, '--json'])).code).toBe(0);
    }
    const canceled = await runCli(['cancel', 'small'], { cwd: folder });
    expect([canceled.code, canceled.stdout]).toEqual([0, expect.stringMatching(/^job {4}[0-9a-f]{32} {2}CANCELED\n$/)]);
    const result = await ended;
    expect([result.code, jsonOf(result)]).toMatchObject([7, { state: 'CANCELED', failure: { code: 'JOB_CANCELED' } }]);
  });
});

describe('the home folder', () => {
  it('is --home, else JOBREC_HOME, else .jobrec here', async () => {
    const folder = jobFolder();
    mkdirSync(join(folder, 'other'));
    const env = { JOBREC_HOME: join(folder, 'by-env') };
    await runCli(['run', 'job.json', ...flags], { cwd: folder, env });
    expect(existsSync(join(folder, 'by-env', 'jobs'))).toBe(true);
    const count = async (args: readonly string[], options: { env?: Record<string, string> }) =>
      (jsonOf(await runCli(['jobs', '--json', ...args], { cwd: folder, ...options })).jobs as unknown[]).length;
    expect(await count([], { env })).toBe(1);
    expect(await count(['--home', 'by-env'], {})).toBe(1);
    expect(await count(['--home', 'other'], { env })).toBe(0);
    expect(await count([], {})).toBe(0);
  });
});
