// compact as a user runs it: what it says, and how it ends, in both modes.
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { takeGeneration } from '../../src/store/generation.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { capturesFolder } from '../support/flink-capture.ts';
import { temporaryFolder, writeSampleStore } from '../support/sample-store.ts';

describe('compact', () => {
  it('retires the history, and the store answers as before; what lies before is told to be gone', async () => {
    const store = await writeSampleStore();
    const before = await runCli(['replay', store, '--json']);
    const result = await runCli(['compact', store, '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(jsonOf(result)).toMatchObject({
      schemaVersion: 1,
      applied: true,
      before: { events: 15, segments: 1, bytes: expect.any(Number) },
      after: { events: 0, segments: 1, bytes: expect.any(Number) },
      retired: ['00000000000000000000-0000000001.seg'],
      snapshot: { sequence: 14, bytes: expect.any(Number) },
    });
    expect((await runCli(['replay', store, '--json'])).stdout).toBe(before.stdout);
    expect((await runCli(['validate', store])).code).toBe(0);
    expect((await runCli(['inspect', store])).stdout).toContain(
      'begins with sequence 15: what came before was retired',
    );
    const early = await runCli(['replay', store, '--until', '3']);
    expect([early.code, early.stdout]).toEqual([2, '']);
    expect(early.stderr).toContain('position 3 lies before the snapshot at sequence 14');
    const events = await runCli(['inspect', store, '--events']);
    expect([events.code, events.stdout]).toEqual([0, '']);
    expect(events.stderr).toContain('the log begins with sequence 15: the events before were retired');
    const again = await runCli(['compact', store]);
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringContaining('nothing to do: its history is retired already'),
    ]);
  });

  it.each([
    [
      'a store that a process holds',
      5,
      'JOB_HELD',
      async (store: string): Promise<void> => {
        await takeGeneration(join(store, '..', 'epochs'), 0);
      },
    ],
    ['a damaged store', 4, 'STORE_DAMAGED', async (store: string) => rmSync(join(store, 'MANIFEST'))],
    [
      'a store of Flink',
      2,
      'UNSUPPORTED_FOR_FORMAT',
      async (store: string) => {
        rmSync(store, { recursive: true });
        cpSync(join(capturesFolder, '2.3.0/r13-random/store'), store, { recursive: true });
      },
    ],
    ['no store', 4, 'STORE_NOT_FOUND', async (store: string) => rmSync(store, { recursive: true })],
  ] as const)('refuses %s with exit %i', async (_what, exit, code, prepare) => {
    const store = await writeSampleStore();
    await prepare(store);
    const plain = await runCli(['compact', store]);
    expect([plain.code, plain.stdout]).toEqual([exit, '']);
    const json = await runCli(['compact', store, '--json', '--dry-run']);
    expect(json.code).toBe(exit);
    expect(jsonOf(json)).toMatchObject({ schemaVersion: 1, error: { code } });
  });

  it('answers what a damaged snapshot leaves: exit 3 or 4, and the finding', async () => {
    const store = await writeSampleStore(temporaryFolder());
    await runCli(['compact', store]);
    writeFileSync(join(store, '00000000000000000015-0000000002.snap'), 'x');
    const validated = await runCli(['validate', store, '--json']);
    expect(validated.code).toBe(3);
    expect(jsonOf(validated)).toMatchObject({
      ok: false,
      verdict: 'restart-from-scratch',
      findings: expect.arrayContaining([expect.objectContaining({ code: 'SNAPSHOT_MISMATCH', severity: 'error' })]),
    });
    for (const command of ['replay', 'diff']) {
      const result = await runCli([command, store, '--json']);
      expect([command, result.code, jsonOf(result)]).toMatchObject([command, 4, { error: { code: 'STORE_DAMAGED' } }]);
    }
    const inspected = await runCli(['inspect', store, '--events']);
    expect(inspected.code).toBe(3);
  });
});
