// The embedded replayable source: a folder of append-only files, each a split; a position is a byte offset. New files
// are found while the job runs. A bounded log ends with what was there when its reading began: positions of its splits
// hold their end, so that it is the same after a restart. Spec: docs/streaming.md.
import { join } from 'node:path';
import type { SourceConnector } from '../../../model/streaming-plan.ts';
import { findLogFiles, sizeOfLog } from './log-files.ts';
import { hasEnd, readLogPosition, writeLogPosition } from './log-position.ts';
import { type LogLine, LogSplit } from './log-split.ts';
import type { RowDecoder } from './row-format.ts';
import type { RestoredSplits, SourceRecord, SplitState, StreamSource } from './stream-source.ts';

const discoveryIntervalMs = 500;
const emptyPollPauseMs = 10;

type LogConnector = Extract<SourceConnector, { kind: 'log' }>;

export interface LogSourceOptions {
  readonly connector: LogConnector;
  readonly decoder: RowDecoder;
}

export class LogSource implements StreamSource {
  readonly discoveryIntervalMs: number | null;
  readonly #options: LogSourceOptions;
  readonly #splits: { readonly splitId: string; readonly split: LogSplit }[] = [];
  #folder = '';
  #turn = 0;
  #ready: SourceRecord[] = [];

  constructor(options: LogSourceOptions) {
    this.#options = options;
    this.discoveryIntervalMs = options.connector.bounded ? null : discoveryIntervalMs;
  }

  get droppedRows(): number {
    return this.#options.decoder.droppedRows;
  }

  async discover(restored: RestoredSplits | null): Promise<readonly SplitState[]> {
    const { bounded, startingOffsets } = this.#options.connector;
    if (bounded && restored?.ofThisJob && isBegun(restored.splits)) return [];
    const fromEnd = startingOffsets === 'latest' && !restored;
    return Promise.all((await this.#files()).map((splitId) => this.#newSplit(splitId, fromEnd)));
  }

  /** Where the other job came to; up to what is there now. */
  async renew({ splitId, position }: SplitState): Promise<SplitState> {
    const { offset } = readLogPosition(position);
    if (!this.#options.connector.bounded) return { splitId, position: offset };
    const end = await sizeOfLog(join(await this.#locate(), splitId));
    return { splitId, position: writeLogPosition(offset, end) };
  }

  async addSplit({ splitId, position }: SplitState): Promise<void> {
    const path = join(this.#folder || (await this.#locate()), splitId);
    const { offset, end } = readLogPosition(position);
    // A log that was not bounded before, or whose checkpoint is an old one, ends with what is there now.
    const endOffset = this.#options.connector.bounded ? (end ?? (await sizeOfLog(path))) : null;
    this.#splits.push({ splitId, split: new LogSplit(path, offset, endOffset) });
  }

  async poll(recordsMax: number, waitMs: number): Promise<readonly SourceRecord[] | 'end'> {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      if (this.#ready.length === 0) await this.#readNext();
      if (this.#ready.length > 0) return this.#ready.splice(0, recordsMax);
      if (this.#options.connector.bounded && this.#splits.every(({ split }) => split.isAtEnd)) return 'end';
      if (performance.now() >= deadlineMs) return [];
      await new Promise((resolve) => setTimeout(resolve, Math.min(emptyPollPauseMs, waitMs)));
    }
  }

  async close(): Promise<void> {
    for (const { split } of this.#splits) await split.close();
  }

  /** One read of the first split, in turn, that has something. */
  async #readNext(): Promise<void> {
    const { length } = this.#splits;
    for (let step = 0; step < length && this.#ready.length === 0; step += 1) {
      const next = this.#splits[(this.#turn + step) % length];
      if (!next || next.split.isAtEnd) continue;
      this.#ready = this.#records(next.splitId, next.split, await next.split.read());
      // A bounded log may have more files than a process may have open.
      if (next.split.isAtEnd) await next.split.close();
      if (this.#ready.length > 0) this.#turn = (this.#turn + step + 1) % length;
    }
  }

  #records(splitId: string, split: LogSplit, lines: readonly LogLine[]): SourceRecord[] {
    return lines.flatMap(({ text, begin, end }) => {
      if (text === '') return [];
      const row = this.#options.decoder.decode(text, () => `${split.path}: the line at byte ${begin}`);
      return row ? [{ splitId, row, position: writeLogPosition(end, split.endOffset) }] : [];
    });
  }

  async #newSplit(splitId: string, fromEnd: boolean): Promise<SplitState> {
    const { bounded } = this.#options.connector;
    const size = bounded || fromEnd ? await sizeOfLog(join(this.#folder, splitId)) : 0;
    return { splitId, position: writeLogPosition(fromEnd ? size : 0, bounded ? size : null) };
  }

  async #files(): Promise<readonly string[]> {
    const found = await findLogFiles(this.#options.connector.path);
    if (found) this.#folder = found.folder;
    return found?.names ?? [];
  }

  async #locate(): Promise<string> {
    await this.#files();
    return this.#folder || this.#options.connector.path;
  }
}

/** Whether the splits of a bounded log were found before: files that came since are none of its. */
function isBegun(restored: readonly SplitState[]): boolean {
  return restored.length === 0 || restored.some(({ position }) => hasEnd(position));
}
