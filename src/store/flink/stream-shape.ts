// Shapes of Java streams that were parsed before. Flink writes each event as a stream of its own, so nine tenths of its
// bytes are the same class descriptors again. A shape is the bytes of a parsed stream with holes where values lie that do
// not decide what follows (primitive fields, texts, byte arrays). Bytes that equal a shape outside its holes have, by the
// grammar of the protocol, the same structure: their values can be read in the holes without parsing again.
// Spec: docs/flink.md, "Known shapes".

export type HoleBytes = number | 'text' | 'array';

export interface Hole {
  /** First byte: of a value, of a text's or an array's length. */
  readonly at: number;
  readonly bytes: HoleBytes;
}

const fixedKind = { text: -1, array: -2 } as const;

export class StreamShape {
  readonly #literals: readonly Buffer[];
  /** Bytes of each hole; negative for those that tell their own length. */
  readonly #holes: readonly number[];

  /** `holes` may come in any order, but must not overlap. */
  constructor(bytes: Buffer, holes: readonly Hole[]) {
    const ordered = [...holes].sort((a, b) => a.at - b.at);
    const literals: Buffer[] = [];
    let at = 0;
    for (const hole of ordered) {
      literals.push(Buffer.from(bytes.subarray(at, hole.at)));
      at = hole.at + holeLength(bytes, hole);
    }
    this.#literals = [...literals, Buffer.from(bytes.subarray(at))];
    this.#holes = ordered.map((hole) => (typeof hole.bytes === 'number' ? hole.bytes : fixedKind[hole.bytes]));
  }

  get holes(): number {
    return this.#holes.length;
  }

  /** Whether bytes `start` to `end` have this shape; if so, `places` gets the first byte of each hole, in order. */
  matches(bytes: Buffer, start: number, end: number, places: Int32Array): boolean {
    let at = start;
    for (let hole = 0; hole < this.#holes.length; hole++) {
      const literal = this.#literals[hole] as Buffer;
      if (!isAt(bytes, at, end, literal)) return false;
      at += literal.length;
      places[hole] = at;
      const kind = this.#holes[hole] as number;
      const next = at + lengthAt(bytes, at, end, kind);
      if (next > end || (kind === fixedKind.text && !isAscii(bytes, at + 2, next))) return false;
      at = next;
    }
    const last = this.#literals[this.#holes.length] as Buffer;
    return at + last.length === end && isAt(bytes, at, end, last);
  }
}

function holeLength(bytes: Buffer, { at, bytes: kind }: Hole): number {
  return lengthAt(bytes, at, bytes.length, typeof kind === 'number' ? kind : fixedKind[kind]);
}

/** Bytes of a hole that begins at `at`; one that does not end within its stream reaches beyond `end`. */
function lengthAt(bytes: Buffer, at: number, end: number, kind: number): number {
  if (kind >= 0) return kind;
  if (kind === fixedKind.text) return at + 2 > end ? 2 : 2 + bytes.readUInt16BE(at);
  if (at + 4 > end) return 4;
  const length = bytes.readInt32BE(at);
  return length < 0 ? end - at + 1 : 4 + length;
}

/** Other texts are left to the parser, which checks them. */
function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}

/** Below this, a loop is faster than a call out of JavaScript. */
const shortLiteralBytes = 24;

function isAt(bytes: Buffer, at: number, end: number, literal: Buffer): boolean {
  const { length } = literal;
  if (at + length > end) return false;
  if (length > shortLiteralBytes) return bytes.compare(literal, 0, length, at, at + length) === 0;
  for (let index = 0; index < length; index++) if (bytes[at + index] !== literal[index]) return false;
  return true;
}

/** The shapes met last, each with what its reader knows of it. */
export class KnownShapes<T> {
  readonly #known: { readonly shape: StreamShape; readonly facts: T }[] = [];
  readonly #max: number;
  readonly places: Int32Array<ArrayBuffer>;

  constructor(max: number, holesMax: number) {
    this.#max = max;
    this.places = new Int32Array(holesMax);
  }

  /** What is known of a stream of this shape, with the places of its holes in `places`; null: not met before. */
  find(bytes: Buffer, start: number, end: number): T | null {
    for (let index = 0; index < this.#known.length; index++) {
      const known = this.#known[index] as { readonly shape: StreamShape; readonly facts: T };
      if (!known.shape.matches(bytes, start, end, this.places)) continue;
      if (index > 0) this.#moveToFront(index);
      return known.facts;
    }
    return null;
  }

  add(shape: StreamShape, facts: T): void {
    if (shape.holes > this.places.length) return;
    if (this.#known.length === this.#max) this.#known.pop();
    this.#known.unshift({ shape, facts });
  }

  #moveToFront(index: number): void {
    const [known] = this.#known.splice(index, 1);
    if (known !== undefined) this.#known.unshift(known);
  }
}
