// What a store cannot tell is said where it can change the answer, and nowhere else: finishes in bytes that are gone, and
// what a long flush interval had not written yet. On captured failovers, with the workers that came back.
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/job-log.ts';
import type { FlinkStep } from '../../src/replay/flink-history.ts';
import { type DiffOptions, diffStore } from '../../src/services/diff.ts';
import type { SurvivorChoice } from '../../src/services/survivor-choice.ts';
import { lostPlaces } from '../../src/services/unknown-finishes.ts';
import { allFailovers, capturesFolder, truthOf } from '../support/flink-capture.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobrec-unknown-'));
  folders.push(folder);
  return folder;
}

const submitted = (folder: string) =>
  readdirSync(join(folder, 'ha-files')).map((name) => join(folder, 'ha-files', name));

async function said(folder: string, store: string, survivors: SurvivorChoice, more: Partial<DiffOptions> = {}) {
  const options = { location: store, topology: submitted(folder), until: null, survivors, flinkRest: null };
  const report = await diffStore({ ...options, sourcesWithoutSnapshot: [], flinkOnlyFlags: [], ...more });
  return report.basis.assumptions.filter((line) => line.startsWith('no task finished in '));
}

const back = (workers: readonly string[]): SurvivorChoice => ({ kind: 'workers', workers });

describe('finishes that a store cannot tell', () => {
  it('are named for the captures that lack some, and for no other', async () => {
    const named: Record<string, readonly string[]> = {};
    for (const failover of allFailovers()) {
      const { name, folder, suffix } = failover;
      const lines = await said(folder, join(folder, `store${suffix}`), back(truthOf(failover).survivingTaskManagers));
      if (lines.length > 0) named[name] = lines.map((line) => line.replace(/;.*/, ''));
    }
    expect(named).toEqual({
      '1.20.3/s08b-partly-flushed': [
        'no task finished in the last 10 min before the kill, which may not have been written (job-event.store.write-buffer.flush-interval)',
      ],
      '1.20.3/s09-torn-tail': ['no task finished in the 3166 unreadable bytes of events.1'],
      '2.3.0/s09b-torn-middle-file': ['no task finished in the 4489 unreadable bytes of events.0'],
    });
  });

  const folder = join(capturesFolder, '1.20.3/s09-torn-tail');
  const workers = back(['tm-a', 'tm-b', 'tm-c']);

  it('are no question where a report says what is there, or of a point in the past', async () => {
    const report = join(temporary(), 'report.json');
    writeFileSync(report, '{"workers":[]}');
    expect(await said(folder, join(folder, 'store'), workers)).toHaveLength(1);
    expect(await said(folder, join(folder, 'store'), { kind: 'report', file: report })).toEqual([]);
    expect(await said(folder, join(folder, 'store'), workers, { until: '3' })).toEqual([]);
  });

  it('are no question where nothing that counts as there is still needed', async () => {
    expect(await said(folder, join(folder, 'store'), back([]))).toEqual([]);
  });

  it('lie in a missing file, too', async () => {
    const store = join(temporary(), 'store');
    const whole = join(capturesFolder, '1.20.3/s11-pointwise-tm-lost');
    cpSync(join(whole, 'store'), store, { recursive: true });
    rmSync(join(store, 'events.2'));
    expect(readdirSync(store)).toContain('events.3');
    expect(await said(whole, store, workers)).toEqual([
      expect.stringContaining('no task finished in events.2, which is missing;'),
    ]);
  });

  it('are known where another JobManager went on from what was left', () => {
    const finish = (sequence: number, executionGraphId: string) =>
      ({ kind: 'finished', sequence, executionGraphId }) as unknown as FlinkStep;
    const torn = {
      code: 'TORN_TAIL',
      severity: 'error',
      segment: 'events.0',
      offset: 9,
      sequence: 1,
      bytesLost: 30,
    } as const;
    const finding: Finding = { ...torn, message: '', flinkDoes: 'skips-rest-of-file' };
    const places = (...history: FlinkStep[]) => lostPlaces({ segments: [], findings: [finding] }, history);
    expect(places(finish(0, 'g1'), finish(1, 'g2'))).toEqual([]);
    expect(places(finish(0, 'g1'), finish(1, 'g1'))).toEqual(['the 30 unreadable bytes of events.0']);
    expect(places(finish(0, 'g1'))).toEqual(['the 30 unreadable bytes of events.0']);
  });
});
