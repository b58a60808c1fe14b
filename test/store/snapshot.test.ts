// Snapshots in real stores: a store reads the same with them and without, whole or damaged, and a writer goes on from the
// newest whole one. What they hold is known by replay; see also graph-snapshot.test.ts.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeSnapshot } from '../../src/engine/job-master/take-snapshot.ts';
import type { JobLog, LogRecord } from '../../src/model/job-log.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { replayLog, replayNewest } from '../../src/replay/replay-log.ts';
import { temporaryPath } from '../../src/store/atomic-file.ts';
import { headerBytes, manifestName } from '../../src/store/format.ts';
import { decodeManifest } from '../../src/store/manifest.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { seeded } from '../replay/random.ts';
import { randomLog } from '../replay/random-log.ts';
import { filesOf, finished, optionsFor, recordsOf, temporaryFolder } from './sample-store.ts';

const jobId = 'a'.repeat(32);

/** Writes the records' events by their epochs, in small segments, and sometimes a snapshot of what is acknowledged. */
async function writeWithSnapshots(folder: string, records: readonly LogRecord[], seed: number): Promise<number> {
  const random = seeded(seed);
  let snapshots = 0;
  for (const epoch of new Set(records.map((record) => record.epoch as number))) {
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch, jobId, segmentSizeBytesMax: 1500 }));
    for (const { event } of records.filter((record) => record.epoch === epoch)) {
      writer.append(event);
      if (!random.chance(0.15)) continue;
      await writer.flush();
      const taken = await snapshotNow(folder, writer.acknowledged.sequence, epoch);
      if (taken !== null) writer.noteSnapshot(taken);
      snapshots += taken === null ? 0 : 1;
    }
    await writer.close();
  }
  return snapshots;
}

async function snapshotNow(folder: string, sequence: number, epoch: number) {
  const temporary = temporaryPath(path.join(folder, 'snapshot'));
  return takeSnapshot(await openJobLog(folder), sequence, { folder, epoch, temporary });
}

async function writePlain(folder: string, records: readonly LogRecord[]): Promise<void> {
  for (const epoch of new Set(records.map((record) => record.epoch as number))) {
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch, jobId }));
    for (const { event } of records.filter((record) => record.epoch === epoch)) writer.append(event);
    await writer.close();
  }
}

/** Times are the clock's, and differ between two stores of the same events. */
function withoutTimes(graph: ExecutionGraph): ExecutionGraph {
  const checkpoints = graph.checkpoints.map((each) => ({ ...each, completedAtMicros: null }));
  return { ...graph, lastTimeMicros: null, failureTimesMicros: [], checkpoints };
}

async function graphs(log: JobLog): Promise<ExecutionGraph[]> {
  return [(await replayLog(log)).graph, (await replayNewest(log)).graph];
}

/** A store of two epochs and three segments with two snapshots, the newest in the middle of the last segment. */
async function sampleStore() {
  const folder = path.join(await temporaryFolder(), 'job-events');
  const events = randomLog(21).map((record) => record.event);
  const first = await StoreWriter.create(optionsFor(folder, { jobId, segmentSizeBytesMax: 2500 }));
  for (const event of events.slice(0, 20)) {
    first.append(event);
    await first.flush();
  }
  const older = await snapshotNow(folder, 11, 1);
  await first.close();
  const { writer } = await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 2 }));
  for (const event of events.slice(20)) writer.append(event);
  await writer.flush();
  const newest = await snapshotNow(folder, 27, 2);
  await writer.close();
  if (older === null || newest === null) throw new Error('no snapshot was taken');
  return { folder, older, newest, graph: (await replayLog(await openJobLog(folder))).graph, events: events.length };
}

describe('a store with snapshots', () => {
  test('of random lives replays as one without, by events and by the newest snapshot', async () => {
    const root = await temporaryFolder();
    let taken = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const records = randomLog(seed);
      const [plain, snapped] = [path.join(root, `${seed}-plain`), path.join(root, `${seed}-snapped`)];
      await writePlain(plain, records);
      taken += await writeWithSnapshots(snapped, records, seed);
      const [expected] = await graphs(await openJobLog(plain));
      const log = await openJobLog(snapped);
      expect((await log.summary()).findings, `seed ${seed}`).toEqual([]);
      for (const graph of await graphs(log))
        expect(withoutTimes(graph), `seed ${seed}`).toEqual(withoutTimes(expected as ExecutionGraph));
    }
    expect(taken).toBeGreaterThan(100);
  });

  test('says so: files, sequence numbers, bytes; the manifest names the newest two', async () => {
    const { folder, older, newest } = await sampleStore();
    const log = await openJobLog(folder);
    expect((await log.summary()).snapshots).toEqual([
      { name: newest.name, bytes: newest.bytes, sequence: 27, epoch: 2 },
      { name: older.name, bytes: older.bytes, sequence: 11, epoch: 1 },
    ]);
    expect((await log.snapshots()).map(({ sequence }) => sequence)).toEqual([27, 11]);
    const { writer } = await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }));
    writer.append(finished(0));
    await writer.flush();
    const third = await snapshotNow(folder, writer.acknowledged.sequence, 3);
    if (third === null) throw new Error('none');
    writer.noteSnapshot(third);
    expect((await filesOf(folder)).has(older.name)).toBe(true);
    await writer.seal();
    await writer.close();
    const files = await filesOf(folder);
    const manifest = decodeManifest(files.get(manifestName) as Buffer);
    expect(manifest).toMatchObject({ manifest: { snapshots: [{ name: newest.name }, third] } });
    expect(files.has(older.name)).toBe(false);
  });

  test('is read from behind the newest, and a writer goes on without the segments before it', async () => {
    const { folder, newest, graph, events } = await sampleStore();
    const [first = ''] = [...(await filesOf(folder)).keys()];
    await writeFile(path.join(folder, first), Buffer.alloc(200, 7));
    const log = await openJobLog(folder);
    const [snapshot] = await log.snapshots();
    expect(snapshot?.name).toBe(newest.name);
    const rest: number[] = [];
    for await (const record of log.records(snapshot)) rest.push(record.sequence);
    expect(rest).toEqual(Array.from({ length: events - 28 }, (_, index) => 28 + index));
    expect((await log.summary()).damage).toMatchObject({ segment: first, code: 'CHECKSUM_MISMATCH' });
    expect((await log.summary(snapshot)).damage).toBeNull();
    expect((await replayLog(log)).graph).toEqual(graph);
    const { writer, log: taken } = await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }));
    expect((await replayNewest(taken)).graph).toEqual(graph);
    const { sequence } = writer.append(finished(1));
    await writer.close();
    expect(sequence).toBe(events);
    expect((await replayLog(await openJobLog(folder))).graph.lastSequence).toBe(events);
  });

  test('a damaged snapshot is named, and costs nothing while the events are there', async () => {
    const { folder, newest, older, graph } = await sampleStore();
    const file = path.join(folder, newest.name);
    const bytes = (await filesOf(folder)).get(newest.name) as Buffer;
    for (const damaged of [
      flipped(bytes, 200),
      flipped(bytes, 3),
      bytes.subarray(0, headerBytes),
      bytes.subarray(0, 9),
    ]) {
      await writeFile(file, damaged);
      const log = await openJobLog(folder);
      const { findings, damage } = await log.summary();
      expect(findings).toMatchObject([{ code: 'SNAPSHOT_MISMATCH', severity: 'warning', segment: newest.name }]);
      expect(damage).toBeNull();
      expect((await log.snapshots()).map(({ name }) => name)).toEqual([older.name]);
      for (const each of await graphs(log)) expect(each).toEqual(graph);
    }
    const { writer } = await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }));
    await writer.close();
  });

  test('bytes behind the seal of a snapshot make it no snapshot', async () => {
    const { folder, newest } = await sampleStore();
    const bytes = (await filesOf(folder)).get(newest.name) as Buffer;
    await writeFile(path.join(folder, newest.name), Buffer.concat([bytes, Buffer.alloc(1)]));
    expect((await (await openJobLog(folder)).summary()).findings).toMatchObject([{ code: 'SNAPSHOT_MISMATCH' }]);
  });

  test('a snapshot under the name of another, or of another job, is damaged', async () => {
    const { folder, newest, older } = await sampleStore();
    const files = await filesOf(folder);
    await writeFile(path.join(folder, newest.name), files.get(older.name) as Buffer);
    const log = await openJobLog(folder);
    expect((await log.summary()).findings).toMatchObject([{ code: 'SNAPSHOT_MISMATCH', segment: newest.name }]);
    expect((await log.snapshots()).map(({ name }) => name)).toEqual([older.name]);
  });

  test('a snapshot that the manifest names and that is gone is a warning', async () => {
    const { folder, newest, graph } = await sampleStore();
    const { writer } = await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }));
    await writer.close();
    await rm(path.join(folder, newest.name));
    const log = await openJobLog(folder);
    expect((await log.summary()).findings).toMatchObject([
      {
        code: 'SNAPSHOT_MISMATCH',
        severity: 'warning',
        segment: newest.name,
        message: expect.stringContaining('missing'),
      },
    ]);
    for (const each of await graphs(log)) expect(each).toEqual(graph);
  });

  test('a log that ends before what a snapshot holds has lost events: no writer goes on', async () => {
    const { folder, newest } = await sampleStore();
    const files = await filesOf(folder);
    const last = [...files.keys()].filter((name) => name.endsWith('.seg')).at(-1) as string;
    await writeFile(path.join(folder, last), (files.get(last) as Buffer).subarray(0, headerBytes + 40));
    const log = await openJobLog(folder);
    expect((await log.summary()).damage).toMatchObject({ code: 'SNAPSHOT_MISMATCH', segment: newest.name });
    // what the snapshot holds can still be answered
    expect((await replayLog(log)).graph.lastSequence).toBe(27);
    await expect(StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }))).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
    });
  });

  test('a half-made snapshot is nothing to a reader, and gone with the next writer', async () => {
    const { folder, graph } = await sampleStore();
    await writeFile(path.join(folder, '.tmp-snapshot-1-abc'), Buffer.alloc(100));
    const log = await openJobLog(folder);
    expect((await log.summary()).findings).toEqual([]);
    expect((await replayLog(log)).graph).toEqual(graph);
    await (await StoreWriter.resume(optionsFor(folder, { jobId, epoch: 3 }))).writer.close();
    expect([...(await filesOf(folder)).keys()].filter((name) => name.startsWith('.tmp'))).toEqual([]);
    expect(await recordsOf(await openJobLog(folder))).toHaveLength(graph.eventCount);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x20;
  return copy;
}
