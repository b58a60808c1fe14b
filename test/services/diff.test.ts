// diff: each way to name the survivors, the assumptions it says, and that it answers what the recovery function does.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DiffOptions, diffStore } from '../../src/services/diff.ts';
import type { SurvivorChoice } from '../../src/services/survivor-choice.ts';
import { validateStore } from '../../src/services/validate.ts';
import { datasetId, finished } from '../replay/job-builder.ts';
import { sampleEvents, temporaryFolder, writeSampleStore, writeStore } from '../support/sample-store.ts';

const hashed = datasetId('scan', 'hash');

describe('diff', () => {
  let store = '';
  beforeAll(async () => {
    store = await writeSampleStore();
  });

  const diff = (survivors: SurvivorChoice, more: Partial<DiffOptions> = {}) =>
    diffStore({
      location: store,
      topology: [],
      until: null,
      flinkRest: null,
      sourcesWithoutSnapshot: [],
      flinkOnlyFlags: [],
      survivors,
      ...more,
    });

  const tasks = (list: readonly { vertexName: string | null; subtask: number }[]) =>
    list.map((task) => `${task.vertexName}#${task.subtask}`);

  const report = (workers: unknown): SurvivorChoice => {
    const file = join(temporaryFolder(), 'report.json');
    writeFileSync(file, JSON.stringify({ workers }));
    return { kind: 'report', file };
  };

  it('takes all for there where nothing else is known', async () => {
    const result = await diff({ kind: 'default' });
    expect(result).toMatchObject({ verdict: 'recoverable', basis: { survivors: 'assumed-all', topology: 'recorded' } });
    expect(result.basis.assumptions).toHaveLength(1);
    expect([tasks(result.kept), tasks(result.rerun), tasks(result.pending)]).toEqual([
      ['scan#0', 'scan#1', 'totals#0'],
      [],
      ['totals#1'],
    ]);
  });

  it('by lost workers and by workers that are back: the same, seen from both sides', async () => {
    const lost = await diff({ kind: 'lost-workers', workers: ['w1'] });
    const back = await diff({ kind: 'workers', workers: ['w2'] });
    expect(tasks(lost.rerun)).toEqual(['scan#0', 'totals#0']);
    expect({ ...back, basis: null }).toEqual({ ...lost, basis: null });
    expect([lost.basis.survivors, back.basis.survivors]).toEqual(['lost-workers', 'workers']);
  });

  it('by a report: exactly what it lists, by attempt', async () => {
    const all = [`${hashed}#0`, `${hashed}#1@0`];
    expect((await diff(report([{ workerId: 'elsewhere', partitions: all }]))).verdict).toBe('recoverable');
    const stale = await diff(report([{ workerId: 'w1', partitions: [`${hashed}#0@1`, `${hashed}#1`] }]));
    expect(tasks(stale.rerun)).toEqual(['scan#0', 'totals#0']);
    expect(stale.partitions.missing).toEqual([{ partitionId: `${hashed}#0@0`, workerId: 'w1' }]);
    expect((await diff(report([]))).verdict).toBe('restart-from-scratch');
  });

  it('says which task lost what, and follows the others back to it', async () => {
    const { rerun } = await diff({ kind: 'lost-workers', workers: ['w1'] });
    expect(rerun.map((task) => task.reasons.map((reason) => reason.code))).toEqual([
      ['partition-missing'],
      ['downstream-of-rerun'],
    ]);
    expect(rerun[1]?.reasons[0]?.because).toMatchObject({ kind: 'vertex', id: rerun[0]?.vertexId, subtask: 0 });
  });

  it('warns of workers and partitions that the store does not know', async () => {
    expect((await diff({ kind: 'workers', workers: ['w9'] })).warnings).toEqual([
      'the store knows no worker "w9"; known: w1, w2',
    ]);
    expect((await diff({ kind: 'lost-workers', workers: ['w9'] })).warnings).toHaveLength(1);
    const strange = await diff(report([{ workerId: 'w1', partitions: [`${'b'.repeat(32)}#0`, `${hashed}#0`] }]));
    expect(strange.warnings).toEqual([expect.stringMatching(/^1 of 2 reported partitions/)]);
    expect((await diff({ kind: 'workers', workers: ['w1', 'w2'] })).warnings).toEqual([]);
  });

  it('at an earlier point', async () => {
    const early = await diff({ kind: 'lost-workers', workers: ['w1'] }, { until: 'finished:scan#0' });
    expect([tasks(early.rerun), tasks(early.pending), early.at.sequence]).toEqual([['scan#0'], ['scan#1'], 8]);
    expect(early.verdict).toBe('restart-from-scratch');
  });

  it("looks into the workers' folders of a job's folder, where nothing lies", async () => {
    const job = temporaryFolder();
    const location = await writeSampleStore(job);
    mkdirSync(join(job, 'workers', 'w1'), { recursive: true });
    const result = await diff({ kind: 'default' }, { location });
    expect(result).toMatchObject({ verdict: 'restart-from-scratch', basis: { survivors: 'folders', assumptions: [] } });
    expect((await validateStore({ location, topology: [] })).verdict).toBe('restart-from-scratch');
    const earlier = await diff({ kind: 'default' }, { location, until: '9' });
    expect(earlier.basis.assumptions).toEqual([expect.stringContaining('as they are now')]);
  });

  it("takes a job's folder without workers for one whose workers are gone", async () => {
    const job = temporaryFolder();
    const location = await writeSampleStore(job);
    writeFileSync(join(job, 'plan.json'), '{}');
    expect((await diff({ kind: 'default' }, { location })).basis.survivors).toBe('folders');
  });

  it('reruns nothing of a job that has ended', async () => {
    const location = join(temporaryFolder(), 'job-events');
    const end = [
      finished('totals', 1, { attempt: 1, workerId: 'w2' }),
      { type: 'job-status-changed', state: 'FINISHED', reason: null } as const,
    ];
    await writeStore([...sampleEvents, ...end], { folder: location, seal: true });
    const result = await diff({ kind: 'lost-workers', workers: ['w1', 'w2'] }, { location });
    expect([result.verdict, result.rerun, result.pending, result.summary.kept]).toEqual(['recoverable', [], [], 4]);
  });
});
