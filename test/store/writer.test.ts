import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { manifestName } from '../../src/store/format.ts';
import { decodeManifest } from '../../src/store/manifest.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { type AppendedRecord, StoreWriter } from '../../src/store/writer.ts';
import { FaultyStorage, type Operation } from './faulty-storage.ts';
import {
  eventsOfEveryKind,
  filesOf,
  finished,
  optionsFor,
  recordsOf,
  smallSubmitted,
  temporaryFolder,
  writeGroups,
} from './sample-store.ts';

const deployed = eventsOfEveryKind.find(
  (event) => event.type === 'execution-deployed',
) as (typeof eventsOfEveryKind)[0];

async function storeFolder(): Promise<string> {
  return path.join(await temporaryFolder(), 'job-events');
}

async function manifestOf(folder: string) {
  const verdict = decodeManifest(await readFile(path.join(folder, manifestName)));
  if (verdict.kind !== 'good') throw new Error(verdict.kind);
  return verdict.manifest;
}

/** How a promise stands after everything that can run has run. */
async function stateOf(promise: Promise<void>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => {
      state = 'resolved';
    },
    () => {
      state = 'rejected';
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  return state;
}

/** A gate that holds an operation until it is opened. */
function gate() {
  let open: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { until, open };
}

describe('append', () => {
  test('every kind of event comes back as it was, with its place', async () => {
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder));
    const appended = eventsOfEveryKind.map((event) => writer.append(event));
    await writer.flush();
    await writer.close();
    const records = await recordsOf(await openJobLog(folder));
    expect(records.map((record) => record.event)).toEqual(eventsOfEveryKind);
    expect(records.map(({ sequence, timeMicros }) => ({ sequence, timeMicros }))).toEqual(
      appended.map(({ sequence, timeMicros }) => ({ sequence, timeMicros })),
    );
    expect(records.map((record) => record.sequence)).toEqual([...eventsOfEveryKind.keys()]);
  });

  test('times never go back, though the clock does', async () => {
    const folder = await storeFolder();
    const clock = [50, 60, 40, 70]; // the first is the segment's own
    const writer = await StoreWriter.create(optionsFor(folder, { now: () => clock.shift() ?? 30 }));
    const times = [smallSubmitted, finished(1), finished(2)].map((event) => writer.append(event).timeMicros);
    expect(times).toEqual([60, 60, 70]);
    await writer.close();
  });

  test('a writer that goes on never gives an earlier time than the one before', async () => {
    const folder = await storeFolder();
    const first = await StoreWriter.create(optionsFor(folder, { now: () => 1000 }));
    await writeGroups(first, [[smallSubmitted]]);
    await first.close();
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch: 2, now: () => 10 }));
    expect(writer.append(finished(0)).timeMicros).toBe(1000);
    await writer.close();
  });
});

describe('group commit', () => {
  test('events of one turn share one write and one sync', async () => {
    const storage = new FaultyStorage();
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { storage }));
    const before = storage.operations.length;
    const appended = [smallSubmitted, finished(0), finished(1)].map((event) => writer.append(event));
    await Promise.all(appended.map((record) => record.durable));
    expect(storage.operations.slice(before).map((each) => each.operation)).toEqual(['write', 'datasync']);
    await writer.close();
  });

  test('an event is acknowledged only after its own sync has returned', async () => {
    const held = gate();
    let armed = false;
    const storage = new FaultyStorage((operation) =>
      armed && operation === 'datasync' ? { until: held.until } : null,
    );
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { storage }));
    armed = true;
    const { durable } = writer.append(smallSubmitted);
    expect(await stateOf(durable)).toBe('pending');
    held.open();
    expect(await stateOf(durable)).toBe('resolved');
    await writer.close();
  });

  test('at most one sync is in flight; what comes meanwhile goes together into the next', async () => {
    const held = gate();
    let armed = false;
    const storage = new FaultyStorage((operation) =>
      armed && operation === 'datasync' ? { until: held.until } : null,
    );
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { storage }));
    armed = true;
    const first = writer.append(smallSubmitted);
    await stateOf(first.durable);
    const later = [0, 1, 2].map((subtask) => writer.append(finished(subtask)));
    expect(await Promise.all(later.map((record) => stateOf(record.durable)))).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
    const before = storage.operations.length;
    held.open();
    await Promise.all(later.map((record) => record.durable));
    expect(storage.operations.slice(before).map((each) => each.operation)).toEqual(['write', 'datasync']);
    expect(storage.syncsInFlightMax).toBe(1);
    await writer.close();
  });

  test('groups are acknowledged in the order of their sequence numbers', async () => {
    const writer = await StoreWriter.create(optionsFor(await storeFolder()));
    const order: number[] = [];
    const note = ({ sequence, durable }: AppendedRecord) => durable.then(() => order.push(sequence));
    const notes: Promise<number>[] = [];
    for (let turn = 0; turn < 20; turn++) {
      notes.push(note(writer.append(turn === 0 ? smallSubmitted : finished(turn))));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(notes);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.length).toBe(20);
    await writer.close();
  });

  test('an event that recovery does not need costs no sync of its own and delays nothing', async () => {
    const storage = new FaultyStorage();
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { storage }));
    await writeGroups(writer, [[smallSubmitted]]);
    const before = storage.operations.filter((each) => each.operation === 'datasync').length;
    const optional = writer.append(deployed);
    expect(await stateOf(optional.durable)).toBe('pending');
    const needed = writer.append(finished(0));
    expect(await stateOf(needed.durable)).toBe('resolved');
    expect(await stateOf(optional.durable)).toBe('resolved');
    expect(storage.operations.filter((each) => each.operation === 'datasync').length).toBe(before + 1);
    await writer.close();
  });

  test('left alone, it is written all the same', async () => {
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder));
    await writeGroups(writer, [[smallSubmitted]]);
    await writer.append(deployed).durable;
    const written = await recordsOf(await openJobLog(folder));
    expect(written.map(({ event }) => event)).toEqual([smallSubmitted, deployed]);
    await writer.close();
  });

  test('a flush interval is waited for, and cut short by the write buffer size', async () => {
    const options = optionsFor(await storeFolder(), { flushIntervalMs: 60_000, writeBufferSizeBytes: 2000 });
    const writer = await StoreWriter.create(options);
    const first = writer.append(smallSubmitted);
    expect(await stateOf(first.durable)).toBe('pending');
    for (let subtask = 0; subtask < 20; subtask++) writer.append(finished(subtask));
    expect(await stateOf(first.durable)).toBe('resolved');
    await writer.close();
  });

  test('flush does not wait for the interval', async () => {
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { flushIntervalMs: 60_000 }));
    const { durable } = writer.append(smallSubmitted);
    await writer.flush();
    expect(await stateOf(durable)).toBe('resolved');
    await writer.close();
  });
});

describe('poisoned', () => {
  /** A writer whose disk fails at the next operation of a kind once `armed`. */
  async function writerFailingAt(operation: Operation, fault: { error?: string; shortTo?: number }) {
    const state = { armed: false };
    const folder = await storeFolder();
    const storage = new FaultyStorage((each) => (state.armed && each === operation ? fault : null));
    const writer = await StoreWriter.create(optionsFor(folder, { storage }));
    await writeGroups(writer, [[smallSubmitted], [finished(0)]]);
    state.armed = true;
    return { writer, storage, folder };
  }

  test.each([
    ['a failed write', 'write', 'EIO'],
    ['a full disk', 'write', 'ENOSPC'],
    ['a failed sync', 'datasync', 'EIO'],
  ] as const)('%s refuses everything pending and later, and writes nothing more', async (_title, operation, error) => {
    const { writer, storage, folder } = await writerFailingAt(operation, { error });
    const pending = writer.append(finished(1));
    await expect(pending.durable).rejects.toMatchObject({
      code: 'STORE_POISONED',
      message: expect.stringContaining(error),
    });
    expect(writer.poisoned).toMatchObject({ code: 'STORE_POISONED', data: { folder, fenced: false } });
    const operations = storage.operations.length;
    const bytes = await filesOf(folder);
    await expect(writer.append(finished(2)).durable).rejects.toBe(writer.poisoned);
    await expect(writer.flush()).rejects.toBe(writer.poisoned);
    await expect(writer.seal()).rejects.toBe(writer.poisoned);
    await writer.close();
    expect(storage.operations.length).toBe(operations);
    expect(await filesOf(folder)).toEqual(bytes);
  });

  test('what waits behind the failing group is refused too', async () => {
    const { writer } = await writerFailingAt('datasync', { error: 'EIO' });
    const first = writer.append(finished(1));
    await new Promise((resolve) => setImmediate(resolve));
    const second = writer.append(finished(2));
    await expect(first.durable).rejects.toMatchObject({ code: 'STORE_POISONED' });
    await expect(second.durable).rejects.toMatchObject({ code: 'STORE_POISONED' });
    await writer.close();
  });

  test('nobody listening is no unhandled rejection', async () => {
    const seen: unknown[] = [];
    const listen = (error: unknown) => seen.push(error);
    process.on('unhandledRejection', listen);
    const { writer } = await writerFailingAt('write', { error: 'EIO' });
    writer.append(finished(1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    writer.append(finished(2));
    await new Promise((resolve) => setTimeout(resolve, 30));
    process.off('unhandledRejection', listen);
    expect(writer.poisoned).not.toBeNull();
    expect(seen).toEqual([]);
    await writer.close();
  });

  test('a short write is gone on with where it stopped', async () => {
    const { writer, folder } = await writerFailingAt('write', { shortTo: 7 });
    await writer.append(finished(1)).durable;
    await writer.close();
    expect((await recordsOf(await openJobLog(folder))).length).toBe(3);
  });

  test('a short write before a full disk is a torn tail, behind which the next epoch goes on', async () => {
    const folder = await storeFolder();
    let left = Number.POSITIVE_INFINITY;
    const storage = new FaultyStorage((operation) => {
      if (operation !== 'write' || left === Number.POSITIVE_INFINITY) return null;
      left -= 1;
      return left === 0 ? { shortTo: 20 } : { error: 'ENOSPC' };
    });
    const first = await StoreWriter.create(optionsFor(folder, { storage }));
    await writeGroups(first, [[smallSubmitted]]);
    left = 1;
    await expect(first.append(finished(0)).durable).rejects.toMatchObject({ code: 'STORE_POISONED' });
    await first.close();
    const torn = await (await openJobLog(folder)).summary();
    expect(torn.findings).toMatchObject([{ code: 'TORN_TAIL', severity: 'warning', bytesLost: 20 }]);
    const { writer, log } = await StoreWriter.resume(optionsFor(folder, { epoch: 2 }));
    expect((await recordsOf(log)).length).toBe(1);
    await writer.append(finished(0)).durable;
    await writer.close();
    const after = await (await openJobLog(folder)).summary();
    expect(after).toMatchObject({ events: 2, damage: null, findings: [{ code: 'TORN_TAIL', severity: 'info' }] });
  });
});

describe('fencing', () => {
  test('nothing is acknowledged once a later epoch exists, and the writer says why', async () => {
    let fenced = false;
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder, { isFenced: async () => fenced }));
    await writeGroups(writer, [[smallSubmitted]]);
    fenced = true;
    const { durable } = writer.append(finished(0));
    await expect(durable).rejects.toMatchObject({ code: 'STORE_POISONED', data: { epoch: 1, fenced: true } });
    await writer.close();
  });

  test('the look comes after the sync, so a cut never removes an acknowledged event', async () => {
    const storage = new FaultyStorage();
    const looks: number[] = [];
    const isFenced = async () => {
      looks.push(storage.operations.length);
      return false;
    };
    const writer = await StoreWriter.create(optionsFor(await storeFolder(), { storage, isFenced }));
    await writer.append(smallSubmitted).durable;
    const last = storage.operations.findLastIndex((each) => each.operation === 'datasync');
    expect(looks.at(-1)).toBeGreaterThan(last);
    await writer.close();
  });

  test('what a fenced writer still writes is ignored by readers and by the next writer', async () => {
    const folder = await storeFolder();
    const old = await StoreWriter.create(optionsFor(folder));
    await writeGroups(old, [[smallSubmitted], [finished(0)]]);
    const { writer, log } = await StoreWriter.resume(optionsFor(folder, { epoch: 2 }));
    const zombie = old.append(finished(77));
    await zombie.durable;
    await old.close();
    const { sequence, durable } = writer.append(finished(1));
    await durable;
    await writer.close();
    expect(sequence).toBe(zombie.sequence);
    expect((await recordsOf(log)).length).toBe(2);
    const after = await openJobLog(folder);
    expect((await recordsOf(after)).map((record) => [record.sequence, record.epoch])).toEqual([
      [0, 1],
      [1, 1],
      [2, 2],
    ]);
    const { findings, damage } = await after.summary();
    expect(damage).toBeNull();
    expect(findings).toMatchObject([{ code: 'FENCED_WRITES', severity: 'info' }]);
  });

  test('a whole segment and a manifest of a fenced writer change nothing', async () => {
    const folder = await storeFolder();
    const old = await StoreWriter.create(optionsFor(folder, { segmentSizeBytesMax: 300 }));
    await writeGroups(old, [[smallSubmitted]]);
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch: 2 }));
    await writeGroups(writer, [[finished(0)]]);
    await writeGroups(old, [[finished(70)], [finished(71)]]);
    await old.close();
    await writeGroups(writer, [[finished(1)]]);
    await writer.close();
    expect((await manifestOf(folder)).epoch).toBe(1);
    const log = await openJobLog(folder);
    expect((await recordsOf(log)).map((record) => [record.sequence, record.epoch])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
    ]);
    const { findings } = await log.summary();
    expect(findings.map((found) => [found.code, found.severity])).toEqual(
      findings.map(() => ['FENCED_WRITES', 'info']),
    );
    const third = await StoreWriter.resume(optionsFor(folder, { epoch: 3 }));
    expect((await recordsOf(third.log)).length).toBe(3);
    await third.writer.close();
  });

  test('a fenced epoch does not start', async () => {
    const folder = await storeFolder();
    const options = optionsFor(folder, { isFenced: async () => true });
    await expect(StoreWriter.create(options)).rejects.toMatchObject({ code: 'STORE_POISONED', data: { fenced: true } });
  });
});

describe('segments and manifest', () => {
  test('a full segment is sealed and followed by another; the manifest names all', async () => {
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder, { segmentSizeBytesMax: 600 }));
    await writeGroups(writer, [[smallSubmitted], ...[...Array(12).keys()].map((subtask) => [finished(subtask)])]);
    await writer.seal();
    await writer.close();
    const manifest = await manifestOf(folder);
    const { segments, events, findings } = await (await openJobLog(folder)).summary();
    expect(segments.length).toBeGreaterThan(2);
    expect(findings).toEqual([]);
    expect(events).toBe(13);
    expect(
      manifest.segments.map(({ name, bytes, lastSequence, sealed }) => ({ name, bytes, lastSequence, sealed })),
    ).toEqual(segments.map(({ name, bytes, lastSequence }) => ({ name, bytes, lastSequence, sealed: true })));
  });

  test('a sealed store takes no more events', async () => {
    const writer = await StoreWriter.create(optionsFor(await storeFolder()));
    await writeGroups(writer, [[smallSubmitted]]);
    await writer.seal();
    await expect(writer.append(finished(0)).durable).rejects.toMatchObject({ code: 'STORE_POISONED' });
    await writer.close();
  });

  test('what was appended before the seal is in it', async () => {
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder, { flushIntervalMs: 60_000 }));
    writer.append(smallSubmitted);
    writer.append(deployed);
    await writer.seal();
    await writer.close();
    expect((await recordsOf(await openJobLog(folder))).length).toBe(2);
  });

  test('half-made files of a writer that died are removed by the next, and nothing else', async () => {
    const folder = await storeFolder();
    const first = await StoreWriter.create(optionsFor(folder));
    await writeGroups(first, [[smallSubmitted]]);
    await first.close();
    await writeFile(path.join(folder, '.tmp-MANIFEST-1-aa'), 'half');
    await writeFile(path.join(folder, 'notes.txt'), 'not ours');
    const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch: 2 }));
    await writer.close();
    const names = [...(await filesOf(folder)).keys()];
    expect(names).toContain('notes.txt');
    expect(names.filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  });

  test('an epoch that does not follow is a bug of the caller', async () => {
    const folder = await storeFolder();
    const first = await StoreWriter.create(optionsFor(folder, { epoch: 4 }));
    await writeGroups(first, [[smallSubmitted]]);
    await first.close();
    await expect(StoreWriter.resume(optionsFor(folder, { epoch: 4 }))).rejects.toThrow(/does not follow/);
    await expect(StoreWriter.create(optionsFor(folder, { epoch: 5 }))).rejects.toThrow(/holds events/);
  });
});

describe('killed in the first write', () => {
  /** A store with one group, and its manifest as it stood before the segment was named. */
  async function firstWrite() {
    const folder = await storeFolder();
    const writer = await StoreWriter.create(optionsFor(folder));
    const created = await filesOf(folder);
    await writeGroups(writer, [[smallSubmitted, finished(0)]]);
    await writer.close();
    const [[segment, bytes]] = [...(await filesOf(folder))] as [[string, Buffer]];
    return { folder, segment, bytes, manifest: created.get(manifestName) as Buffer };
  }

  test('every length of the first segment: started clean, or resumed with what is whole', {
    timeout: 60_000,
  }, async () => {
    const { folder, segment, bytes, manifest } = await firstWrite();
    const whole = await recordsOf(await openJobLog(folder));
    const root = await temporaryFolder();
    for (let length = 80; length <= bytes.length; length += length < 84 || length > bytes.length - 4 ? 1 : 3) {
      const copy = path.join(root, `${length}`, 'job-events');
      await mkdir(copy, { recursive: true });
      await writeFile(path.join(copy, segment), bytes.subarray(0, length));
      await writeFile(path.join(copy, manifestName), manifest);
      const kept = whole.filter((record) => record.offset + record.bytes <= length).map((record) => record.event);
      const { writer, log } = await StoreWriter.resume(optionsFor(copy, { epoch: 2 }));
      expect((await recordsOf(log)).map((record) => record.event)).toEqual(kept);
      expect(writer.append(kept.length === 0 ? smallSubmitted : finished(5)).sequence).toBe(kept.length);
      await writer.seal();
      await writer.close();
      const after = await (await openJobLog(copy)).summary();
      expect(after).toMatchObject({ events: kept.length + 1, damage: null });
      if (kept.length === 0) expect(after.segments.length).toBe(1);
    }
  });

  test.each([0, 1, 40, 79])('a header of %i bytes that no manifest names is started over by create', async (length) => {
    const { folder, segment, bytes } = await firstWrite();
    const fresh = path.join(path.dirname(folder), 'fresh', 'job-events');
    await mkdir(fresh, { recursive: true });
    await writeFile(path.join(fresh, segment), bytes.subarray(0, length));
    const writer = await StoreWriter.create(optionsFor(fresh));
    await writeGroups(writer, [[smallSubmitted]]);
    await writer.seal();
    await writer.close();
    expect(await (await openJobLog(fresh)).summary()).toMatchObject({ events: 1, findings: [] });
  });

  test('damage to an acknowledged first group is never started over', async () => {
    const { folder, segment, bytes } = await firstWrite();
    const flipped = Buffer.from(bytes);
    flipped[100] = (bytes[100] as number) ^ 1;
    await writeFile(path.join(folder, segment), flipped);
    const before = await filesOf(folder);
    await expect(StoreWriter.create(optionsFor(folder, { epoch: 2 }))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await expect(StoreWriter.resume(optionsFor(folder, { epoch: 2 }))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    expect(await filesOf(folder)).toEqual(before);
  });
});
