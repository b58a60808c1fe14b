// Reads damaged Flink stores from memory and holds what must be true of any bytes: no exception, records in order, a
// finding for whatever could not be read, and known shapes that say what the parser says.
import { expect } from 'vitest';
import type { LogRecord } from '../../../src/model/job-log.ts';
import type { EventFiles } from '../../../src/store/flink/event-files.ts';
import { type FlinkLogEnd, FlinkScan } from '../../../src/store/flink/flink-log.ts';
import { FrameDecoder } from '../../../src/store/flink/frame-decoder.ts';
import { type FlinkFrame, frameHeadBytes } from '../../../src/store/flink/frame-walk.ts';
import { segmentBytesOf } from '../../../src/store/segment-bytes.ts';

export type Files = ReadonlyMap<string, Buffer>;

export interface ReadStore {
  readonly records: readonly LogRecord[];
  readonly end: FlinkLogEnd;
}

export async function readStore(files: Files): Promise<ReadStore> {
  const store: EventFiles = {
    folder: '/nowhere',
    files: [...files].map(([name, bytes]) => ({ name, size: bytes.length })),
    hidden: [],
  };
  const scan = new FlinkScan(store, async ({ name }) => segmentBytesOf(files.get(name) as Buffer));
  const records: LogRecord[] = [];
  for await (const batch of scan.batches()) records.push(...batch);
  return { records, end: scan.end() };
}

/** What holds for every store, whatever its bytes; `changed`: the one file that differs from a store that was held before. */
export async function expectSane(files: Files, changed: string | null = null): Promise<ReadStore> {
  const read = await readStore(files);
  const { records, end } = read;
  expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, index) => index));
  expect(end.segments.map(({ name, bytes }) => [name, bytes])).toEqual(
    [...files].map(([name, { length }]) => [name, length]),
  );
  expect(end.segments.reduce((sum, { events }) => sum + events, 0)).toBe(records.length);
  for (const { name, bytes, tornBytes, events } of end.segments) {
    const read = records.filter(({ segment }) => segment === name);
    expect(read.length).toBe(events);
    const whole = read.reduce((sum, record) => sum + record.bytes, 0);
    const isRead = !(end.damage !== null && events === 0 && tornBytes === 0);
    if (isRead) expect(whole + tornBytes).toBe(bytes);
  }
  for (const { segment, tornBytes } of end.segments.map(({ name, tornBytes }) => ({ segment: name, tornBytes }))) {
    if (tornBytes > 0) expect(end.findings.some((found) => found.segment === segment)).toBe(true);
  }
  for (const found of end.findings) expect(found.message).toContain(';');
  expectShapesAgree(
    files,
    records.filter(({ segment }) => changed === null || segment === changed),
  );
  return read;
}

/** Each event again, by a decoder that has met no shape yet. */
function expectShapesAgree(files: Files, records: readonly LogRecord[]): void {
  for (const { segment, offset, bytes, event } of records) {
    const frame = (files.get(segment) as Buffer).subarray(offset, offset + bytes);
    expect(new FrameDecoder().decode(frameOf(frame, offset))).toEqual({ ok: true, value: event });
  }
}

function frameOf(frame: Buffer, offset: number): FlinkFrame {
  const payload = frame.subarray(frameHeadBytes);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return { type: frame.readInt32BE(0), offset, payload, view };
}

/** `files` with one of them replaced. */
export function withFile(files: Files, name: string, bytes: Buffer): Files {
  return new Map([...files].map(([each, old]) => [each, each === name ? bytes : old]));
}

export function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ mask;
  return copy;
}

/** Cuts `name` at `at` and holds that exactly the whole events before stay, and those of the other files. */
export async function expectCut(files: Files, whole: readonly LogRecord[], name: string, at: number): Promise<void> {
  const bytes = files.get(name) as Buffer;
  const { records, end } = await expectSane(withFile(files, name, bytes.subarray(0, at)), name);
  const expected = whole.filter(({ segment, offset, bytes }) => segment !== name || offset + bytes <= at);
  expect(records.map(({ segment, offset, event }) => ({ segment, offset, event }))).toEqual(
    expected.map(({ segment, offset, event }) => ({ segment, offset, event })),
  );
  const lastEnd = expected.filter(({ segment }) => segment === name).reduce((sum, record) => sum + record.bytes, 0);
  const torn = end.findings.filter((found) => found.code === 'TORN_TAIL' && found.segment === name);
  expect(torn.map(({ bytesLost }) => bytesLost)).toEqual(lastEnd === at ? [] : [at - lastEnd]);
}

/** A small, seedable generator (mulberry32): numbers below 1. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Mutate = (bytes: Buffer, random: () => number) => Buffer;

const mutations: readonly Mutate[] = [
  (bytes, random) => flipped(bytes, place(bytes, random), 1 << Math.floor(random() * 8)),
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    copy[place(bytes, random)] = Math.floor(random() * 256);
    return copy;
  },
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  // Numbers that counts and lengths are afraid of.
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const numbers = [0, 1, -1, 0x7fffffff, -0x80000000, 0x7e0000, 0xffff];
    copy.writeInt32BE(numbers[Math.floor(random() * numbers.length)] ?? 0, Math.floor(random() * (bytes.length - 4)));
    return copy;
  },
  // A range repeated, left out, or moved.
  (bytes, random) => {
    const [from, to] = [place(bytes, random), place(bytes, random)].sort((a, b) => a - b) as [number, number];
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  (bytes, random) => {
    const from = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + Math.floor(random() * 64))]);
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const length = Math.floor(random() * 64);
    copy.copy(
      copy,
      Math.floor(random() * (bytes.length - length)),
      Math.floor(random() * (bytes.length - length)),
      bytes.length,
    );
    return copy;
  },
];

function place(bytes: Buffer, random: () => number): number {
  return Math.floor(random() * bytes.length);
}

/** Some bytes of one file changed, one to four times; which file it was. */
export function mutated(files: Files, random: () => number): [files: Files, name: string | null] {
  const names = [...files].filter(([, bytes]) => bytes.length > 128).map(([name]) => name);
  const name = names[Math.floor(random() * names.length)];
  if (name === undefined) return [files, null];
  let bytes = files.get(name) as Buffer;
  for (let round = Math.floor(random() * 4); round >= 0 && bytes.length > 128; round--) {
    bytes = (mutations[Math.floor(random() * mutations.length)] as Mutate)(bytes, random);
  }
  return [withFile(files, name, bytes), name];
}
