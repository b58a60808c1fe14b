// Where the submitted job is found by itself: in a cluster's high-availability folder, from any level of it and among other
// jobs, and beside a store that somebody put away as evidence.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { diffStore } from '../../src/services/diff.ts';
import { inspectStore } from '../../src/services/inspect.ts';
import { allFailovers, capturesFolder, inStore, truthOf } from '../support/flink-capture.ts';
import { layOut } from '../support/flink-ha-folder.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobrec-layout-'));
  folders.push(folder);
  return folder;
}

const unpredictable = new Set(['2.3.0/x01-late-report-race', '1.20.3/s00-happy']);
const failovers = allFailovers().filter(({ name, suffix }) => suffix === '' && !unpredictable.has(name));

async function ask(location: string, workers: readonly string[] = []) {
  return diffStore({
    location,
    topology: [],
    until: null,
    survivors: { kind: 'workers', workers },
    flinkRest: null,
    sourcesWithoutSnapshot: [],
    flinkOnlyFlags: [],
  });
}

describe("a cluster's high-availability folder", () => {
  it.each(failovers)('tells the job of $name', async (failover) => {
    const truth = truthOf(failover);
    for (const submittedIn of ['cluster', 'root'] as const) {
      const { root } = layOut(temporary(), failover.folder, { jobId: truth.jobId, submittedIn });
      const report = await ask(root, truth.survivingTaskManagers);
      expect(report.basis.topology).toBe('job-graph');
      expect(report.job.jobId).toBe(truth.jobId);
      expect(report.rerun.map(({ vertexId, subtask }) => `${vertexId}#${subtask}`).sort()).toEqual(
        inStore(truth.reruns),
      );
      expect([...report.rerun, ...report.kept].every(({ vertexName }) => vertexName !== null)).toBe(true);
    }
  });

  it('is the same from each of its levels', async () => {
    const capture = join(capturesFolder, '2.3.0/s07f-single-m1-lost');
    const { jobId } = truthOf({ name: '', folder: capture, suffix: '' });
    const { root, cluster, store } = layOut(temporary(), capture, { jobId });
    const reports = await Promise.all([root, cluster, join(cluster, jobId), store].map((each) => ask(each)));
    for (const report of reports) expect(report).toEqual(reports[0]);
    expect(reports[0]?.basis.topology).toBe('job-graph');
  });

  it('may hold several jobs of one program', async () => {
    const root = temporary();
    const captures = ['1.20.3/s01-jm-only-mid', '1.20.3/s02-tm-lost-needed'].map((name) => join(capturesFolder, name));
    const laidOut = captures.map((capture) =>
      layOut(root, capture, { jobId: truthOf({ name: '', folder: capture, suffix: '' }).jobId }),
    );
    for (const { store, jobId } of laidOut) {
      const report = await ask(store);
      expect([report.basis.topology, report.job.jobId]).toEqual(['job-graph', jobId]);
    }
    await expect(ask(root)).rejects.toMatchObject({ code: 'AMBIGUOUS_STORE' });
  });
});

describe('a store put away as evidence', () => {
  it.each(failovers)('finds the job beside it: $name', async ({ folder, name }) => {
    const isOne = !readdirSync(folder).includes('store-1');
    if (isOne) expect((await ask(folder)).basis.topology, name).toBe('job-graph');
    // Of the store alone nobody said that something else belongs to it.
    expect((await ask(join(folder, 'store'))).basis.topology, name).toMatch(/^(derived-ids|inferred)$/);
  });

  it('tells runs of one program by their data sets', async () => {
    const root = temporary();
    const [own, other] = ['1.20.3/s01-jm-only-mid', '1.20.3/s02-tm-lost-needed'].map((name) =>
      join(capturesFolder, name),
    );
    cpSync(join(own ?? '', 'store'), join(root, 'store'), { recursive: true });
    mkdirSync(join(root, 'ha-files'));
    for (const capture of [own ?? '', other ?? ''])
      cpSync(join(capture, 'ha-files'), join(root, 'ha-files'), { recursive: true });
    const { jobId } = truthOf({ name: '', folder: own ?? '', suffix: '' });
    expect((await inspectStore({ location: root, topology: [] })).job.jobId).toBe(jobId);
  });
});
