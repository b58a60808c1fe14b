// Watermarks where channels (or splits) meet: the least of those that are expected to bring rows. Idle ones and those that
// have ended are not waited for; when none is left, the whole is idle, and it has ended when all have: that one input has
// ended must not make the rows late that an idle one still has. Invariant: the watermark that comes out only grows.

export const watermarkBeforeAll = Number.NEGATIVE_INFINITY;
/** Behind the last row of a stream that has ended. */
export const watermarkBehindAll = Number.POSITIVE_INFINITY;

export type ValveOutput =
  | { readonly kind: 'watermark'; readonly watermarkMs: number }
  | { readonly kind: 'idle' }
  /** Nothing new. */
  | { readonly kind: 'none' };

const none: ValveOutput = { kind: 'none' };

interface Input {
  watermarkMs: number;
  isIdle: boolean;
}

export class WatermarkValve<Id> {
  readonly #inputs = new Map<Id, Input>();
  #watermarkMs = watermarkBeforeAll;
  #isIdle = false;

  /** Begins to wait for an input. */
  add(id: Id): void {
    if (!this.#inputs.has(id)) this.#inputs.set(id, { watermarkMs: watermarkBeforeAll, isIdle: false });
  }

  /** A watermark of an input, which by it is active again. One that is lower than its last changes nothing. */
  watermark(id: Id, watermarkMs: number): ValveOutput {
    this.note(id, watermarkMs);
    return this.output();
  }

  idle(id: Id): ValveOutput {
    this.note(id, 'idle');
    return this.output();
  }

  /** The same for one of many inputs, after which `output` is asked once. */
  note(id: Id, news: number | 'idle'): void {
    this.add(id);
    const input = this.#inputs.get(id) as Input;
    input.isIdle = news === 'idle';
    if (news !== 'idle') input.watermarkMs = Math.max(input.watermarkMs, news);
  }

  /** What is new since it was asked last. */
  output(): ValveOutput {
    let least = watermarkBehindAll;
    let isAnyIdle = false;
    for (const { isIdle, watermarkMs } of this.#inputs.values()) {
      const isAtEnd = watermarkMs === watermarkBehindAll;
      if (isIdle && !isAtEnd) isAnyIdle = true;
      else least = Math.min(least, watermarkMs);
    }
    if (least === watermarkBehindAll && isAnyIdle) {
      if (this.#isIdle) return none;
      this.#isIdle = true;
      return { kind: 'idle' };
    }
    const wasIdle = this.#isIdle;
    this.#isIdle = false;
    if (least <= this.#watermarkMs) {
      // Those behind must hear that this input is active again.
      return wasIdle && this.#watermarkMs > watermarkBeforeAll
        ? { kind: 'watermark', watermarkMs: this.#watermarkMs }
        : none;
    }
    this.#watermarkMs = least;
    return { kind: 'watermark', watermarkMs: least };
  }
}
