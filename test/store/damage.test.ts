// Damage verbs on one segment, each with the result, the bytes lost and the reason; and what the chain makes of files
// that are missing, foreign or left over. The sample: three groups of events, each but the last followed by a mark.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Encoder } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { decodeHeader, encodeHeader, headerBytes, manifestName } from '../../src/store/format.ts';
import {
  frameHeadBytes,
  markBytes,
  noVertex,
  optionalFlag,
  writeFrameCrc,
  writeFrameHead,
} from '../../src/store/frame.ts';
import { decodeManifest, encodeManifest } from '../../src/store/manifest.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import {
  filesOf,
  finished,
  optionsFor,
  recordsOf,
  smallSubmitted,
  temporaryFolder,
  writeGroups,
  writeThreeEpochs,
} from './sample-store.ts';

/** One segment under the knife. */
class Patient {
  readonly folder: string;
  readonly segment: string;
  bytes: Buffer;
  readonly #offsets: readonly number[];

  private constructor(folder: string, segment: string, bytes: Buffer, offsets: readonly number[]) {
    this.folder = folder;
    this.segment = segment;
    this.bytes = bytes;
    this.#offsets = offsets;
  }

  /** Groups of 1, 2 and 2 events; `marked`: the last group is followed by its mark, too. */
  static async admit(marked = false): Promise<Patient> {
    const folder = path.join(await temporaryFolder(), 'job-events');
    const writer = await StoreWriter.create(optionsFor(folder));
    await writeGroups(writer, [[smallSubmitted], [finished(0), finished(1)], [finished(2), finished(3)]]);
    await writer.close();
    const [[segment, bytes]] = [...(await filesOf(folder))] as [[string, Buffer]];
    const records = await recordsOf(await openJobLog(folder));
    const kept = marked ? bytes : bytes.subarray(0, bytes.length - markBytes);
    return new Patient(
      folder,
      segment,
      Buffer.from(kept),
      records.map((record) => record.offset),
    );
  }

  /** Where event `sequence` begins. */
  at(sequence: number): number {
    return this.#offsets[sequence] as number;
  }

  get seed(): number {
    return this.bytes.readUInt32LE(headerBytes - 4);
  }

  set(offset: number, value: number): void {
    this.bytes[offset] = value;
  }

  increment(offset: number): void {
    this.bytes[offset] = ((this.bytes[offset] as number) + 1) & 0xff;
  }

  cutTo(length: number): void {
    this.bytes = this.bytes.subarray(0, length);
  }

  append(bytes: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  fixChecksum(offset: number): void {
    writeFrameCrc(this.bytes, offset, this.seed);
  }

  /** A whole frame that the writer would not write. */
  appendFrame(fields: { type: number; flags?: number; sequence: number; cells?: unknown }): void {
    const payload = Buffer.from(new Encoder().encode(fields.cells ?? []));
    const frame = Buffer.concat([Buffer.alloc(frameHeadBytes), payload]);
    const { type, sequence, flags = 0 } = fields;
    writeFrameHead(frame, 0, { type, flags, vertex: noVertex, sequence, timeMicros: 9e15 }, payload.length);
    writeFrameCrc(frame, 0, this.seed);
    this.append(frame);
  }

  /** Events that are left, and the findings as `[code, severity, offset, bytesLost]`. */
  async examine() {
    await writeFile(path.join(this.folder, this.segment), this.bytes);
    const log = await openJobLog(this.folder);
    const { findings, damage, segments } = await log.summary();
    const events = (await recordsOf(log)).length;
    const lines = findings.map(({ code, severity, offset, bytesLost }) => [code, severity, offset, bytesLost]);
    return { events, findings: lines, damage, segment: segments[0] };
  }
}

test('a flaw in the first event leaves nothing to read, and says so', async () => {
  const patient = await Patient.admit(true);
  patient.increment(patient.at(0) + frameHeadBytes);
  expect(await patient.examine()).toMatchObject({ events: 0 });
  const [finding] = (await (await openJobLog(patient.folder)).summary()).findings;
  expect(finding?.message).toMatch(/is damaged at byte \d+: .*; no event of the log can be read$/);
});

describe('torn: the last group never got its mark', () => {
  test('nothing wrong', async () => {
    const patient = await Patient.admit();
    expect(await patient.examine()).toMatchObject({ events: 5, findings: [], damage: null, segment: { tornBytes: 0 } });
  });

  test('the last event cut short', async () => {
    const patient = await Patient.admit();
    const lost = 20;
    patient.cutTo(patient.at(4) + lost);
    expect(await patient.examine()).toMatchObject({
      events: 4,
      findings: [['TORN_TAIL', 'warning', patient.at(4), lost]],
      damage: null,
      segment: { tornBytes: lost, events: 4, lastSequence: 3 },
    });
  });

  test('cut at a frame: a shorter log, which nothing can tell from a whole one', async () => {
    const patient = await Patient.admit();
    patient.cutTo(patient.at(4));
    expect(await patient.examine()).toMatchObject({ events: 4, findings: [] });
  });

  test('a bad checksum in the last group loses what follows in it', async () => {
    const patient = await Patient.admit();
    patient.increment(patient.at(3));
    const lost = patient.bytes.length - patient.at(3);
    expect(await patient.examine()).toMatchObject({
      events: 3,
      findings: [['TORN_TAIL', 'warning', patient.at(3), lost]],
    });
  });

  test('a length beyond the end of the file', async () => {
    const patient = await Patient.admit();
    patient.increment(patient.at(4) + 5);
    expect(await patient.examine()).toMatchObject({
      events: 4,
      findings: [['TORN_TAIL', 'warning', patient.at(4), expect.any(Number)]],
    });
  });

  test('a length beyond every bound takes no memory', async () => {
    const patient = await Patient.admit();
    patient.bytes.fill(0xff, patient.at(4) + 4, patient.at(4) + 8);
    expect(await patient.examine()).toMatchObject({
      events: 4,
      findings: [['TORN_TAIL', 'warning', patient.at(4), expect.any(Number)]],
    });
  });

  test('rubbish behind the last frame', async () => {
    const patient = await Patient.admit(true);
    const end = patient.bytes.length;
    patient.append(Buffer.from('rubbish'));
    expect(await patient.examine()).toMatchObject({ events: 5, findings: [['TORN_TAIL', 'warning', end, 7]] });
  });

  test('zero bytes behind the last frame are space, not damage', async () => {
    const patient = await Patient.admit(true);
    patient.append(Buffer.alloc(200_000));
    expect(await patient.examine()).toMatchObject({ events: 5, findings: [], damage: null });
  });

  test('zero bytes, and then something, are torn', async () => {
    const patient = await Patient.admit(true);
    const end = patient.bytes.length;
    patient.append(Buffer.concat([Buffer.alloc(200_000), Buffer.from('x')]));
    expect(await patient.examine()).toMatchObject({ events: 5, findings: [['TORN_TAIL', 'warning', end, 200_001]] });
  });
});

describe('corrupt: a mark says that it was on disk', () => {
  test('a bad checksum below the last mark', async () => {
    const patient = await Patient.admit();
    patient.increment(patient.at(1));
    const lost = patient.bytes.length - patient.at(1);
    expect(await patient.examine()).toMatchObject({
      events: 1,
      findings: [['CHECKSUM_MISMATCH', 'error', patient.at(1), lost]],
      damage: { code: 'CHECKSUM_MISMATCH', offset: patient.at(1), segment: patient.segment },
    });
  });

  test('the same in the last group, once its mark is there', async () => {
    const patient = await Patient.admit(true);
    patient.increment(patient.at(4) + 30);
    expect(await patient.examine()).toMatchObject({
      events: 4,
      findings: [['CHECKSUM_MISMATCH', 'error', patient.at(4), expect.any(Number)]],
    });
  });

  test('a length beyond every bound', async () => {
    const patient = await Patient.admit();
    patient.bytes.fill(0xff, patient.at(1) + 4, patient.at(1) + 8);
    expect(await patient.examine()).toMatchObject({
      events: 1,
      findings: [['BAD_LENGTH', 'error', patient.at(1), expect.any(Number)]],
    });
  });

  test('zeroed from the middle of the log on, with a mark behind the hole', async () => {
    const patient = await Patient.admit();
    patient.bytes.fill(0, patient.at(0), patient.at(1) - markBytes);
    expect(await patient.examine()).toMatchObject({
      events: 0,
      findings: [['CHECKSUM_MISMATCH', 'error', patient.at(0), expect.any(Number)]],
    });
  });

  test('a hole of a megabyte before the mark', async () => {
    const patient = await Patient.admit();
    const tail = patient.bytes.subarray(patient.at(1) - markBytes);
    patient.cutTo(patient.at(1) - markBytes);
    const end = patient.bytes.length;
    patient.append(Buffer.concat([Buffer.alloc(1_000_000, 5), tail]));
    // the mark is not where it was written, so it proves nothing
    expect(await patient.examine()).toMatchObject({
      events: 1,
      findings: [['TORN_TAIL', 'warning', end, expect.any(Number)]],
    });
  });

  test('an event twice, though with a good checksum', async () => {
    const patient = await Patient.admit();
    patient.appendFrame({ type: 65, flags: optionalFlag, sequence: 4, cells: ['w', 'x'] });
    expect(await patient.examine()).toMatchObject({
      events: 5,
      findings: [['SEQUENCE_GAP', 'error', expect.any(Number), expect.any(Number)]],
    });
  });

  test('an event left out', async () => {
    const patient = await Patient.admit();
    patient.appendFrame({ type: 65, flags: optionalFlag, sequence: 6, cells: ['w', 'x'] });
    expect(await patient.examine()).toMatchObject({
      events: 5,
      findings: [['SEQUENCE_GAP', 'error', expect.any(Number), expect.any(Number)]],
    });
  });

  test('a payload that is no event, under a good checksum', async () => {
    const patient = await Patient.admit();
    patient.set(patient.at(3) + frameHeadBytes, 0xc1);
    patient.fixChecksum(patient.at(3));
    expect(await patient.examine()).toMatchObject({
      events: 3,
      findings: [['PAYLOAD_INVALID', 'error', patient.at(3), expect.any(Number)]],
    });
  });

  test('a frame copied from another segment', async () => {
    const patient = await Patient.admit(true);
    const other = await Patient.admit();
    other.bytes = encodeOtherEpoch(other.bytes);
    const frame = other.bytes.subarray(other.at(4));
    patient.append(frame);
    const { findings, events } = await patient.examine();
    expect(events).toBe(5);
    expect(findings).toMatchObject([['TORN_TAIL', 'warning', expect.any(Number), frame.length]]);
  });
});

/** The same segment as another epoch would have written it. */
function encodeOtherEpoch(bytes: Buffer): Buffer {
  const verdict = decodeHeader(bytes);
  if (verdict.kind !== 'good') throw new Error(verdict.kind);
  const copy = Buffer.concat([encodeHeader({ ...verdict.header, epoch: 2 }), bytes.subarray(headerBytes)]);
  for (let at = headerBytes; at < copy.length; ) at += writeFrameCrc(copy, at, copy.readUInt32LE(headerBytes - 4));
  return copy;
}

describe('types that this version does not know', () => {
  test('optional: counted, skipped, and the log goes on', async () => {
    const patient = await Patient.admit(true);
    patient.appendFrame({ type: 200, flags: optionalFlag, sequence: 5 });
    patient.appendFrame({ type: 65, flags: optionalFlag, sequence: 6, cells: ['w', 'x'] });
    expect(await patient.examine()).toMatchObject({
      events: 6,
      findings: [['UNKNOWN_TYPE', 'info', expect.any(Number), 0]],
      damage: null,
    });
  });

  test.each([
    ['needed', { type: 200, flags: 0 }],
    ['known, with an unknown flag', { type: 2, flags: 0x80 }],
  ])('%s: the log ends there', async (_title, fields) => {
    const patient = await Patient.admit(true);
    patient.appendFrame({ ...fields, sequence: 5, cells: ['RUNNING', null] });
    expect(await patient.examine()).toMatchObject({
      events: 5,
      findings: [['UNKNOWN_TYPE', 'error', expect.any(Number), expect.any(Number)]],
    });
  });

  test('a writer does not go on behind frames that it does not know', async () => {
    const patient = await Patient.admit(true);
    patient.appendFrame({ type: 200, flags: optionalFlag, sequence: 5 });
    await patient.examine();
    await expect(StoreWriter.resume(optionsFor(patient.folder, { epoch: 2 }))).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW',
    });
  });
});

describe('sealed', () => {
  async function sealed() {
    const folder = path.join(await temporaryFolder(), 'job-events');
    const writer = await StoreWriter.create(optionsFor(folder));
    await writeGroups(writer, [[smallSubmitted], [finished(0)]]);
    await writer.seal();
    await writer.close();
    const [[name, bytes]] = [...(await filesOf(folder))] as [[string, Buffer]];
    return { folder, file: path.join(folder, name), bytes };
  }

  test.each([
    ['shorter by a byte', (bytes: Buffer) => bytes.subarray(0, -1), 2],
    ['shorter by its seal', (bytes: Buffer) => bytes.subarray(0, -markBytes), 2],
    ['shorter by a whole group', (bytes: Buffer) => bytes.subarray(0, 300), 1],
    ['longer by a byte', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')]), 2],
    ['longer by zero bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(9)]), 2],
  ])('%s is corrupt: a sealed segment has no torn tail', async (_title, change, events) => {
    const { folder, file, bytes } = await sealed();
    await writeFile(file, change(bytes));
    const log = await openJobLog(folder);
    expect((await recordsOf(log)).length).toBe(events);
    expect((await log.summary()).damage).not.toBeNull();
  });

  test('behind a seal that the manifest does not know of yet, nothing may follow', async () => {
    const { folder, file, bytes } = await sealed();
    const verdict = decodeManifest((await filesOf(folder)).get(manifestName) as Buffer);
    if (verdict.kind !== 'good') throw new Error(verdict.kind);
    const open = verdict.manifest.segments.map((each) => ({ ...each, sealed: false, bytes: null, lastSequence: null }));
    await writeFile(path.join(folder, manifestName), encodeManifest({ ...verdict.manifest, segments: open }));
    expect(await (await openJobLog(folder)).summary()).toMatchObject({ findings: [], segments: [{ sealed: true }] });
    await writeFile(file, Buffer.concat([bytes, Buffer.from('x')]));
    expect((await (await openJobLog(folder)).summary()).damage).toMatchObject({
      code: 'BAD_LENGTH',
      offset: bytes.length,
    });
  });
});

describe('chain and manifest', () => {
  async function threeEpochs() {
    const folder = path.join(await temporaryFolder(), 'job-events');
    await writeThreeEpochs(folder);
    const names = [...(await filesOf(folder)).keys()].filter((name) => name !== manifestName);
    return { folder, names, whole: await recordsOf(await openJobLog(folder)) };
  }

  test('any segment missing ends the log before it, and no writer goes on', async () => {
    const { folder, names, whole } = await threeEpochs();
    for (const name of names) {
      const away = path.join(path.dirname(folder), name);
      await copyFile(path.join(folder, name), away);
      await rm(path.join(folder, name));
      const log = await openJobLog(folder);
      const before = whole.filter(
        (record) => record.segment < name && names.indexOf(record.segment) < names.indexOf(name),
      );
      expect(await recordsOf(log)).toEqual(before);
      expect((await log.summary()).damage).toEqual({ segment: name, offset: 0, code: 'SEGMENT_GAP' });
      await expect(StoreWriter.resume(optionsFor(folder, { epoch: 9 }))).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
      });
      await copyFile(away, path.join(folder, name));
    }
    expect((await (await openJobLog(folder)).summary()).findings).toEqual([]);
  });

  test('a missing manifest is damage, but all events are read', async () => {
    const { folder, whole } = await threeEpochs();
    await rm(path.join(folder, manifestName));
    const log = await openJobLog(folder);
    expect(await recordsOf(log)).toEqual(whole);
    expect((await log.summary()).findings).toMatchObject([
      { code: 'MANIFEST_MISMATCH', severity: 'error', segment: manifestName },
    ]);
    await expect(StoreWriter.resume(optionsFor(folder, { epoch: 9 }))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test('without a manifest, a missing segment in the middle is still noticed', async () => {
    const { folder, names } = await threeEpochs();
    await rm(path.join(folder, manifestName));
    await rm(path.join(folder, names[2] as string));
    const { damage } = await (await openJobLog(folder)).summary();
    expect(damage).toMatchObject({ segment: names[2], code: 'SEGMENT_GAP' });
  });

  test('a manifest that does not name the newest segment yet is sound', async () => {
    const { folder, whole } = await threeEpochs();
    const verdict = decodeManifest((await filesOf(folder)).get(manifestName) as Buffer);
    if (verdict.kind !== 'good') throw new Error(verdict.kind);
    const segments = verdict.manifest.segments.slice(0, -1);
    await writeFile(path.join(folder, manifestName), encodeManifest({ ...verdict.manifest, segments }));
    const log = await openJobLog(folder);
    expect(await recordsOf(log)).toEqual(whole);
    expect((await log.summary()).findings).toEqual([]);
  });

  test("segments below the manifest's first are being retired, and ignored; without a snapshot that is damage", async () => {
    const { folder, names, whole } = await threeEpochs();
    const verdict = decodeManifest((await filesOf(folder)).get(manifestName) as Buffer);
    if (verdict.kind !== 'good') throw new Error(verdict.kind);
    const segments = verdict.manifest.segments.slice(1);
    await writeFile(path.join(folder, manifestName), encodeManifest({ ...verdict.manifest, segments }));
    const log = await openJobLog(folder);
    expect(await recordsOf(log)).toEqual(whole.filter((record) => record.segment !== names[0]));
    expect((await log.summary()).findings).toMatchObject([
      { code: 'SNAPSHOT_MISMATCH', severity: 'error', sequence: 3 },
    ]);
    await expect(StoreWriter.resume(optionsFor(folder, { epoch: 9 }))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test('a segment of another job is not taken in', async () => {
    const { folder, whole } = await threeEpochs();
    const foreign = path.join(path.dirname(folder), 'foreign');
    await mkdir(foreign);
    const writer = await StoreWriter.create(optionsFor(foreign, { jobId: 'f'.repeat(32), epoch: 8 }));
    await writeGroups(writer, [[smallSubmitted]]);
    await writer.close();
    const [name] = [...(await filesOf(foreign)).keys()] as [string];
    await copyFile(path.join(foreign, name), path.join(folder, name));
    const log = await openJobLog(folder);
    expect((await log.summary()).damage).toMatchObject({ segment: name, code: 'MANIFEST_MISMATCH' });
    expect((await recordsOf(log)).length).toBeLessThanOrEqual(whole.length);
  });

  test("a segment under another one's name is not taken in", async () => {
    const { folder, names } = await threeEpochs();
    const bytes = (await filesOf(folder)).get(names[1] as string) as Buffer;
    await writeFile(path.join(folder, names[2] as string), bytes);
    expect((await (await openJobLog(folder)).summary()).damage).toMatchObject({
      segment: names[2],
      code: 'MANIFEST_MISMATCH',
    });
  });
});
