// A Flink store as a JobLog: its records in the order in which Flink reads them, up to what makes Flink's replay fail, and
// what was found on the way. Where Flink loses bytes silently the records go on behind them, as Flink does, and a finding
// says so. Reads only, in chunks, also while a JobMaster writes. Spec: docs/flink.md, "Damage".
import path from 'node:path';
import { JobrecError, messageOf } from '../../model/errors.ts';
import type {
  Damage,
  Finding,
  FindingCode,
  JobLog,
  LogRecord,
  SegmentInfo,
  StoreSummary,
} from '../../model/job-log.ts';
import type { SegmentBytes } from '../segment-bytes.ts';
import type { Undecodable } from './decoded.ts';
import { type EventFile, type EventFiles, readEventFiles } from './event-files.ts';
import { openFileBytes } from './file-bytes.ts';
import { type FlinkPlace, flinkFinding } from './flink-findings.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { type FlinkFrame, type FrameStop, frameHeadBytes, frameType, walkFrames } from './frame-walk.ts';
import { hiddenFrameBehind } from './hidden-frames.ts';

/** Version of the frames. Flink's own version is told by fields of the events, not by the frames. */
export const flinkFormatVersion = 1;

export interface FlinkLogEnd {
  readonly findings: readonly Finding[];
  readonly segments: readonly SegmentInfo[];
  readonly damage: Damage | null;
}

/** Where the bytes of a file come from. */
export type OpenEventFile = (file: EventFile) => Promise<SegmentBytes>;

/** One walk over a store. Iterate `batches()` to its end, then ask for `end()`. */
export class FlinkScan {
  readonly #store: EventFiles;
  readonly #open: OpenEventFile;
  readonly #decoder = new FrameDecoder();
  readonly #findings: Finding[] = [];
  readonly #segments: SegmentInfo[] = [];
  #nextSequence = 0;
  #failed = false;
  /** How the file that is being read ended. */
  #fileEnd: number | null = null;

  constructor(
    store: EventFiles,
    open: OpenEventFile = (file) => openFile(path.join(store.folder, file.name), file.size),
  ) {
    this.#store = store;
    this.#open = open;
  }

  async *batches(): AsyncGenerator<LogRecord[]> {
    for (const [index, file] of this.#store.files.entries()) {
      const isLast = index === this.#store.files.length - 1;
      yield* this.#file(file, isLast);
      if (this.#failed) break;
    }
    if (!this.#failed) this.#afterLastFile();
  }

  end(): FlinkLogEnd {
    const error = this.#findings.find((found) => found.severity === 'error');
    const damage = error && { segment: error.segment ?? '', offset: error.offset ?? 0, code: error.code };
    return { findings: this.#findings, segments: [...this.#segments, ...this.#unread()], damage: damage ?? null };
  }

  async *#file(file: EventFile, isLast: boolean): AsyncGenerator<LogRecord[]> {
    const source = await this.#open(file);
    const first = this.#nextSequence;
    this.#fileEnd = null;
    try {
      for await (const { frames, stop } of walkFrames(source)) {
        const records = this.#decodeAll(file, frames);
        if (records.length > 0) yield records;
        if (stop !== null && this.#fileEnd === null) await this.#stopped(file, source, stop, isLast);
        if (this.#fileEnd !== null) break;
      }
      this.#segments.push(this.#segmentInfo(file, first, this.#fileEnd ?? file.size));
    } finally {
      await source.close();
    }
  }

  #decodeAll(file: EventFile, frames: readonly FlinkFrame[]): LogRecord[] {
    const records: LogRecord[] = [];
    for (const frame of frames) {
      const decoded = this.#decoder.decode(frame);
      if (!decoded.ok) {
        this.#undecodable(file, frame, decoded);
        break;
      }
      records.push({
        sequence: this.#nextSequence++,
        timeMicros: null,
        epoch: null,
        segment: file.name,
        offset: frame.offset,
        bytes: frameHeadBytes + frame.payload.length,
        event: decoded.value,
      });
    }
    return records;
  }

  #undecodable(file: EventFile, { type, offset, payload }: FlinkFrame, why: Undecodable): void {
    const place = this.#placeAt(file, offset);
    const isKnown = type in typeNames;
    const at = offset + frameHeadBytes + why.offset;
    const code: FindingCode = isKnown ? 'PAYLOAD_INVALID' : 'UNKNOWN_TYPE';
    const what = `event ${this.#nextSequence} of ${payload.length} bytes does not decode at byte ${at}: ${why.reason}`;
    const skips = isKnown && type !== frameType.vertexFinished && why.ended;
    this.#findings.push(flinkFinding(code, 'error', place, what, skips ? 'skips-rest-of-file' : 'deletes-store'));
    this.#failed = !skips;
    this.#fileEnd = offset;
  }

  async #stopped(file: EventFile, source: SegmentBytes, stop: FrameStop, isLast: boolean): Promise<void> {
    const place = this.#placeAt(file, stop.offset);
    this.#fileEnd = stop.offset;
    if (stop.kind === 'negative-length') {
      const message = `a frame in ${file.name} declares ${stop.length} bytes`;
      this.#findings.push(flinkFinding('BAD_LENGTH', 'error', place, message, 'deletes-store'));
      this.#failed = true;
      return;
    }
    const hidden = await hiddenFrameBehind(source, stop.offset);
    if (hidden === null) this.#torn(file, place, isLast);
    else {
      const message = `a frame in ${file.name} declares ${stop.length} bytes, beyond the file's end; whole events lie behind it (the first at byte ${hidden})`;
      this.#findings.push(flinkFinding('BAD_LENGTH', 'error', place, message, 'skips-rest-of-file'));
    }
  }

  /** In an older file a later JobMaster went on from the events before it, so that nothing else is lost either. */
  #torn(file: EventFile, place: FlinkPlace, isLast: boolean): void {
    const where = isLast ? '' : ', which is not the last file';
    const message = `the last write to ${file.name} never ended: ${place.bytesLost} bytes are no whole event${where}`;
    const severity = isLast ? 'warning' : 'error';
    this.#findings.push(flinkFinding('TORN_TAIL', severity, place, message, 'skips-rest-of-file'));
  }

  #placeAt(file: EventFile, offset: number): FlinkPlace {
    return { segment: file.name, offset, sequence: this.#nextSequence, bytesLost: file.size - offset };
  }

  #afterLastFile(): void {
    const { files, hidden } = this.#store;
    const firstHidden = hidden[0];
    if (firstHidden !== undefined) {
      const bytesLost = hidden.reduce((sum, file) => sum + file.size, 0);
      const place = { segment: firstHidden.name, offset: 0, sequence: this.#nextSequence, bytesLost };
      const message = `events.${files.length} is missing, so that ${hidden.length} later files (${bytesLost} bytes) are hidden`;
      this.#findings.push(flinkFinding('SEGMENT_GAP', 'error', place, message, 'hides-later-files'));
    }
    if (files.length > 0 && this.#nextSequence === 0) {
      const place = { segment: files[0]?.name ?? null, offset: 0, sequence: null, bytesLost: 0 };
      const message = 'the store exists and holds no event';
      this.#findings.push(flinkFinding('EMPTY_STORE', 'warning', place, message, 'hangs'));
    }
  }

  #segmentInfo(file: EventFile, first: number, end: number): SegmentInfo {
    const events = this.#nextSequence - first;
    return {
      name: file.name,
      bytes: file.size,
      events,
      firstSequence: events === 0 ? null : first,
      lastSequence: events === 0 ? null : this.#nextSequence - 1,
      // A later file was begun, so that nothing is written to this one any more.
      sealed: file !== this.#store.files.at(-1),
      tornBytes: file.size - end,
    };
  }

  /** Files behind the damage or a gap: listed, not read. */
  #unread(): SegmentInfo[] {
    const { files, hidden } = this.#store;
    return [...files.slice(this.#segments.length), ...hidden].map(({ name, size: bytes }) => ({
      name,
      bytes,
      events: 0,
      firstSequence: null,
      lastSequence: null,
      sealed: false,
      tornBytes: 0,
    }));
  }
}

const typeNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(frameType).map(([name, type]) => [type, name]),
);

async function openFile(file: string, size: number): Promise<SegmentBytes> {
  return openFileBytes(file, size).catch((cause) => {
    const message = `${file} cannot be read any more: ${messageOf(cause)}`;
    throw new JobrecError('STORE_UNREADABLE', message, { data: { path: file }, cause });
  });
}

export class FlinkLog implements JobLog {
  readonly format = 'flink';
  readonly #store: EventFiles;
  #end: FlinkLogEnd | null = null;

  constructor(store: EventFiles) {
    this.#store = store;
  }

  get location(): string {
    return this.#store.folder;
  }

  /** Flink retires nothing, and its snapshots are parts of its events. */
  readonly firstSequence = 0;

  async snapshots(): Promise<[]> {
    return [];
  }

  async *records(): AsyncGenerator<LogRecord> {
    const scan = new FlinkScan(this.#store);
    for await (const batch of scan.batches()) {
      for (const record of batch) yield record;
    }
    this.#end = scan.end();
  }

  async summary(): Promise<StoreSummary> {
    const { segments, findings, damage } = await this.scanToEnd();
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    const events = segments.reduce((sum, segment) => sum + segment.events, 0);
    const files = { bytes, events, segments, snapshots: [] };
    return {
      format: this.format,
      formatVersion: flinkFormatVersion,
      location: this.location,
      ...files,
      findings,
      damage,
    };
  }

  /** What a walk to the end found; a walk over all records has been one. */
  async scanToEnd(): Promise<FlinkLogEnd> {
    if (this.#end !== null) return this.#end;
    const scan = new FlinkScan(this.#store);
    for await (const _batch of scan.batches());
    this.#end = scan.end();
    return this.#end;
  }
}

export async function openFlinkLog(folder: string): Promise<FlinkLog> {
  return new FlinkLog(await readEventFiles(folder));
}
