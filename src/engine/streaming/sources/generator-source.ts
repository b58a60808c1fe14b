// A source that makes its rows: row n is a function of n alone, so a replay gives the same rows. A split is `i/k`:
// the numbers i, i + k, i + 2k, …; it keeps its meaning under another parallelism. A position is a row's number.
import type { GeneratedColumn, Row, SourceConnector } from '../../../model/streaming-plan.ts';
import type { RestoredSplits, SourceContext, SourceRecord, SplitState, StreamSource } from './stream-source.ts';

type GeneratorConnector = Extract<SourceConnector, { kind: 'generator' }>;

interface GeneratorSplit {
  readonly splitId: string;
  readonly step: number;
  next: number;
}

export class GeneratorSource implements StreamSource {
  readonly discoveryIntervalMs = null;
  readonly droppedRows = 0;
  readonly #connector: GeneratorConnector;
  readonly #context: SourceContext;
  readonly #splits: GeneratorSplit[] = [];
  #startedMs: number | null = null;
  #made = 0;
  #turn = 0;

  constructor(connector: GeneratorConnector, context: SourceContext) {
    this.#connector = connector;
    this.#context = context;
  }

  /** One split a subtask; those of a checkpoint are all there are, however many tasks it had. */
  async discover(restored: RestoredSplits | null): Promise<readonly SplitState[]> {
    const { parallelism } = this.#context;
    if (restored) return [];
    return Array.from({ length: parallelism }, (_, index) => ({ splitId: `${index}/${parallelism}`, position: index }));
  }

  ordinalOf(splitId: string): number {
    return Number(splitId.split('/')[0]);
  }

  async addSplit({ splitId, position }: SplitState): Promise<void> {
    this.#splits.push({ splitId, step: Number(splitId.split('/')[1]), next: Number(position) });
  }

  async poll(recordsMax: number, waitMs: number): Promise<readonly SourceRecord[] | 'end'> {
    const end = this.#connector.rows ?? Number.MAX_SAFE_INTEGER;
    if (this.#splits.every((split) => split.next >= end)) return 'end';
    const due = Math.min(recordsMax, this.#due());
    if (due <= 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, 10)));
      return [];
    }
    const records = Array.from({ length: due }, () => this.#make(end)).filter((record) => record !== null);
    this.#made += records.length;
    return records;
  }

  async close(): Promise<void> {}

  /** Rows that the rate allows by now; the rate is that of all splits together, wherever they are read. */
  #due(): number {
    const { rowsPerSecond } = this.#connector;
    if (rowsPerSecond === null) return Number.MAX_SAFE_INTEGER;
    this.#startedMs ??= performance.now();
    const share = this.#splits.reduce((sum, { step }) => sum + rowsPerSecond / step, 0);
    return Math.floor(((performance.now() - this.#startedMs) / 1000) * share) + 1 - this.#made;
  }

  #make(end: number): SourceRecord | null {
    const { length } = this.#splits;
    for (let step = 0; step < length; step += 1) {
      const split = this.#splits[(this.#turn + step) % length];
      if (!split || split.next >= end) continue;
      this.#turn = (this.#turn + step + 1) % length;
      const row = generatedRow(this.#connector.columns, split.next);
      split.next += split.step;
      return { splitId: split.splitId, row, position: split.next };
    }
    return null;
  }
}

export function generatedRow(columns: Readonly<Record<string, GeneratedColumn>>, number: number): Row {
  const row: Record<string, unknown> = {};
  let salt = 0;
  for (const [name, column] of Object.entries(columns)) {
    row[name] = generatedValue(column, number, salt);
    salt += 1;
  }
  return row;
}

function generatedValue(column: GeneratedColumn, number: number, salt: number): unknown {
  switch (column.kind) {
    case 'sequence':
      return number;
    case 'random':
      return column.min + (mixed(number, salt) % (column.max - column.min + 1));
    case 'choice':
      return column.values[mixed(number, salt) % column.values.length];
    case 'time':
      return column.startMs + number * column.stepMs;
  }
}

/** A 32-bit hash of the row's number, another one for each column. */
function mixed(number: number, salt: number): number {
  let hash = Math.imul(number ^ Math.floor(number / 2 ** 32), 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
