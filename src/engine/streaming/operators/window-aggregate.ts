// sum and reduce over event-time tumbling windows: one result a key and window when the watermark has passed the
// window's end, and a new one for each row that still comes within the lateness; later rows are dropped and counted.
// The results of one watermark come in the order of the windows' ends. Spec: docs/streaming.md, "Event time".
import type { Row, WindowSpec } from '../../../model/streaming-plan.ts';
import { watermarkBeforeAll, watermarkBehindAll } from '../channels/watermark-valve.ts';
import { keyText } from '../state/key-groups.ts';
import type { MapState } from '../state/keyed-state.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import type { Aggregation } from './aggregation.ts';
import { eventTimeOf } from './event-time.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';

const windowsName = 'windows';

/** The begin of the tumbling window that holds a time: windows begin at multiples of their size, also before 1970. */
export function windowStart(timeMs: number, sizeMs: number): number {
  return Math.floor(timeMs / sizeMs) * sizeMs;
}

export class WindowAggregate implements Operator {
  readonly #keyBy: readonly string[];
  readonly #window: WindowSpec;
  readonly #load: (functionsFolder: string) => Promise<Aggregation>;
  #add!: Aggregation;
  #state!: KeyedStateBackend;
  /** Of the current key: begin of a window → its aggregate. */
  #windows!: MapState<Row>;
  #output!: Output;
  /** Begin of a window → keys that have rows in it. Follows from the state; not part of it. */
  readonly #keys = new Map<number, Set<string>>();
  #watermarkMs = watermarkBeforeAll;
  /** The last one that rows brought about: the end of the job, or a drain, makes nothing late for whoever goes on. */
  #rowsWatermarkMs = watermarkBeforeAll;
  #lateRows = 0;

  constructor(keyBy: readonly string[], window: WindowSpec, load: (functionsFolder: string) => Promise<Aggregation>) {
    this.#keyBy = keyBy;
    this.#window = window;
    this.#load = load;
  }

  async open({ keyedState, output, functionsFolder }: OperatorContext): Promise<void> {
    this.#state = keyedState as KeyedStateBackend;
    this.#windows = this.#state.map<Row>(windowsName);
    this.#output = output;
    this.#add = await this.#load(functionsFolder);
    for (const key of this.#state.keys(windowsName)) {
      this.#state.useKey(key);
      for (const [start] of this.#windows.entries()) this.#keysOf(Number(start)).add(key);
    }
  }

  /** Rows that came behind the lateness. */
  get droppedRows(): number {
    return this.#lateRows;
  }

  /** The watermark: what was late before a restart is late behind it. */
  snapshotState(): unknown {
    return { watermarkMs: this.#rowsWatermarkMs === watermarkBeforeAll ? null : this.#rowsWatermarkMs };
  }

  initializeState(states: readonly unknown[]): void {
    const marks = (states as { readonly watermarkMs: number | null }[]).map((state) => state.watermarkMs);
    // Other subtasks' keys may have come here: the least of all watermarks holds for each of them.
    const known = marks.filter((mark) => mark !== null);
    if (known.length < marks.length || known.length === 0) return;
    this.#watermarkMs = Math.min(...known);
    this.#rowsWatermarkMs = this.#watermarkMs;
  }

  processElement(row: Row): void {
    const start = windowStart(eventTimeOf(row, this.#window.time), this.#window.sizeMs);
    const end = start + this.#window.sizeMs;
    if (end - 1 + this.#window.latenessMs <= this.#watermarkMs) {
      this.#lateRows += 1;
      return;
    }
    const key = keyText(row, this.#keyBy);
    this.#state.useKey(key);
    const aggregate = this.#add(this.#windows.get(String(start)), row);
    this.#windows.set(String(start), aggregate);
    this.#keysOf(start).add(key);
    if (end - 1 <= this.#watermarkMs) this.#fire(start, aggregate);
  }

  processWatermark(watermarkMs: number): void {
    const before = this.#watermarkMs;
    this.#watermarkMs = Math.max(before, watermarkMs);
    if (watermarkMs !== watermarkBehindAll) this.#rowsWatermarkMs = this.#watermarkMs;
    const starts = [...this.#keys.keys()].sort((a, b) => a - b);
    for (const start of starts) this.#advance(start, before);
    this.#output.emitWatermark(watermarkMs);
  }

  #advance(start: number, before: number): void {
    const last = start + this.#window.sizeMs - 1;
    const fires = last > before && last <= this.#watermarkMs;
    const ends = last + this.#window.latenessMs <= this.#watermarkMs;
    if (!fires && !ends) return;
    for (const key of this.#keysOf(start)) {
      this.#state.useKey(key);
      const aggregate = this.#windows.get(String(start));
      if (fires && aggregate) this.#fire(start, aggregate);
      if (ends) this.#windows.delete(String(start));
    }
    if (ends) this.#keys.delete(start);
  }

  #fire(start: number, aggregate: Row): void {
    this.#output.collect({ ...aggregate, windowStart: start, windowEnd: start + this.#window.sizeMs });
  }

  #keysOf(start: number): Set<string> {
    const known = this.#keys.get(start);
    if (known) return known;
    const keys = new Set<string>();
    this.#keys.set(start, keys);
    return keys;
  }
}
