// compact: what can be asked at the end of the log is answered the same before and after, wherever it was killed; and what
// it refuses. Random stores; seeds are printed on failure.
import { cpSync } from 'node:fs';
import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compactStore } from '../../src/services/compact.ts';
import { diffStore } from '../../src/services/diff.ts';
import { inspectStore } from '../../src/services/inspect.ts';
import { replayStore } from '../../src/services/replay.ts';
import { takeGeneration } from '../../src/store/generation.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { finished } from '../replay/job-builder.ts';
import { seeded } from '../replay/random.ts';
import { FaultyStorage } from '../store/faulty-storage.ts';
import { filesOf, optionsFor, temporaryFolder } from '../store/sample-store.ts';
import { bundleScript } from '../support/bundle-script.ts';
import { capturesFolder } from '../support/flink-capture.ts';
import { folderHash } from '../support/folder-hash.ts';
import { expectCompacted, expectSound, killAtOperations } from './compact-kills.ts';
import { graphsOf, longJobId, writeLongStore } from './long-store.ts';

const made: string[] = [];
afterAll(async () => {
  for (const root of made) await rm(root, { recursive: true, force: true });
});

async function longStore(options: Parameters<typeof writeLongStore>[0]) {
  const store = await writeLongStore(options);
  made.push(store.root);
  return store;
}

const compact = (location: string, dryRun = false) => compactStore({ location, dryRun });
const diff = (location: string) =>
  diffStore({
    location,
    topology: [],
    until: null,
    survivors: { kind: 'default' },
    flinkRest: null,
    sourcesWithoutSnapshot: [],
    flinkOnlyFlags: [],
  });
const replayed = (location: string, until: string | null = null) => replayStore({ location, topology: [], until });

describe('compact', () => {
  test('changes no answer at the end of the log, of any life of a job', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const { folder, events } = await longStore({ seed, ends: seed % 3 === 0 });
      const [graph] = await graphsOf(folder);
      const before = [await replayed(folder), await diff(folder)];
      const report = await compact(folder);
      expect(report, `seed ${seed}`).toMatchObject({
        applied: true,
        before: { events: events.length },
        after: { events: 0, segments: 1 },
        snapshot: { sequence: events.length - 1 },
      });
      expect(report.retired.length, `seed ${seed}`).toBe(report.before.segments);
      expect([await replayed(folder), await diff(folder)], `seed ${seed}`).toEqual(before);
      await expectCompacted(folder, graph, `seed ${seed}`);
    }
  });

  test('a second time does nothing; after more events it works again', async () => {
    const { folder, events } = await longStore({ seed: 7 });
    await compact(folder);
    const before = await filesOf(folder);
    expect(await compact(folder)).toMatchObject({ applied: false, needed: false, retired: [] });
    expect(await filesOf(folder)).toEqual(before);
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch: 20, jobId: longJobId }));
    const { sequence } = writer.append(finished('a', 0));
    await writer.close();
    expect(sequence).toBe(events.length);
    const [graph] = await graphsOf(folder);
    expect(await compact(folder)).toMatchObject({ before: { events: 1, segments: 2 }, snapshot: { sequence } });
    await expectCompacted(folder, graph, 'again');
  });

  test('a dry run says the same and changes nothing', async () => {
    const { root, folder } = await longStore({ seed: 8 });
    const before = folderHash(root);
    const planned = await compact(folder, true);
    expect(folderHash(root)).toBe(before);
    const done = await compact(folder);
    expect(planned).toMatchObject({ applied: false, needed: true, retired: done.retired, before: done.before });
    expect(planned.snapshot?.sequence).toBe(done.snapshot?.sequence);
    expect(Math.abs((planned.snapshot?.bytes ?? 0) - (done.snapshot?.bytes ?? 0))).toBeLessThan(20);
  });

  test('positions before the snapshot are told to be gone; the snapshot itself can be asked for', async () => {
    const { folder, events } = await longStore({ seed: 9 });
    const last = events.length - 1;
    await compact(folder);
    expect((await replayed(folder, String(last))).at.sequence).toBe(last);
    for (const until of ['3', '2020-01-01T00:00:00Z', '-900000h', 'initialized:a', 'finished:a#0'])
      await expect(replayed(folder, until), until).rejects.toMatchObject({
        code: 'POSITION_INVALID',
        message: expect.stringMatching(new RegExp(`sequence ${last}.*retired|retired`)),
      });
    await expect(replayed(folder, String(last + 1))).rejects.toMatchObject({ code: 'POSITION_INVALID' });
    const inspected = await inspectStore({ location: folder, topology: [] });
    expect(inspected).toMatchObject({ store: { events: 0, firstSequence: last + 1, snapshots: [{ sequence: last }] } });
    expect(inspected.byType).toEqual({});
    expect(inspected.job.name).toBe('job');
  });

  test('refuses a live store, a damaged one, and one of Flink', async () => {
    const live = await longStore({ seed: 10 });
    await takeGeneration(path.join(live.root, 'epochs'), 0);
    await expect(compact(live.folder)).rejects.toMatchObject({ code: 'JOB_HELD', data: { pid: process.pid } });
    const { folder } = await longStore({ seed: 11, snapshots: false });
    const [first = '', bytes = Buffer.alloc(0)] = [...(await filesOf(folder))][0] ?? [];
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 60) ^ 1, bytes.length - 60);
    await writeFile(path.join(folder, first), bytes);
    const before = await filesOf(folder);
    await expect(compact(folder)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      hint: expect.stringContaining('--repair'),
    });
    expect(await filesOf(folder)).toEqual(before);
    const flink = path.join(await temporaryFolder(), 'store');
    await cp(path.join(capturesFolder, '2.3.0/r13-random/store'), flink, { recursive: true });
    await expect(compact(flink)).rejects.toMatchObject({ code: 'UNSUPPORTED_FOR_FORMAT' });
  });
});

describe('a compaction that ends in the middle', () => {
  let child: Awaited<ReturnType<typeof bundleScript>>;
  beforeAll(async () => {
    child = await bundleScript(path.join(import.meta.dirname, 'compact-child.ts'));
  });
  afterAll(() => child.remove());

  test('by SIGKILL before a disk operation: the store says the same, and the same command completes it', {
    timeout: 60_000,
  }, async () => {
    const { root } = await longStore({ seed: 13, ends: true });
    // Every operation is for the slow loop.
    const operations = await killAtOperations(child.file, root, { first: 2, stride: 7 });
    expect(operations.length).toBeGreaterThan(3);
  });

  test('by an error of the disk, or by a loss of power behind it: as by a kill', { timeout: 60_000 }, async () => {
    const seed = 20_261_121;
    const random = seeded(seed);
    const { root, folder } = await longStore({ seed: 14 });
    const [graph] = await graphsOf(folder);
    for (let failAt = 1; ; failAt++) {
      const copy = path.join(await temporaryFolder(), 'job');
      cpSync(root, copy, { recursive: true });
      const store = path.join(copy, 'job-events');
      let operations = 0;
      const storage = new FaultyStorage(() => (++operations >= failAt ? { error: 'EIO' } : null));
      const error = await compactStore({ location: store, dryRun: false, storage }).then(
        () => null,
        (each) => each,
      );
      if (error === null) break;
      const message = `seed ${seed}, EIO from operation ${failAt} on`;
      expect(error, message).toMatchObject({ code: 'STORE_UNREADABLE' });
      if (failAt % 2 === 0) await storage.crash(() => random.below(1000) / 1000);
      for (const each of await graphsOf(store)) expect(each, message).toEqual(graph);
      await expectSound(store, message);
      await compact(store);
      await expectCompacted(store, graph, message);
    }
  });

  test('a disk that refuses says what and where', async () => {
    const { folder } = await longStore({ seed: 15 });
    const storage = new FaultyStorage((operation) => (operation === 'write' ? { error: 'ENOSPC' } : null));
    await expect(compactStore({ location: folder, dryRun: false, storage })).rejects.toMatchObject({
      code: 'STORE_UNREADABLE',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining('nothing is lost'),
    });
  });
});
