// A walk over a msgpack payload's heads before the decoder sees it. The decoder allocates an array of the length that
// the bytes claim, and nests as deep as they say; this walk bounds both by the payload itself (design invariant 10).
// It costs a fraction of decoding and needs no memory.

const depthMax = 32;

/** Throws a RangeError unless `payload` begins with one msgpack value whose every length lies within it. */
export function checkPayloadBounds(payload: Uint8Array): void {
  walk(payload, 0, 0);
}

/** Returns the position behind the value at `at`. */
function walk(bytes: Uint8Array, at: number, depth: number): number {
  const head = bytes[at];
  if (head === undefined || depth > depthMax) throw new RangeError('the payload ends early or nests too deeply');
  if (head <= 0x7f || head >= 0xe0) return at + 1;
  if (head <= 0x8f) return walkItems(bytes, at + 1, (head & 0x0f) * 2, depth);
  if (head <= 0x9f) return walkItems(bytes, at + 1, head & 0x0f, depth);
  if (head <= 0xbf) return skip(bytes, at + 1, head & 0x1f);
  return walkWide(bytes, at + 1, head, depth);
}

function walkWide(bytes: Uint8Array, at: number, head: number, depth: number): number {
  const fixed = fixedLengths[head - 0xc0] as number;
  if (fixed >= 0) return skip(bytes, at, fixed);
  const width = lengthWidths[head - 0xc0] as number;
  if (width === 0) throw new RangeError('the payload holds an extension type');
  const length = unsigned(bytes, at, width);
  if (head >= 0xde) return walkItems(bytes, at + width, length * 2, depth);
  if (head >= 0xdc) return walkItems(bytes, at + width, length, depth);
  return skip(bytes, at + width, length);
}

// From 0xc0: nil, (unused), false, true, bin 8/16/32, ext 8/16/32, float 32/64, uint 8..64, int 8..64, fixext 1..16,
// str 8/16/32, array 16/32, map 16/32. The bytes behind the head, or -1 where a length follows or it is refused.
const fixedLengths = [
  0, -1, 0, 0, -1, -1, -1, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
];
const lengthWidths = [0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4];

function walkItems(bytes: Uint8Array, from: number, items: number, depth: number): number {
  // every item takes a byte at least, so a count beyond the rest is refused before anything is counted
  if (items > bytes.length - from) throw new RangeError('a length exceeds the payload');
  let at = from;
  for (let item = 0; item < items; item++) at = walk(bytes, at, depth + 1);
  return at;
}

function skip(bytes: Uint8Array, at: number, length: number): number {
  if (length > bytes.length - at) throw new RangeError('a length exceeds the payload');
  return at + length;
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (bytes[at + index] ?? Number.NaN);
  if (Number.isNaN(value)) throw new RangeError('the payload ends early');
  return value;
}
