// Makes watermarks from the times of the rows that pass: for each origin (split or channel) the highest time less the
// bound of disorder, together the least of all origins. So splits that are read one after the other, or at different
// speeds, do not make each other's rows late. Spec: docs/streaming.md, "Event time".
import type { Row } from '../../../model/streaming-plan.ts';
import { type ValveOutput, WatermarkValve, watermarkBehindAll } from '../channels/watermark-valve.ts';
import { eventTimeOf } from './event-time.ts';
import type { Operator, OperatorContext } from './operator.ts';

export interface WatermarkOptions {
  readonly time: string;
  readonly outOfOrdernessMs: number;
  readonly idlenessMs: number | null;
}

interface Origin {
  highestMs: number;
  lastRowMs: number;
}

export class WatermarkOperator implements Operator {
  readonly #options: WatermarkOptions;
  readonly #valve = new WatermarkValve<string>();
  readonly #origins = new Map<string, Origin>();
  #context!: OperatorContext;
  #openedMs = 0;
  #isIdle = false;

  constructor(options: WatermarkOptions) {
    this.#options = options;
  }

  async open(context: OperatorContext): Promise<void> {
    this.#context = context;
    this.#openedMs = performance.now();
  }

  processElement(row: Row): void {
    const time = eventTimeOf(row, this.#options.time);
    const origin = this.#originOf(this.#context.origin());
    if (time > origin.highestMs) origin.highestMs = time;
    origin.lastRowMs = performance.now();
    this.#context.output.collect(row);
  }

  /** Splits that there are, from the beginning: one without rows so far is waited for. */
  originsKnown(origins: readonly string[]): void {
    for (const id of origins) this.#originOf(id);
    if (this.#origins.size === 0) this.#context.output.emitIdle();
  }

  /** Called at `pipeline.auto-watermark-interval`. */
  onInterval(): void {
    const { idlenessMs, outOfOrdernessMs } = this.#options;
    const now = performance.now();
    for (const [id, origin] of this.#origins) {
      const isIdle = idlenessMs !== null && now - origin.lastRowMs > idlenessMs;
      this.#valve.note(id, isIdle ? 'idle' : origin.highestMs - outOfOrdernessMs - 1);
    }
    if (this.#origins.size > 0) this.#emit(this.#valve.output());
    else if (idlenessMs !== null && now - this.#openedMs > idlenessMs) this.#emitIdleOnce();
  }

  /** A task that no row has ever reached has no origin whose idleness could be told. */
  #emitIdleOnce(): void {
    if (!this.#isIdle) this.#context.output.emitIdle();
    this.#isIdle = true;
  }

  /** Watermarks from before count no more, but for the one behind the last row. */
  processWatermark(watermarkMs: number): void {
    if (watermarkMs === watermarkBehindAll) this.#context.output.emitWatermark(watermarkMs);
  }

  #originOf(id: string): Origin {
    const known = this.#origins.get(id);
    if (known) return known;
    const origin = { highestMs: Number.NEGATIVE_INFINITY, lastRowMs: performance.now() };
    this.#origins.set(id, origin);
    this.#valve.add(id);
    return origin;
  }

  #emit(output: ValveOutput): void {
    if (output.kind === 'watermark') this.#context.output.emitWatermark(output.watermarkMs);
    else if (output.kind === 'idle') this.#context.output.emitIdle();
  }
}
