// The log over all segments: decoded records in order up to the first damage, and what was found on the way. One walk
// serves readers, the check and the writer that takes over, so they cannot disagree. Bad bytes are findings here, never
// exceptions. Spec: docs/format.md, "The chain, cuts and fencing" and "Versioning".
import path from 'node:path';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { Damage, Finding, LogRecord, SegmentInfo } from '../model/job-log.ts';
import { type ChainLink, finding, readUpTo } from './chain.ts';
import { EventDecoder } from './event-decoder.ts';
import type { GraphTables } from './event-types.ts';
import { headerBytes, type SegmentHeader, segmentName } from './format.ts';
import { optionalFlag } from './frame.ts';
import type { StoreLayout } from './layout.ts';
import { openSegmentBytes, type SegmentBytes } from './segment-bytes.ts';
import { hasWholeFrameAt, type SegmentEnd, type WalkedFrame, walkSegment } from './segment-reader.ts';

/** How a log ended, for the writer that takes over. */
export interface LogEnd {
  readonly findings: readonly Finding[];
  readonly segments: readonly SegmentInfo[];
  readonly damage: Damage | null;
  readonly nextSequence: number;
  readonly lastTimeMicros: number | null;
  readonly tables: GraphTables;
  /** Last segment of the good prefix and the length of its whole frames; null for a store without segments. */
  readonly last: { readonly link: ChainLink; readonly length: number } | null;
}

export interface ScanOptions {
  /** A writer is at work: the growing tail is not worth a warning. */
  readonly live: boolean;
}

/** Where a walk begins that does not begin with the log: behind a snapshot. */
export interface ScanStart {
  readonly linkIndex: number;
  /** In that link's segment. */
  readonly offset: number;
  readonly nextSequence: number;
  readonly timeMicros: number;
  /** Of the job, which was submitted before. */
  readonly tables: GraphTables;
  /** Why the log does not go on there; null where it does. */
  readonly hole: Finding | null;
}

export interface ScanFrom {
  readonly start?: ScanStart | undefined;
  /** What is known of the snapshots. */
  readonly findings?: readonly Finding[];
}

/** One walk over a store. Iterate `groups()` to its end, then ask for `end()`. */
export class LogScan {
  readonly #layout: StoreLayout;
  readonly #live: boolean;
  readonly #start: ScanStart | null;
  readonly #decoder: EventDecoder;
  readonly #findings: Finding[];
  readonly #segments: SegmentInfo[] = [];
  #damage: Damage | null = null;
  #nextSequence: number;
  #lastTimeMicros: number | null;
  #last: LogEnd['last'] = null;

  constructor(layout: StoreLayout, options: ScanOptions, { start, findings = [] }: ScanFrom = {}) {
    this.#layout = layout;
    this.#live = options.live;
    this.#start = start ?? null;
    this.#decoder = new EventDecoder(start?.tables);
    // Without a snapshot, the first segment of the chain starts the numbering, wherever older ones were retired to.
    this.#nextSequence = start?.nextSequence ?? layout.chain.links[0]?.key.baseSequence ?? 0;
    this.#lastTimeMicros = start?.timeMicros ?? null;
    this.#findings = [...layout.chain.findings, ...findings];
  }

  async *groups(): AsyncGenerator<LogRecord[]> {
    if (this.#start?.hole) this.#damage = damageOf(this.#start.hole);
    for (const link of this.#layout.chain.links.slice(this.#start?.linkIndex ?? 0)) {
      if (link.header === null) this.#damaged(link.flaw as Finding);
      else if (this.#startsWhereItShould(link)) yield* this.#segment(link, link.header);
      if (this.#damage !== null) return;
    }
  }

  end(): LogEnd {
    const firstError = this.#findings.find((found) => found.severity === 'error');
    return {
      findings: this.#findings,
      segments: [...this.#segments, ...this.#unreadSegments()],
      damage: this.#damage ?? (firstError ? damageOf(firstError) : null),
      nextSequence: this.#nextSequence,
      lastTimeMicros: this.#lastTimeMicros,
      tables: this.#decoder.tables,
      last: this.#last,
    };
  }

  #startsWhereItShould(link: ChainLink): boolean {
    const base = link.key.baseSequence;
    if (this.#nextSequence === base || this.#isWithin(link)) return true;
    const message = `${link.name} begins with sequence ${base}, but the log before it ends with ${this.#nextSequence - 1}`;
    this.#damaged(
      finding('SEQUENCE_GAP', 'error', { segment: link.name, offset: 0, sequence: this.#nextSequence, message }),
    );
    return false;
  }

  /** Whether the walk begins in the middle of this segment. */
  #isWithin(link: ChainLink): boolean {
    return this.#start !== null && this.#start.offset > headerBytes && this.#linkAt(this.#start) === link;
  }

  #linkAt({ linkIndex }: ScanStart): ChainLink | null {
    return this.#layout.chain.links[linkIndex] ?? null;
  }

  async *#segment(link: ChainLink, header: SegmentHeader): AsyncGenerator<LogRecord[]> {
    const source = await this.#open(link);
    try {
      const from = this.#isWithin(link) ? { from: this.#start as ScanStart } : {};
      const walk = walkSegment(source, header, { ...link, ...from });
      let events = 0;
      let step = await walk.next();
      while (!step.done && this.#damage === null) {
        const records = this.#decodeAll(link, step.value);
        events += records.length;
        if (records.length > 0) yield records;
        if (this.#damage === null) step = await walk.next();
      }
      await this.#finish(link, source, events, step.done ? step.value : null);
    } finally {
      await source.close();
    }
  }

  async #open(link: ChainLink): Promise<SegmentBytes> {
    const file = path.join(this.#layout.folder, link.name);
    return openSegmentBytes(file, link.size).catch((cause) => {
      const message = `${file} cannot be read any more: ${messageOf(cause)}`;
      throw new JobrecError('STORE_UNREADABLE', message, { data: { path: file }, cause });
    });
  }

  #decodeAll(link: ChainLink, frames: readonly WalkedFrame[]): LogRecord[] {
    const records: LogRecord[] = [];
    for (const frame of frames) {
      const record = this.#decode(link, frame);
      if (record !== null) records.push(record);
      if (this.#damage !== null) break;
      this.#nextSequence = frame.head.sequence + 1;
      this.#lastTimeMicros = frame.head.timeMicros;
      this.#last = { link, length: frame.offset + frame.head.bytes };
    }
    return records;
  }

  #decode(link: ChainLink, frame: WalkedFrame): LogRecord | null {
    const { head, offset } = frame;
    if ((head.flags & ~optionalFlag) !== 0) return this.#unknown(link, frame);
    const decoded = this.#decoder.decode(head.type, head.vertex, frame.payload);
    if (decoded.kind === 'unknown-type') return this.#unknown(link, frame);
    if (decoded.kind === 'invalid') return this.#invalid(link, frame, decoded.reason);
    return {
      sequence: head.sequence,
      timeMicros: head.timeMicros,
      epoch: link.key.epoch,
      segment: link.name,
      offset,
      bytes: head.bytes,
      event: decoded.event,
    };
  }

  #unknown(link: ChainLink, { head, offset }: WalkedFrame): null {
    const place = { segment: link.name, offset, sequence: head.sequence };
    const what = `event ${head.sequence} has type ${head.type}, flags ${head.flags}, which this version does not know`;
    if ((head.flags & optionalFlag) !== 0) {
      this.#findings.push(finding('UNKNOWN_TYPE', 'info', { ...place, message: `${what}; recovery does not need it` }));
    } else {
      this.#damaged(finding('UNKNOWN_TYPE', 'error', { ...place, bytesLost: link.size - offset, message: what }));
    }
    return null;
  }

  #invalid(link: ChainLink, { head, offset }: WalkedFrame, reason: string): null {
    const message = `event ${head.sequence} has a good checksum but no valid content: ${reason}`;
    const place = { segment: link.name, offset, sequence: head.sequence, bytesLost: link.size - offset, message };
    this.#damaged(finding('PAYLOAD_INVALID', 'error', place));
    return null;
  }

  async #finish(link: ChainLink, source: SegmentBytes, events: number, end: SegmentEnd | null): Promise<void> {
    const length = end?.offset ?? (this.#damage as Damage).offset;
    if (end !== null) {
      this.#last = { link, length };
      if (end.stop !== null) this.#stopped(link, end, end.stop);
      else await this.#behindCut(link, source);
    }
    const sealed = link.cut || link.wholeUpTo !== null || (end?.sealed ?? false);
    const torn = end?.stop === null && link.wholeUpTo === null ? 0 : link.size - length;
    this.#segments.push(segmentInfo(link, { events, sealed, tornBytes: torn, nextSequence: this.#nextSequence }));
  }

  #stopped(link: ChainLink, end: SegmentEnd, stop: NonNullable<SegmentEnd['stop']>): void {
    const place = { segment: link.name, offset: end.offset, sequence: end.nextSequence, bytesLost: stop.bytesLost };
    if (stop.torn) {
      const behindLast =
        end.nextSequence === 0 ? 'without an event before them' : `behind sequence ${end.nextSequence - 1}`;
      const message = `the last write to ${link.name} never ended: ${stop.bytesLost} bytes ${behindLast} are no whole frame`;
      this.#findings.push(finding('TORN_TAIL', this.#live ? 'info' : 'warning', { ...place, message }));
      return;
    }
    const message = `${link.name} is damaged at byte ${end.offset}: ${stopReasons[stop.code]}; ${readUpTo(end.nextSequence)}`;
    this.#damaged(finding(stop.code, 'error', { ...place, message }));
  }

  /** Bytes above the length at which a later epoch took over: they count for nothing, but are worth a line. */
  async #behindCut(link: ChainLink, source: SegmentBytes): Promise<void> {
    const { wholeUpTo, header, cut } = link;
    if (wholeUpTo === null || header === null || link.size <= wholeUpTo) return;
    const bytesLost = link.size - wholeUpTo;
    const place = { segment: link.name, offset: wholeUpTo, bytesLost };
    if (!cut) {
      const message = `${bytesLost} bytes stand behind the sealed end of ${link.name}`;
      this.#damaged(finding('BAD_LENGTH', 'error', { ...place, message }));
    } else if (await hasWholeFrameAt(source, header, wholeUpTo)) {
      const message = `a writer that had been fenced off left ${bytesLost} bytes behind the cut of ${link.name}; they are ignored`;
      this.#findings.push(finding('FENCED_WRITES', 'info', { ...place, message }));
    } else {
      const message = `${bytesLost} bytes of a write that never ended stand behind the cut of ${link.name}; they are ignored`;
      this.#findings.push(finding('TORN_TAIL', 'info', { ...place, message }));
    }
  }

  #damaged(found: Finding): void {
    this.#findings.push(found);
    this.#damage = damageOf(found);
  }

  /** Segments behind the damage, and such as the chain leaves out: listed, not read. */
  #unreadSegments(): SegmentInfo[] {
    const read = new Set(this.#segments.map((segment) => segment.name));
    const rest = this.#layout.files.filter((file) => !read.has(segmentName(file.key)));
    return rest.map((file) => ({
      name: segmentName(file.key),
      bytes: file.size,
      events: 0,
      firstSequence: null,
      lastSequence: null,
      sealed: false,
      tornBytes: 0,
    }));
  }
}

const stopReasons = {
  CHECKSUM_MISMATCH: 'a checksum does not match',
  BAD_LENGTH: 'a length does not fit',
  SEQUENCE_GAP: 'a sequence number is out of order',
} as const;

function damageOf(found: Finding): Damage {
  return { segment: found.segment ?? '', offset: found.offset ?? 0, code: found.code };
}

interface SegmentFacts {
  readonly events: number;
  readonly sealed: boolean;
  readonly tornBytes: number;
  readonly nextSequence: number;
}

function segmentInfo(link: ChainLink, facts: SegmentFacts): SegmentInfo {
  const { events, sealed, tornBytes, nextSequence } = facts;
  const some = nextSequence > link.key.baseSequence;
  return {
    name: link.name,
    bytes: link.size,
    events,
    firstSequence: some ? link.key.baseSequence : null,
    lastSequence: some ? nextSequence - 1 : null,
    sealed,
    tornBytes,
  };
}
