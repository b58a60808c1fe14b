// Who leads, when several believe they do: two clients that start one job at once, and a JobMaster that was stopped
// inside its commit, replaced, and goes on after the job, and the job's next run, have ended. Seeded delays; rounds from
// JOBREC_SLOW_ROUNDS (5), first seed JOBREC_SLOW_SEED.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { processesOf, signal, untilGone } from '../chaos/job-processes.ts';
import { StoreWatch } from '../chaos/store-watch.ts';
import { eventually, parseJson, pause, startCli } from '../e2e/cli.ts';
import { createSalesJob, outputRows, type SalesJob } from '../e2e/sales-job.ts';
import { seeded } from '../replay/random.ts';
import { endJob } from './job-at-work.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 5);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);
const seeds = Array.from({ length: rounds }, (_, round) => firstSeed + round);

let job: SalesJob;
afterEach(() => endJob(job));

const start = (...options: string[]) =>
  startCli([
    ...['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1', '--json'],
    ...options.flatMap((option) => ['-D', option]),
  ]);

describe('two clients at once', () => {
  it.each(seeds)('seed %d: one runs the job, the other names it and exits 5', async (seed) => {
    const random = seeded(seed);
    job = await createSalesJob({ pauseMs: 60 });
    const clients = [start()];
    await pause(random.below(400));
    clients.push(start());
    const results = await Promise.all(clients.map(({ result }) => result));
    expect(results.map(({ code }) => code).sort()).toEqual([0, 5]);
    const winner = clients[results.findIndex(({ code }) => code === 0)];
    const refused = results.find(({ code }) => code === 5);
    const { error } = JSON.parse(refused?.stdout ?? '{}');
    expect(error).toMatchObject({ code: 'JOB_HELD', data: { name: 'sales', pid: winner?.pid } });
    expect(error.message).toContain(`process ${winner?.pid}`);
    expect(await readdir(join(job.home, 'jobs'))).toHaveLength(1);
    expect(await outputRows(job)).toEqual(job.expected);
  });
});

describe('a JobMaster stopped inside its commit and replaced', () => {
  it.each(seeds)('seed %d: goes on after the next run has ended, and changes nothing', async (seed) => {
    const random = seeded(seed);
    job = await createSalesJob({ pauseMs: 20 });
    const client = start('heartbeat.interval=200 ms', 'heartbeat.timeout=2 s');
    const watch = new StoreWatch(job.home, true);
    await eventually('the commit', async () => {
      const records = await watch.look();
      return records.some(({ event }) => event.type === 'commit-started') ? true : null;
    });
    await pause(random.below(6));
    const masters = (await processesOf(job.folder)).filter(({ role }) => role === 'job-master');
    for (const { pid } of masters) signal(pid, 'SIGSTOP');
    const first = parseJson<RunReport>(await client.result);
    expect(first.state).toBe('FINISHED');
    const second = parseJson<RunReport>(await start().result);
    expect(second.state).toBe('FINISHED');
    const before = await contentOf(job);
    for (const { pid } of masters) signal(pid, 'SIGCONT');
    await untilGone(masters.map(({ pid }) => pid));
    expect(await contentOf(job)).toEqual(before);
    expect(await outputRows(job)).toEqual(job.expected);
    expect(await processesOf(job.folder)).toEqual([]);
    for (const folder of await watch.jobFolders()) {
      expect(await readdir(folder)).not.toEqual(expect.arrayContaining(['processes.json']));
      expect(await readdir(folder)).not.toEqual(expect.arrayContaining(['master.json']));
    }
  });
});

async function contentOf(target: SalesJob): Promise<Record<string, string>> {
  const names = (await readdir(target.output)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(target.output, name), 'hex')])),
  );
}
