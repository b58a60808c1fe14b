// A store that lives long, under a real job: compact refuses it while it runs, retires its history after a crash, and the
// job goes on from the snapshot to the right answer, as diff had predicted.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replayLog } from '../../src/replay/replay-log.ts';
import type { CompactReport } from '../../src/services/compact-report.ts';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { InspectReport } from '../../src/services/inspect-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { eventually, kill, pause, readProcesses, runCli, runJson, startCli } from './cli.ts';
import { createSalesJob, outputRows } from './sales-job.ts';

async function finishedTasks(store: string): Promise<number> {
  const log = await openJobLog(store).catch(() => null);
  const { graph } = log === null ? { graph: null } : await replayLog(log);
  return [...(graph?.vertices.values() ?? [])].flatMap(({ tasks }) => tasks.filter(({ state }) => state === 'FINISHED'))
    .length;
}

it('is compacted between a crash and its resumption', { timeout: 60_000 }, async () => {
  const job = await createSalesJob({ pauseMs: 700 });
  try {
    const args = ['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1'];
    args.push('-D', 'job-event.store.snapshot.interval-size=1 kb');
    const run = startCli(args);
    const folder = await eventually('two finished tasks of the map', async () => {
      const [jobId = 'none'] = await readdir(join(job.home, 'jobs')).catch(() => []);
      const found = join(job.home, 'jobs', jobId);
      return (await finishedTasks(join(found, 'job-events'))) >= 3 ? found : null;
    });
    expect((await runCli(['compact', folder])).code, 'a live store').toBe(5);
    const processes = await readProcesses(folder);
    const pids = [run.pid, processes?.jobMaster.pid, ...(processes?.taskManagers.map(({ pid }) => pid) ?? [])];
    for (const pid of pids) if (pid !== undefined) kill(pid);
    await run.result;
    await pause(200);
    const { store } = await runJson<InspectReport>(['inspect', folder]);
    expect(store.snapshots.length, 'the JobMaster takes snapshots by itself').toBeGreaterThan(0);
    const predicted = await runJson<DiffReport>(['diff', folder]);
    const report = await runJson<CompactReport>(['compact', folder]);
    expect(report).toMatchObject({ applied: true, after: { events: 0, segments: 1 } });
    expect(await runJson<DiffReport>(['diff', folder])).toEqual(predicted);
    const resumed = await runJson<RunReport>(args);
    expect(resumed.state).toBe('FINISHED');
    expect(await outputRows(job)).toEqual(job.expected);
    const { kept, rerun } = predicted.summary;
    expect(resumed.recoveries.at(-1)).toMatchObject({ kept, rerun, cause: 'all-processes-lost' });
    const compacted = await runJson<CompactReport>(['compact', folder]);
    expect(compacted.snapshot?.sequence).toBeGreaterThan(report.snapshot?.sequence ?? 0);
    expect((await runCli(['validate', folder])).code).toBe(0);
  } finally {
    await rm(job.folder, { recursive: true, force: true });
  }
});
