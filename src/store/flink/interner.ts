// One string for each id and each worker name of a store: a store repeats them in every event, and a replayed graph keeps
// them. Bounded, so that a store of ever new names costs no memory beyond its events.
import { decodeModifiedUtf8 } from './modified-utf8.ts';

const stringsMax = 20_000;

export class Interner {
  readonly #ids = new Map<string, string>();
  readonly #texts = new Map<string, string>();

  /** 32 hexadecimal digits of the 16 bytes at `at`. */
  id(bytes: Buffer, at: number): string {
    const key = bytes.toString('latin1', at, at + 16);
    return this.#ids.get(key) ?? remember(this.#ids, key, bytes.toString('hex', at, at + 16));
  }

  /** The modified UTF-8 between `from` and `to`, which must be well formed. */
  text(bytes: Buffer, from: number, to: number): string {
    const key = bytes.toString('latin1', from, to);
    return this.#texts.get(key) ?? remember(this.#texts, key, decodeModifiedUtf8(bytes, from, to) ?? key);
  }
}

function remember(strings: Map<string, string>, key: string, value: string): string {
  if (strings.size >= stringsMax) strings.clear();
  strings.set(key, value);
  return value;
}
