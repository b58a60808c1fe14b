// Different names, numbered in the order in which they came: their bytes one behind the other, and a hash table of numbers
// over them, so that a million names cost little more than their bytes. Capacities are given once, and are virtual memory
// until they are used.
import { randomInt } from 'node:crypto';

export class NameTable {
  #size = 0;
  readonly #bytes: Buffer;
  /** Where each name ends. */
  readonly #ends: Uint32Array;
  /** A name's number plus one, at its hash or in the next free slot. */
  readonly #slots: Uint32Array;
  /** Names are written by others: which of them collide must not be known to them. */
  readonly #seed = randomInt(2 ** 32);

  /** For at most `namesMax` names; all that are ever asked for, known ones again, have at most `bytesMax` bytes together. */
  constructor(namesMax: number, bytesMax: number) {
    this.#bytes = Buffer.alloc(bytesMax);
    this.#ends = new Uint32Array(namesMax);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * namesMax + 2)));
  }

  get size(): number {
    return this.#size;
  }

  /** The number of a name, which is added where it is new; null: there is no room. */
  numberOf(name: string): number | null {
    const start = this.#startOf(this.#size);
    // Behind the last name, where it stays if it is new.
    const end = start + this.#bytes.write(name, start);
    const slot = this.#slotOf(start, end);
    const known = this.#slots[slot] as number;
    if (known > 0) return known - 1;
    if (this.#size === this.#ends.length || end - start < Buffer.byteLength(name)) return null;
    this.#ends[this.#size] = end;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    return this.#size - 1;
  }

  at(number: number): string {
    return this.#bytes.toString('utf8', this.#startOf(number), this.#ends[number]);
  }

  #startOf(number: number): number {
    return number === 0 ? 0 : (this.#ends[number - 1] as number);
  }

  /** The slot of the name between these bytes, or the free one that it would take. */
  #slotOf(start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(start, end) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] as number;
      if (known === 0 || this.#isAt(known - 1, start, end)) return slot;
    }
  }

  #isAt(number: number, start: number, end: number): boolean {
    return this.#bytes.compare(this.#bytes, this.#startOf(number), this.#ends[number], start, end) === 0;
  }

  /** FNV-1a from the seed, its bits mixed once more. */
  #hash(start: number, end: number): number {
    let hash = this.#seed;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (this.#bytes[at] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}
