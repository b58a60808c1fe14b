// One string for each id and each worker name of a store: a store repeats them in every event, and a replayed graph keeps
// them. Recent ones are found by their bytes in a small table, without making a string to look them up. Bounded, so that
// a store of ever new names costs no memory beyond its events.
import { decodeModifiedUtf8 } from './modified-utf8.ts';

const stringsMax = 20_000;
const recentSlots = 1024;
const recentBytesMax = 64;

interface Recent {
  readonly bytes: Uint8Array;
  readonly text: string;
}

type Form = 'hex' | 'text';

export class Interner {
  readonly #strings = { hex: new Map<string, string>(), text: new Map<string, string>() };
  readonly #recent: Record<Form, (Recent | undefined)[]> = {
    hex: new Array(recentSlots).fill(undefined),
    text: new Array(recentSlots).fill(undefined),
  };

  /** 32 hexadecimal digits of the 16 bytes at `at`. */
  id(bytes: Buffer, at: number): string {
    return this.#find('hex', bytes, at, at + 16);
  }

  /** The modified UTF-8 between `from` and `to`, which must be well formed. */
  text(bytes: Buffer, from: number, to: number): string {
    return this.#find('text', bytes, from, to);
  }

  #find(form: Form, bytes: Buffer, from: number, to: number): string {
    const slots = this.#recent[form];
    const slot = slotOf(bytes, from, to);
    const recent = slots[slot];
    if (recent !== undefined && isSame(recent.bytes, bytes, from, to)) return recent.text;
    const text = this.#remember(form, bytes, from, to);
    if (to - from <= recentBytesMax) slots[slot] = { bytes: Uint8Array.from(bytes.subarray(from, to)), text };
    return text;
  }

  #remember(form: Form, bytes: Buffer, from: number, to: number): string {
    const text = form === 'hex' ? bytes.toString('hex', from, to) : (decodeModifiedUtf8(bytes, from, to) ?? '');
    const strings = this.#strings[form];
    const known = strings.get(text);
    if (known !== undefined) return known;
    if (strings.size >= stringsMax) strings.clear();
    strings.set(text, text);
    return text;
  }
}

function slotOf(bytes: Buffer, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (recentSlots - 1);
}

function isSame(known: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[from + index]) return false;
  return true;
}
