// The different state files that a checkpoint names, with what must hold of each: columns of numbers beside a table of names,
// so that a hostile list of a million files costs little more than its own bytes.
import { NameTable } from './name-table.ts';

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

export class StateFileList implements Iterable<NamedStateFile> {
  /** References to files beyond `filesMax`, which are not in the list. */
  omitted = 0;
  readonly filesMax: number;
  /** Each behind one letter: `r` of a relative name, `a` of an absolute one. */
  readonly #names: NameTable;
  readonly #offset: Uint32Array;
  readonly #least: Float64Array;
  /** In these two a number plus one, 0 for none. */
  readonly #exact: Float64Array;
  readonly #crc: Float64Array;

  /** `metadataBytes`: more than all names together have. */
  constructor(filesMax: number, metadataBytes: number) {
    this.filesMax = filesMax;
    this.#names = new NameTable(filesMax, metadataBytes);
    this.#offset = new Uint32Array(filesMax);
    this.#least = new Float64Array(filesMax);
    this.#exact = new Float64Array(filesMax);
    this.#crc = new Float64Array(filesMax);
  }

  add({ name, isRelative, offset, exact, least, crc }: NamedStateFile): void {
    const before = this.#names.size;
    const index = this.#names.numberOf((isRelative ? 'r' : 'a') + name);
    if (index === null) {
      this.omitted += 1;
      return;
    }
    if (index === before) this.#offset[index] = offset;
    this.#least[index] = Math.max(least, this.#least[index] as number);
    if (exact !== null) this.#exact[index] = exact + 1;
    if (crc !== null) this.#crc[index] = crc + 1;
  }

  *[Symbol.iterator](): Generator<NamedStateFile> {
    for (let index = 0; index < this.#names.size; index += 1) {
      const name = this.#names.at(index);
      yield {
        name: name.slice(1),
        isRelative: name.startsWith('r'),
        offset: this.#offset[index] as number,
        exact: lessOne(this.#exact[index] as number),
        least: this.#least[index] as number,
        crc: lessOne(this.#crc[index] as number),
      };
    }
  }
}

function lessOne(number: number): number | null {
  return number === 0 ? null : number - 1;
}
