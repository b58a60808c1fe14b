// The different state files that a checkpoint names, with what must hold of each: columns of numbers beside a map of names,
// so that a hostile list of a million files costs little more than its own bytes.

export interface NamedStateFile {
  /** As recorded. */
  readonly name: string;
  readonly isRelative: boolean;
  /** First place in the metadata that names it. */
  readonly offset: number;
  /** Its length as recorded; null where only parts of it are. */
  readonly exact: number | null;
  /** Bytes that must be there. */
  readonly least: number;
  /** CRC-32 as recorded; null where none is. */
  readonly crc: number | null;
}

/** In a column of numbers that cannot be negative. */
const none = -1;

export class StateFileList implements Iterable<NamedStateFile> {
  /** References to files beyond `filesMax`, which are not in the list. */
  omitted = 0;
  readonly filesMax: number;
  readonly #relative = new Map<string, number>();
  readonly #absolute = new Map<string, number>();
  #columns = {
    offset: new Float64Array(64),
    exact: new Float64Array(64),
    least: new Float64Array(64),
    crc: new Float64Array(64),
  };

  constructor(filesMax: number) {
    this.filesMax = filesMax;
  }

  add({ name, isRelative, offset, exact, least, crc }: NamedStateFile): void {
    const names = isRelative ? this.#relative : this.#absolute;
    const index = names.get(name) ?? this.#take(names, name, offset);
    if (index === null) return;
    const { exact: lengths, least: ends, crc: checksums } = this.#columns;
    if (least > (ends[index] as number)) ends[index] = least;
    if (exact !== null) lengths[index] = exact;
    if (crc !== null) checksums[index] = crc;
  }

  *[Symbol.iterator](): Generator<NamedStateFile> {
    for (const [name, index] of this.#relative) yield this.#at(name, true, index);
    for (const [name, index] of this.#absolute) yield this.#at(name, false, index);
  }

  #take(names: Map<string, number>, name: string, offset: number): number | null {
    const index = this.#relative.size + this.#absolute.size;
    if (index >= this.filesMax) {
      this.omitted += 1;
      return null;
    }
    if (index === this.#columns.offset.length) this.#grow();
    names.set(name, index);
    this.#columns.offset[index] = offset;
    this.#columns.exact[index] = none;
    this.#columns.crc[index] = none;
    return index;
  }

  #at(name: string, isRelative: boolean, index: number): NamedStateFile {
    const { offset, exact, least, crc } = this.#columns;
    const at = (column: Float64Array) => column[index] as number;
    const orNull = (value: number) => (value === none ? null : value);
    return {
      name,
      isRelative,
      offset: at(offset),
      exact: orNull(at(exact)),
      least: at(least),
      crc: orNull(at(crc)),
    };
  }

  #grow(): void {
    const { offset, exact, least, crc } = this.#columns;
    this.#columns = { offset: doubled(offset), exact: doubled(exact), least: doubled(least), crc: doubled(crc) };
  }
}

function doubled(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
