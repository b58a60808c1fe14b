// The walk over one segment: whole frames in order, and at the end a verdict on the bytes behind them. Invariant: it
// never throws for bad bytes, never skips a frame, and calls bytes torn only if no mark proves that they were on disk.
// Spec: docs/format.md, "Marks, and what they prove".
import type { SegmentHeader } from './format.ts';
import { headerBytes } from './format.ts';
import {
  type FoundMark,
  type FrameHead,
  frameHeadBytes,
  markBytes,
  marksIn,
  markType,
  readFrame,
  readMark,
} from './frame.ts';
import { type SegmentBytes, windowsOver } from './segment-bytes.ts';

/** An event's frame: good checksum, expected sequence number. */
export interface WalkedFrame {
  readonly head: FrameHead;
  /** Position in the segment. */
  readonly offset: number;
  /** A view on the read window; copy what outlives the walk. */
  readonly payload: Buffer;
}

export interface WalkLimits {
  /** The segment is known to be whole up to here (cut, or sealed in the manifest); null: it may have a torn tail. */
  readonly wholeUpTo: number | null;
  /** Events from this sequence on belong to the next segment; null: no such bound. */
  readonly nextBase: number | null;
  /** Where a walk that leaves out the beginning starts: at a frame. */
  readonly from?: { readonly offset: number; readonly nextSequence: number };
}

export type StopCode = 'CHECKSUM_MISMATCH' | 'BAD_LENGTH' | 'SEQUENCE_GAP';

export interface SegmentEnd {
  /** Length of the good prefix: the position behind the last whole frame. */
  readonly offset: number;
  readonly nextSequence: number;
  readonly sealed: boolean;
  /** null: the walk came to the end of what counts. */
  readonly stop: null | { readonly code: StopCode; readonly torn: boolean; readonly bytesLost: number };
}

type Step =
  | { readonly kind: 'event'; readonly head: FrameHead }
  | { readonly kind: 'mark'; readonly bytes: number; readonly seal: boolean }
  | { readonly kind: 'end' }
  | { readonly kind: 'more'; readonly bytes: number }
  | { readonly kind: 'stop'; readonly code: StopCode };

/** Small enough that the records of one window die young. */
const windowBytes = 64 * 1024;

/** Yields whole event frames in groups, and returns where and why it stopped. */
export async function* walkSegment(
  source: SegmentBytes,
  header: SegmentHeader,
  limits: WalkLimits,
): AsyncGenerator<WalkedFrame[], SegmentEnd> {
  const walk = new SegmentWalk(source, header, limits);
  while (!walk.ended) {
    const frames = await walk.nextGroup();
    if (frames.length > 0) yield frames;
  }
  return walk.end();
}

class SegmentWalk {
  readonly #source: SegmentBytes;
  readonly #header: SegmentHeader;
  readonly #limits: WalkLimits;
  /** Bytes at and behind this position do not count. */
  readonly #limit: number;
  #offset: number;
  #nextSequence: number;
  #wanted = windowBytes;
  #sealed = false;
  #stop: StopCode | null = null;
  ended = false;

  constructor(source: SegmentBytes, header: SegmentHeader, limits: WalkLimits) {
    this.#source = source;
    this.#header = header;
    this.#limits = limits;
    this.#limit = Math.min(source.size, limits.wholeUpTo ?? source.size);
    this.#offset = limits.from?.offset ?? headerBytes;
    this.#nextSequence = limits.from?.nextSequence ?? header.baseSequence;
  }

  /** The events of the next window; empty at the end, or when a frame needs a larger window. */
  async nextGroup(): Promise<WalkedFrame[]> {
    const base = this.#offset;
    const length = Math.min(this.#wanted, this.#limit - base);
    const window = await this.#source.read(base, length);
    // fewer bytes than asked for: the file was shortened since it was opened
    const last = base + length >= this.#limit || window.length < length;
    const frames: WalkedFrame[] = [];
    for (;;) {
      const step = this.#step(window, base, last);
      if (step.kind === 'event') frames.push(this.#takeEvent(window, base, step.head));
      else if (step.kind === 'mark') this.#takeMark(step.bytes, step.seal);
      else return this.#leave(step, frames);
    }
  }

  #step(window: Buffer, base: number, last: boolean): Step {
    const at = this.#offset - base;
    if (at === window.length) return last ? { kind: 'end' } : { kind: 'more', bytes: windowBytes };
    if (this.#sealed) return { kind: 'stop', code: 'BAD_LENGTH' };
    const verdict = readFrame(window, at, this.#header.crc);
    if (verdict.kind === 'bad') return { kind: 'stop', code: verdict.code };
    if (verdict.kind === 'short')
      return last ? { kind: 'stop', code: 'BAD_LENGTH' } : { kind: 'more', bytes: verdict.bytes };
    return this.#judge(window, base, verdict.head);
  }

  #judge(window: Buffer, base: number, head: FrameHead): Step {
    const { nextBase } = this.#limits;
    if (head.type === markType) {
      const mark = readMark(window, this.#offset - base, head, base);
      if (mark === null) return { kind: 'stop', code: 'CHECKSUM_MISMATCH' };
      if (head.sequence !== this.#nextSequence) return { kind: 'stop', code: 'SEQUENCE_GAP' };
      return { kind: 'mark', bytes: head.bytes, seal: mark.seal };
    }
    if (head.sequence !== this.#nextSequence) return { kind: 'stop', code: 'SEQUENCE_GAP' };
    return nextBase !== null && head.sequence >= nextBase ? { kind: 'end' } : { kind: 'event', head };
  }

  #takeEvent(window: Buffer, base: number, head: FrameHead): WalkedFrame {
    const offset = this.#offset;
    const at = offset - base;
    this.#offset += head.bytes;
    this.#nextSequence += 1;
    return { head, offset, payload: window.subarray(at + frameHeadBytes, at + head.bytes) };
  }

  #takeMark(bytes: number, seal: boolean): void {
    this.#offset += bytes;
    this.#sealed = seal;
  }

  #leave(step: Step, frames: WalkedFrame[]): WalkedFrame[] {
    this.#wanted = step.kind === 'more' ? Math.max(windowBytes, step.bytes) : windowBytes;
    this.ended = step.kind !== 'more';
    if (step.kind === 'stop') this.#stop = step.code;
    return frames;
  }

  async end(): Promise<SegmentEnd> {
    const { wholeUpTo } = this.#limits;
    const short = wholeUpTo !== null && this.#source.size < wholeUpTo && this.#stop === null;
    const code = short ? 'BAD_LENGTH' : this.#stop;
    const place = { offset: this.#offset, nextSequence: this.#nextSequence, sealed: this.#sealed };
    if (code === null || (await this.#isSpace())) return { ...place, stop: null };
    const bytesLost = Math.max(wholeUpTo ?? 0, this.#source.size) - this.#offset;
    return { ...place, stop: { code, torn: await this.#isTorn(code), bytesLost } };
  }

  /** Preallocated zero bytes up to the end of a segment that is still open. */
  async #isSpace(): Promise<boolean> {
    if (this.#limits.wholeUpTo !== null || this.#sealed) return false;
    const rest = { from: this.#offset, to: this.#limit, overlap: 0 };
    for await (const { bytes } of windowsOver(this.#source, rest)) {
      if (!bytes.equals(Buffer.alloc(bytes.length))) return false;
    }
    return true;
  }

  async #isTorn(code: StopCode): Promise<boolean> {
    const { wholeUpTo, nextBase } = this.#limits;
    // A good checksum with a wrong sequence number was written so: no interrupted write does that.
    if (wholeUpTo !== null || this.#sealed || code === 'SEQUENCE_GAP') return false;
    if (nextBase !== null && this.#nextSequence < nextBase) return false;
    for await (const { syncedLength } of marksBehind(this.#source, this.#header, this.#offset)) {
      if (syncedLength > this.#offset) return false;
    }
    return true;
  }
}

/** The marks anywhere behind `offset`, in bounded reads. A mark in the overlap of two windows may come twice. */
export async function* marksBehind(
  source: SegmentBytes,
  { crc }: SegmentHeader,
  offset: number,
): AsyncGenerator<FoundMark> {
  const rest = { from: offset, to: source.size, overlap: markBytes - 1 };
  for await (const { bytes, base } of windowsOver(source, rest)) yield* marksIn(bytes, base, crc);
}

/** Whether whole frames stand at `offset`, as a fenced writer leaves them behind a cut. */
export async function hasWholeFrameAt(source: SegmentBytes, header: SegmentHeader, offset: number): Promise<boolean> {
  const head = await source.read(offset, windowBytes);
  let verdict = readFrame(head, 0, header.crc);
  if (verdict.kind === 'short' && verdict.bytes > head.length && offset + verdict.bytes <= source.size) {
    verdict = readFrame(await source.read(offset, verdict.bytes), 0, header.crc);
  }
  return verdict.kind === 'good';
}
