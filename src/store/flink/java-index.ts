// Where the values of a Java stream lie: for each handle its place, its end and its class. The parser builds this index
// instead of values, so that its memory is a fraction of the input's whatever the bytes say; views read values from it
// on demand. Keys grow with the handles, so the handle of a place is found by binary search.
import type { JavaClass } from './java-class.ts';
import { JavaFault } from './java-cursor.ts';
import { baseHandle, type JavaLimits, typeCode } from './java-protocol.ts';

export const handleKind = { object: 1, array: 2, string: 3, class: 4, enum: 5, descriptor: 6 } as const;
export type HandleKind = keyof typeof handleKind;

const kindNames: readonly HandleKind[] = ['object', 'array', 'string', 'class', 'enum', 'descriptor'];

export class JavaIndex {
  readonly bytes: Buffer;
  /** Described classes by the number that `addClass` gave them. */
  readonly classes: JavaClass[] = [];
  #count = 0;
  readonly #handlesMax: number;
  /** First byte of a handle's own data, behind its class descriptor. */
  #keys = new Uint32Array(64);
  #ends = new Uint32Array(64);
  #classes = new Uint32Array(64);
  #kinds = new Uint8Array(64);

  constructor(bytes: Buffer, limits: JavaLimits) {
    this.bytes = bytes;
    this.#handlesMax = Math.max(limits.handlesFloor, Math.floor(bytes.length / 6));
  }

  get handles(): number {
    return this.#count;
  }

  /** Takes the next handle. `key` is the first byte behind the type code, or behind the class descriptor. */
  add(kind: HandleKind, key: number, classNumber: number): number {
    if (this.#count >= this.#handlesMax) throw new JavaFault('more objects than a stream of its length may hold', key);
    if (this.#count === this.#keys.length) this.#grow();
    const handle = this.#count;
    this.#count += 1;
    this.#keys[handle] = key;
    this.#kinds[handle] = handleKind[kind];
    this.#classes[handle] = classNumber;
    return handle;
  }

  addClass(found: JavaClass): number {
    return this.classes.push(found) - 1;
  }

  setEnd(handle: number, end: number): void {
    this.#ends[handle] = end;
  }

  setClass(handle: number, classNumber: number): void {
    this.#classes[handle] = classNumber;
  }

  kindOf(handle: number): HandleKind {
    return kindNames[(this.#kinds[handle] as number) - 1] as HandleKind;
  }

  keyOf(handle: number): number {
    return this.#keys[handle] as number;
  }

  endOf(handle: number): number {
    return this.#ends[handle] as number;
  }

  classNumberOf(handle: number): number {
    return this.#classes[handle] as number;
  }

  classOf(handle: number): JavaClass {
    return this.classes[this.#classes[handle] as number] as JavaClass;
  }

  /** The handle that a back reference at `offset` names, or -1. */
  referenced(offset: number): number {
    const handle = this.bytes.readInt32BE(offset + 1) - baseHandle;
    return handle >= 0 && handle < this.#count ? handle : -1;
  }

  /** End of the value that begins at `offset`; only for places that the scan went over. */
  valueEnd(offset: number): number {
    const code = this.bytes[offset] as number;
    if (code === typeCode.null || code === typeCode.endBlockData) return offset + 1;
    if (code === typeCode.reference) return offset + 5;
    if (code === typeCode.blockData) return offset + 2 + (this.bytes[offset + 1] as number);
    if (code === typeCode.blockDataLong) return offset + 5 + this.bytes.readInt32BE(offset + 1);
    return this.endOf(this.handleAt(offset));
  }

  /** Where the length lies of the text that begins at `offset`, or that is referred to there; -1 for anything else. */
  textKey(offset: number): number {
    const code = this.bytes[offset];
    if (code === typeCode.string || code === typeCode.longString) return offset + 1;
    const handle = code === typeCode.reference ? this.referenced(offset) : -1;
    return handle >= 0 && this.kindOf(handle) === 'string' ? this.keyOf(handle) : -1;
  }

  /** The handle of the new value that begins at `offset`. */
  handleAt(offset: number): number {
    const code = this.bytes[offset] as number;
    const isPlain = code === typeCode.string || code === typeCode.longString || code === typeCode.classDescriptor;
    return this.#handleOfKey(isPlain ? offset + 1 : this.valueEnd(offset + 1));
  }

  #handleOfKey(key: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Doubles the room, but takes no more than the bytes that are left could fill. */
  #grow(): void {
    const capacity = Math.min(this.#keys.length * 2, Math.max(this.#handlesMax, 64));
    this.#keys = enlarged(this.#keys, capacity);
    this.#ends = enlarged(this.#ends, capacity);
    this.#classes = enlarged(this.#classes, capacity);
    const kinds = new Uint8Array(capacity);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
  }
}

function enlarged(numbers: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(numbers);
  return larger;
}
