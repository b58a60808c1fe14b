// Compact binary number lists: one byte for the width of an element, then the elements, little-endian. Decoding them
// is several times faster than decoding msgpack arrays of numbers. Invariant: equal lists have equal bytes (smallest
// width that holds all elements). Spec: docs/format.md, "Events".
import { bytes, CellError } from '../model/cells.ts';

const doubleWidth = 8;
const empty = new Uint8Array(0);

/** Encodes a list of any JavaScript numbers. */
export function encodeNumberList(values: readonly number[]): Uint8Array {
  if (values.length === 0) return empty;
  const width = widthOf(values);
  const bytes = new Uint8Array(1 + values.length * width);
  bytes[0] = width;
  if (width === doubleWidth) writeDoubles(bytes, values);
  else writeUnsigned(bytes, width, values);
  return bytes;
}

function widthOf(values: readonly number[]): number {
  let highest = 0;
  for (const value of values) {
    // Object.is keeps -0, which no unsigned width can hold
    if (!(Number.isInteger(value) && value >= 0 && value <= 0xffffffff) || Object.is(value, -0)) return doubleWidth;
    if (value > highest) highest = value;
  }
  return highest <= 0xff ? 1 : highest <= 0xffff ? 2 : 4;
}

/** By hand, as in `decodeUnsigned`. The array keeps the low eight bits of what is assigned to an element. */
function writeUnsigned(bytes: Uint8Array, width: number, values: readonly number[]): void {
  let at = 1;
  for (let index = 0; index < values.length; index++, at += width) {
    const value = values[index] as number;
    bytes[at] = value;
    if (width > 1) bytes[at + 1] = value >>> 8;
    if (width > 2) {
      bytes[at + 2] = value >>> 16;
      bytes[at + 3] = value >>> 24;
    }
  }
}

function writeDoubles(bytes: Uint8Array, values: readonly number[]): void {
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) {
    view.setFloat64(1 + index * doubleWidth, values[index] as number, true);
  }
}

/** Decodes a list; null where the bytes are not one. */
export function decodeNumberList(bytes: Uint8Array): number[] | null {
  if (bytes.length === 0) return [];
  const width = bytes[0] as number;
  if (width !== 1 && width !== 2 && width !== 4 && width !== doubleWidth) return null;
  const length = (bytes.length - 1) / width;
  if (!Number.isInteger(length) || length === 0) return null;
  return width === doubleWidth ? decodeDoubles(bytes, length) : decodeUnsigned(bytes, width, length);
}

/** The list in a payload's cell. */
export function numbers(cell: unknown): number[] {
  const values = decodeNumberList(bytes(cell));
  if (values === null) throw new CellError('a number list was expected');
  return values;
}

/** By hand: short lists are the rule, and a view costs more than their elements. */
function decodeUnsigned(bytes: Uint8Array, width: number, length: number): number[] {
  const values: number[] = new Array(length);
  for (let index = 0, at = 1; index < length; index++, at += width) {
    let value = bytes[at] as number;
    if (width > 1) value += (bytes[at + 1] as number) * 0x100;
    if (width > 2) value += (bytes[at + 2] as number) * 0x10000 + (bytes[at + 3] as number) * 0x1000000;
    values[index] = value;
  }
  return values;
}

function decodeDoubles(bytes: Uint8Array, length: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + 1, length * doubleWidth);
  return Array.from({ length }, (_, index) => view.getFloat64(index * doubleWidth, true));
}
