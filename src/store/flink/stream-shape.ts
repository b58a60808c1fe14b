// Shapes of Java streams that were parsed before. Flink writes each event as a stream of its own, so nine tenths of its
// bytes are the same class descriptors again. A shape is the bytes of a parsed stream with holes where values lie that do
// not decide what follows (primitive fields, texts, byte arrays). Bytes that equal a shape outside its holes have, by the
// grammar of the protocol, the same structure: their values can be read in the holes without parsing again. A match
// costs one native comparison for each run of bytes between arrays; the holes in it are filled from the bytes first.
// Spec: docs/flink.md, "Known shapes".

/** Bytes of a primitive value; or what tells its own length: a text (of one length in one shape), an array of any length. */
export type HoleBytes = number | 'text' | 'array';

export interface Hole {
  /** First byte: of a value, of a text's or an array's length. */
  readonly at: number;
  readonly bytes: HoleBytes;
}

/** Where a hole's own bytes lie in its run; a text's length is no part of them. */
interface Gap {
  readonly from: number;
  readonly to: number;
  readonly isText: boolean;
}

/** Bytes up to the next array, or to the end. Scratch: the gaps hold what was compared last. */
interface Run {
  readonly bytes: Buffer;
  readonly gaps: readonly Gap[];
}

export class StreamShape {
  readonly #runs: readonly Run[];
  /** Offsets of the holes in their runs, in order: with -1 for an array, which begins where its run ends. */
  readonly #holes: readonly number[];
  /** Of all streams of this shape; null where arrays make it vary. */
  readonly length: number | null;

  /** `holes` may come in any order, but must not overlap. */
  constructor(bytes: Buffer, holes: readonly Hole[]) {
    const ordered = [...holes].sort((a, b) => a.at - b.at);
    const runs: Run[] = [];
    let start = 0;
    let inRun: Hole[] = [];
    for (const hole of ordered) {
      inRun.push(hole);
      if (hole.bytes !== 'array') continue;
      runs.push(runOf(bytes, start, hole.at, inRun.slice(0, -1)));
      start = hole.at + 4 + bytes.readInt32BE(hole.at);
      inRun = [];
    }
    this.#runs = [...runs, runOf(bytes, start, bytes.length, inRun)];
    this.#holes = offsetsInRuns(ordered, bytes);
    this.length = runs.length === 0 ? bytes.length : null;
  }

  /** Whether bytes `start` to `end` have this shape; if so, `places` gets the first byte of each hole, in order. */
  matches(bytes: Buffer, start: number, end: number, places: Int32Array): boolean {
    let at = start;
    let hole = 0;
    for (let number = 0; number < this.#runs.length; number++) {
      const run = this.#runs[number] as Run;
      const runEnd = at + run.bytes.length;
      if (runEnd > end || !isRunAt(run, bytes, at)) return false;
      while (hole < this.#holes.length && (this.#holes[hole] as number) >= 0) {
        places[hole] = at + (this.#holes[hole] as number);
        hole += 1;
      }
      at = runEnd;
      if (number === this.#runs.length - 1) break;
      if (at + 4 > end) return false;
      places[hole] = at;
      hole += 1;
      const length = bytes.readInt32BE(at);
      if (length < 0 || length > end - at - 4) return false;
      at += 4 + length;
    }
    return at === end;
  }
}

function runOf(bytes: Buffer, start: number, end: number, holes: readonly Hole[]): Run {
  const gaps = holes.map(({ at, bytes: kind }): Gap => {
    const isText = kind === 'text';
    const from = at - start + (isText ? 2 : 0);
    return { from, to: from + (typeof kind === 'number' ? kind : bytes.readUInt16BE(at)), isText };
  });
  return { bytes: Buffer.from(bytes.subarray(start, end)), gaps };
}

function offsetsInRuns(ordered: readonly Hole[], bytes: Buffer): number[] {
  let start = 0;
  return ordered.map((hole) => {
    if (hole.bytes !== 'array') return hole.at - start;
    start = hole.at + 4 + bytes.readInt32BE(hole.at);
    return -1;
  });
}

function isRunAt(run: Run, bytes: Buffer, at: number): boolean {
  for (const { from, to, isText } of run.gaps) {
    for (let index = from; index < to; index++) {
      const byte = bytes[at + index] as number;
      // Texts beyond ASCII are left to the parser, which checks them.
      if (isText && byte >= 0x80) return false;
      run.bytes[index] = byte;
    }
  }
  return bytes.compare(run.bytes, 0, run.bytes.length, at, at + run.bytes.length) === 0;
}

const shapeBytesMax = 64 * 1024;

/** Bytes that a shape would keep. */
function literalBytes(bytes: Buffer, holes: readonly Hole[]): number {
  const arrays = holes.filter((hole) => hole.bytes === 'array');
  return arrays.reduce((sum, { at }) => sum - bytes.readInt32BE(at), bytes.length);
}

interface Known<T> {
  readonly shape: StreamShape;
  readonly facts: T;
}

/** The shapes met last, each with what its reader knows of it. */
export class KnownShapes<T> {
  readonly #byLength = new Map<number, Known<T>[]>();
  readonly #varying: Known<T>[] = [];
  readonly #max: number;
  #count = 0;
  readonly places: Int32Array<ArrayBuffer>;

  constructor(max: number, holesMax: number) {
    this.#max = max;
    this.places = new Int32Array(holesMax);
  }

  /** What is known of a stream of this shape, with the places of its holes in `places`; null: not met before. */
  find(bytes: Buffer, start: number, end: number): T | null {
    const sameLength = this.#byLength.get(end - start);
    const found = sameLength === undefined ? null : this.#findIn(sameLength, bytes, start, end);
    return found ?? this.#findIn(this.#varying, bytes, start, end);
  }

  #findIn(known: readonly Known<T>[], bytes: Buffer, start: number, end: number): T | null {
    for (const { shape, facts } of known) if (shape.matches(bytes, start, end, this.places)) return facts;
    return null;
  }

  /** Remembers the stream in `bytes`, unless it is too large to be one of many. */
  add(bytes: Buffer, holes: readonly Hole[], facts: T): void {
    if (holes.length > this.places.length || literalBytes(bytes, holes) > shapeBytesMax) return;
    const shape = new StreamShape(bytes, holes);
    if (this.#count >= this.#max) this.#forget();
    this.#count += 1;
    if (shape.length === null) this.#varying.unshift({ shape, facts });
    else this.#byLength.set(shape.length, [{ shape, facts }, ...(this.#byLength.get(shape.length) ?? [])]);
  }

  /** A store that needs this many shapes is best served by starting over. */
  #forget(): void {
    this.#byLength.clear();
    this.#varying.length = 0;
    this.#count = 0;
  }
}
