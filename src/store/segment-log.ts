// A jobrec store as a JobLog: its records from the start or from behind a snapshot, and what a walk finds. Every walk reads
// the bytes that were there when the layout was read. Reads only. Spec: docs/format.md.
import type { JobLog, LogRecord, LogSnapshot, SnapshotInfo, StoreSummary } from '../model/job-log.ts';
import { formatVersion, headerBytes, snapshotName } from './format.ts';
import type { StoreLayout } from './layout.ts';
import { type LogEnd, LogScan, type ScanFrom, type ScanOptions } from './scan.ts';
import { type CheckedSnapshots, checkSnapshots, type UsableSnapshot } from './snapshots.ts';

export class SegmentLog implements JobLog {
  readonly format = 'jobrec';
  readonly #layout: StoreLayout;
  readonly #options: ScanOptions;
  #checked: Promise<CheckedSnapshots> | null = null;
  /** Ends of walks that were made, by the snapshot that they began behind. */
  readonly #ends = new Map<string | null, LogEnd>();

  constructor(layout: StoreLayout, options: ScanOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  get location(): string {
    return this.#layout.folder;
  }

  get firstSequence(): number {
    return this.#layout.chain.links[0]?.key.baseSequence ?? 0;
  }

  async snapshots(): Promise<readonly UsableSnapshot[]> {
    return (await this.#check()).usable;
  }

  async *records(after?: LogSnapshot): AsyncGenerator<LogRecord> {
    const scan = new LogScan(this.#layout, this.#options, await this.#from(after));
    for await (const group of scan.groups()) yield* group;
    this.#ends.set(after?.name ?? null, scan.end());
  }

  async summary(after?: LogSnapshot): Promise<StoreSummary> {
    const { segments, findings, damage } = await this.scanToEnd(after);
    const snapshots = this.#layout.snapshots.map(({ key, size }) => infoOf(key, size)).sort(newestFirst);
    const bytes = [...segments, ...snapshots].reduce((sum, file) => sum + file.bytes, 0);
    const events = segments.reduce((sum, segment) => sum + segment.events, 0);
    const { format, location } = this;
    return { format, formatVersion, location, bytes, events, segments, snapshots, findings, damage };
  }

  /** Walks and decodes everything, or what lies behind a snapshot, unless that was done before. */
  async scanToEnd(after?: LogSnapshot): Promise<LogEnd> {
    const known = this.#ends.get(after?.name ?? null);
    if (known !== undefined) return known;
    const scan = new LogScan(this.#layout, this.#options, await this.#from(after));
    for await (const _group of scan.groups());
    const end = scan.end();
    this.#ends.set(after?.name ?? null, end);
    return end;
  }

  /** Where events were retired, a snapshot must tell the first of the others which job they are of. */
  async #from(after: LogSnapshot | undefined): Promise<ScanFrom> {
    const { usable, findings } = await this.#check();
    const start = usable.find(({ name }) => name === after?.name)?.start;
    if (start !== undefined || this.firstSequence === 0) return { start, findings };
    const [newest] = usable;
    if (newest === undefined) return { findings };
    const nextSequence = this.firstSequence;
    return { start: { ...newest.start, linkIndex: 0, offset: headerBytes, nextSequence, hole: null }, findings };
  }

  #check(): Promise<CheckedSnapshots> {
    this.#checked ??= checkSnapshots(this.#layout);
    return this.#checked;
  }
}

function infoOf(key: { readonly baseSequence: number; readonly epoch: number }, bytes: number): SnapshotInfo {
  return { name: snapshotName(key), bytes, sequence: key.baseSequence - 1, epoch: key.epoch };
}

function newestFirst(a: SnapshotInfo, b: SnapshotInfo): number {
  return b.sequence - a.sequence || b.epoch - a.epoch;
}
