// Looks at a job's store while it is written, as any reader may, and remembers byte for byte what it saw: an event that
// was read before a kill must be in the log afterwards, at its place, unchanged. Also the clock of the strikes: they are
// tied to what the log says, not to the time of day.
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { JobrecError } from '../../src/model/errors.ts';
import type { LogRecord } from '../../src/model/job-log.ts';
import { latestGenerationNumber } from '../../src/store/generation.ts';
import { openJobLog } from '../../src/store/open-log.ts';

interface SeenRecord {
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** Of the frame's bytes on disk. */
  readonly crc32: number;
  readonly type: string;
}

export class StoreWatch {
  readonly home: string;
  /** Job id → sequence number → what was seen. */
  readonly #seen = new Map<string, Map<number, SeenRecord>>();
  readonly #mayShrink: boolean;
  #stamp = '';
  #records: readonly LogRecord[] = [];

  /** `mayShrink`: a reader may find fewer events than before, because a fenced master's count no more. */
  constructor(home: string, mayShrink: boolean) {
    this.home = home;
    this.#mayShrink = mayShrink;
  }

  /** The newest job's folder; null before there is one. */
  async jobFolder(): Promise<string | null> {
    return (await this.jobFolders()).at(-1) ?? null;
  }

  /** All jobs' folders, oldest first. */
  async jobFolders(): Promise<string[]> {
    const jobs = join(this.home, 'jobs');
    const folders: { folder: string; bornMs: number }[] = [];
    for (const name of await readdir(jobs).catch(() => [])) {
      const found = await stat(join(jobs, name, 'plan.json')).catch(() => null);
      if (found) folders.push({ folder: join(jobs, name), bornMs: found.mtimeMs });
    }
    return folders.sort((a, b) => a.bornMs - b.bornMs).map(({ folder }) => folder);
  }

  /** The newest job's records as they are now; those read before are not read again while no file has changed. */
  async look(): Promise<readonly LogRecord[]> {
    const folder = await this.jobFolder();
    if (folder === null) return [];
    const stamp = await stampOf(join(folder, 'job-events'));
    if (stamp === this.#stamp) return this.#records;
    const records = await recordsOf(folder);
    if (!this.#mayShrink && records.length < this.#records.length && sameJob(records, this.#records)) {
      throw new Error(`a reader saw ${this.#records.length} events and then only ${records.length}`);
    }
    this.#records = records;
    this.#stamp = stamp;
    return records;
  }

  /** The newest epoch that a JobMaster has taken of the newest job; 0: none yet. */
  async newestEpoch(): Promise<number> {
    const folder = await this.jobFolder();
    return folder === null ? 0 : latestGenerationNumber(join(folder, 'epochs'));
  }

  /** Whether a committed part lies in one of the sinks' folders. */
  async anyPartIn(sinks: readonly string[]): Promise<boolean> {
    for (const sink of sinks) {
      if ((await readdir(sink).catch(() => [])).some((name) => name.startsWith('part-'))) return true;
    }
    return false;
  }

  /** Reads the log and keeps what it holds as evidence. */
  async remember(): Promise<readonly LogRecord[]> {
    const folder = await this.jobFolder();
    const records = await this.look();
    if (folder === null) return records;
    const seen = this.#seen.get(folder) ?? new Map<number, SeenRecord>();
    this.#seen.set(folder, seen);
    const fresh = records.filter(({ sequence }) => !seen.has(sequence));
    for (const [sequence, record] of await withFrames(folder, fresh)) seen.set(sequence, record);
    return records;
  }

  /** How many events were remembered, over all jobs. */
  get remembered(): number {
    return [...this.#seen.values()].reduce((sum, seen) => sum + seen.size, 0);
  }

  /** Compares everything remembered with the logs as they are now. Throws for the first event lost or changed. */
  async proveNothingLost(mayBeRetired: boolean): Promise<void> {
    for (const [folder, seen] of this.#seen) {
      const records = await recordsOf(folder);
      const first = records[0]?.sequence ?? Number.POSITIVE_INFINITY;
      const now = await withFrames(folder, records);
      for (const [sequence, before] of seen) {
        // Retired by a compaction, which proves by itself that the graph is the same.
        if (mayBeRetired && sequence < first) continue;
        const after = now.get(sequence);
        if (after && JSON.stringify(after) === JSON.stringify(before)) continue;
        const what = `event ${sequence} (${before.type}, ${before.segment} at byte ${before.offset}) of ${folder}`;
        throw new Error(
          after ? `${what} was changed to ${JSON.stringify(after)} from ${JSON.stringify(before)}` : `${what} was lost`,
        );
      }
    }
  }
}

/** Everything that a reader finds; nothing where no event was recorded yet. */
export async function recordsOf(jobFolder: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  try {
    const log = await openJobLog(join(jobFolder, 'job-events'));
    for await (const record of log.records()) records.push(record);
    return records;
  } catch (error) {
    if (error instanceof JobrecError && ['STORE_NOT_FOUND', 'NOT_A_STORE'].includes(error.code)) return [];
    throw error;
  }
}

async function withFrames(jobFolder: string, records: readonly LogRecord[]): Promise<Map<number, SeenRecord>> {
  const seen = new Map<number, SeenRecord>();
  const bySegment = new Map<string, LogRecord[]>();
  for (const record of records) bySegment.set(record.segment, [...(bySegment.get(record.segment) ?? []), record]);
  for (const [segment, group] of bySegment) {
    const handle = await open(join(jobFolder, 'job-events', segment), 'r');
    try {
      for (const { sequence, offset, bytes, event } of group) {
        const frame = Buffer.alloc(bytes);
        await handle.read(frame, 0, bytes, offset);
        seen.set(sequence, { segment, offset, bytes, crc32: crc32(frame), type: event.type });
      }
    } finally {
      await handle.close();
    }
  }
  return seen;
}

function sameJob(a: readonly LogRecord[], b: readonly LogRecord[]): boolean {
  return a[0]?.timeMicros === b[0]?.timeMicros;
}

async function stampOf(folder: string): Promise<string> {
  const parts: string[] = [folder];
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const found = await stat(join(folder, name)).catch(() => null);
    parts.push(`${name} ${found?.size} ${found?.mtimeMs}`);
  }
  return parts.join('\n');
}
