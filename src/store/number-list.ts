// Compact binary number lists: one byte for the width of an element, then the elements, little-endian. Decoding them
// is several times faster than decoding msgpack arrays of numbers. Invariant: equal lists have equal bytes (smallest
// width that holds all elements). Spec: docs/format.md, "Events".

const doubleWidth = 8;
const empty = new Uint8Array(0);

/** Encodes a list of any JavaScript numbers. */
export function encodeNumberList(values: readonly number[]): Uint8Array {
  if (values.length === 0) return empty;
  const width = widthOf(values);
  const bytes = new Uint8Array(1 + values.length * width);
  bytes[0] = width;
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) {
    writeElement(view, 1 + index * width, width, values[index] as number);
  }
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

function writeElement(view: DataView, at: number, width: number, value: number): void {
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, true);
  else if (width === 4) view.setUint32(at, value, true);
  else view.setFloat64(at, value, true);
}

/** Decodes a list; null where the bytes are not one. */
export function decodeNumberList(bytes: Uint8Array): number[] | null {
  if (bytes.length === 0) return [];
  const width = bytes[0] as number;
  if (width !== 1 && width !== 2 && width !== 4 && width !== doubleWidth) return null;
  const length = (bytes.length - 1) / width;
  if (!Number.isInteger(length) || length === 0) return null;
  if (width === 1) return Array.from(bytes.subarray(1));
  return decodeWide(bytes, width, length);
}

function decodeWide(bytes: Uint8Array, width: number, length: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + 1, length * width);
  const values: number[] = [];
  for (let at = 0; at < view.byteLength; at += width) {
    if (width === 2) values.push(view.getUint16(at, true));
    else if (width === 4) values.push(view.getUint32(at, true));
    else values.push(view.getFloat64(at, true));
  }
  return values;
}
