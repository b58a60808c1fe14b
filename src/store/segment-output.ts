// The writing end of the log: the active segment, its marks, the cut from one segment to the next and the manifest.
// Invariants: a mark never claims more than a returned sync; a segment is whole and durable before the manifest names
// it; a fenced epoch replaces no manifest. Spec: docs/format.md, "Marks, and what they prove" and "MANIFEST".
import path from 'node:path';
import { invariant, JobrecError } from '../model/errors.ts';
import { temporaryPath } from './atomic-file.ts';
import type { EventBatch } from './event-batch.ts';
import {
  encodeHeader,
  formatVersion,
  headerBytes,
  manifestName,
  type PreviousCut,
  type SegmentHeader,
  segmentName,
} from './format.ts';
import { encodeMark, markBytes } from './frame.ts';
import { encodeManifest, type ManifestSegment, type ManifestSnapshot } from './manifest.ts';
import { createWhole, type StorageFile, type StoragePort, writeWhole } from './storage-port.ts';

export interface SegmentOutputOptions {
  readonly folder: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly storage: StoragePort;
  readonly isFenced: () => Promise<boolean>;
  readonly nowMicros: () => number;
}

/** Where a new segment goes on. */
export interface SegmentStart {
  readonly baseSequence: number;
  readonly previous: PreviousCut | null;
  /** Manifest entries of the segments before it. */
  readonly earlier: readonly ManifestSegment[];
  /** Oldest first. */
  readonly snapshots: readonly ManifestSnapshot[];
}

/** Named by a manifest: the newest, and one more for the case that it is damaged. */
const snapshotsKept = 2;

export class SegmentOutput {
  readonly #options: SegmentOutputOptions;
  #header: Omit<SegmentHeader, 'formatVersion'>;
  #file: StorageFile;
  #earlier: readonly ManifestSegment[];
  #snapshots: readonly ManifestSnapshot[] = [];
  /** Snapshots that the next manifest no longer names. */
  #superseded: readonly ManifestSnapshot[] = [];
  /** Written so far, synced so far, and what the last mark says. */
  #length = headerBytes;
  #synced = headerBytes;
  #marked = headerBytes;
  /** Sequence number behind the last written event, and the time of that event. */
  #nextSequence: number;

  private constructor(options: SegmentOutputOptions, start: SegmentStart, opened: OpenedSegment) {
    this.#options = options;
    this.#header = opened.header;
    this.#file = opened.file;
    this.#earlier = start.earlier;
    this.#nextSequence = start.baseSequence;
    this.#keepNewest(start.snapshots);
  }

  static async open(options: SegmentOutputOptions, start: SegmentStart): Promise<SegmentOutput> {
    // A store's very first segment: without a manifest beside it, it could not be told from one whose manifest is lost.
    if (start.earlier.length === 0 && start.snapshots.length === 0) await replaceManifest(options, [], []);
    const opened = await createSegment(options, start);
    const output = new SegmentOutput(options, start, opened);
    try {
      await output.#replaceManifest(false);
    } catch (error) {
      await opened.file.close().catch(() => {});
      throw error;
    }
    return output;
  }

  get length(): number {
    return this.#length;
  }

  /** Writes the batch, behind a mark if a sync has returned since the last one, and syncs it. */
  async commit(batch: EventBatch): Promise<void> {
    const { timeMicros } = batch.last;
    const mark = this.#synced > this.#marked ? this.#mark(timeMicros, false) : null;
    await this.#write(batch.finish(this.#header.crc, mark));
    this.#nextSequence = batch.last.sequence + 1;
    await this.#sync();
  }

  /** Tells readers how much is on disk, while there is nothing else to write. Needs no sync of its own. */
  async writeMark(): Promise<void> {
    if (this.#synced === this.#marked || this.#synced < this.#length) return;
    await this.#write(this.#mark(this.#options.nowMicros(), false));
  }

  /** Seals the active segment and goes on in a new one. */
  async cut(): Promise<void> {
    await this.#sealSegment();
    const { baseSequence, epoch } = this.#header;
    this.#earlier = [...this.#earlier, this.#entry(true)];
    const previous = { baseSequence, epoch, length: this.#length };
    const opened = await createSegment(this.#options, { baseSequence: this.#nextSequence, previous });
    const full = this.#file;
    this.#header = opened.header;
    this.#file = opened.file;
    this.#length = headerBytes;
    this.#synced = headerBytes;
    this.#marked = headerBytes;
    await full.close();
    await this.#replaceManifest(false);
  }

  /** Ends the log: seal, then the manifest that says so. */
  async seal(): Promise<void> {
    await this.#sealSegment();
    await this.#replaceManifest(true);
  }

  /** A snapshot is there. The next manifest names it: until then readers find it by its name, so nothing waits. */
  noteSnapshot(snapshot: ManifestSnapshot): void {
    this.#keepNewest([...this.#snapshots, snapshot]);
  }

  /** The newest ones; and where history was retired, the one that holds it. */
  #keepNewest(all: readonly ManifestSnapshot[]): void {
    const { baseSequence } = this.#earlier[0] ?? this.#header;
    const isKept = (snapshot: ManifestSnapshot, index: number) =>
      index >= all.length - snapshotsKept || (snapshot.baseSequence === baseSequence && baseSequence > 0);
    this.#superseded = [...this.#superseded, ...all.filter((snapshot, index) => !isKept(snapshot, index))];
    this.#snapshots = all.filter(isKept);
  }

  /** From now on the log begins with the active segment: `snapshot` holds everything before it. */
  async retireEarlier(snapshot: ManifestSnapshot, seals: boolean): Promise<void> {
    invariant(snapshot.baseSequence === this.#header.baseSequence, 'a snapshot of exactly what is retired');
    if (seals) await this.#sealSegment();
    this.#earlier = [];
    this.#snapshots = [snapshot];
    await this.#replaceManifest(seals);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #replaceManifest(sealed: boolean): Promise<void> {
    const { folder, storage } = this.#options;
    // Taken before the manifest is written: one that is superseded meanwhile is still named by it.
    const superseded = this.#superseded;
    this.#superseded = [];
    await replaceManifest(this.#options, [...this.#earlier, this.#entry(sealed)], this.#snapshots);
    // Nobody needs them: one that cannot be removed only takes room.
    for (const { name } of superseded) await storage.remove(path.join(folder, name)).catch(() => {});
  }

  async #sealSegment(): Promise<void> {
    await this.#write(this.#mark(this.#options.nowMicros(), true));
    await this.#sync();
  }

  #mark(timeMicros: number, seal: boolean): Buffer {
    const mark = { ownOffset: this.#length, syncedLength: this.#synced, seal };
    this.#marked = this.#length + markBytes;
    return encodeMark(mark, this.#nextSequence, timeMicros, this.#header.crc);
  }

  async #write(bytes: Buffer): Promise<void> {
    await writeWhole(this.#file, bytes, this.#length);
    this.#length += bytes.length;
  }

  async #sync(): Promise<void> {
    const length = this.#length;
    await this.#file.datasync();
    this.#synced = length;
  }

  #entry(sealed: boolean): ManifestSegment {
    const { baseSequence, epoch } = this.#header;
    const last = this.#nextSequence > baseSequence ? this.#nextSequence - 1 : null;
    const end = sealed ? { bytes: this.#length, lastSequence: last } : { bytes: null, lastSequence: null };
    return { name: segmentName(this.#header), baseSequence, epoch, sealed, ...end };
  }
}

interface OpenedSegment {
  readonly header: Omit<SegmentHeader, 'formatVersion'>;
  readonly file: StorageFile;
}

async function createSegment(
  options: SegmentOutputOptions,
  start: Pick<SegmentStart, 'baseSequence' | 'previous'>,
): Promise<OpenedSegment> {
  const { folder, jobId, epoch, storage, nowMicros } = options;
  const fields = {
    jobId,
    epoch,
    createdMicros: nowMicros(),
    baseSequence: start.baseSequence,
    previous: start.previous,
  };
  const content = encodeHeader(fields);
  const target = path.join(folder, segmentName(fields));
  const file = await createWhole(storage, temporaryPath(target), target, content);
  return { header: { ...fields, crc: content.readUInt32LE(headerBytes - 4) }, file };
}

async function replaceManifest(
  options: SegmentOutputOptions,
  segments: readonly ManifestSegment[],
  snapshots: readonly ManifestSnapshot[],
): Promise<void> {
  const { folder, jobId, epoch, storage, isFenced } = options;
  if (await isFenced()) throw fencedError(epoch);
  const target = path.join(folder, manifestName);
  const content = encodeManifest({ formatVersion, jobId, epoch, segments, snapshots });
  const file = await createWhole(storage, temporaryPath(target), target, Buffer.from(content));
  await file.close();
}

/** What a writer says when a later epoch has taken the store over. */
export function fencedError(epoch: number): JobrecError {
  const message = `epoch ${epoch} is over: a later epoch has taken the store over, and what this one writes counts no more`;
  return new JobrecError('STORE_POISONED', message, { data: { epoch, fenced: true } });
}
