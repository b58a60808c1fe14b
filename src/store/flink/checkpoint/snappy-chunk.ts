// One chunk of Snappy's framing format (framing_format.txt of google/snappy), as Flink writes operator state with
// `execution.checkpointing.snapshot-compression`: it flushes before each element, so an element begins a chunk. Bad bytes are
// null, and so is data of more bytes than the caller expects. Checksums are not looked at, as Flink does not.

const chunkKinds = { compressed: 0x00, plain: 0x01, streamIdentifier: 0xff };
/** From here to 0xfe, chunks may be passed over. */
const firstSkippable = 0x80;
const checksumBytes = 4;

/** The data of the first chunk at or behind `offset` that has some; at most `bytesMax` bytes. */
export function dataChunkAt(bytes: Buffer, offset: number, bytesMax: number): Buffer | null {
  for (let at = offset; at + 4 <= bytes.length; ) {
    const kind = bytes[at] as number;
    const end = at + 4 + bytes.readUIntLE(at + 1, 3);
    if (end > bytes.length) return null;
    const data = bytes.subarray(at + 4 + checksumBytes, end);
    if (kind === chunkKinds.plain) return data.length <= bytesMax ? data : null;
    if (kind === chunkKinds.compressed) return uncompress(data, bytesMax);
    if (kind !== chunkKinds.streamIdentifier && kind < firstSkippable) return null;
    at = end;
  }
  return null;
}

/** A varint of the length, then literals and copies of what came before (format_description.txt of google/snappy). */
function uncompress(data: Buffer, bytesMax: number): Buffer | null {
  const head = varint(data);
  if (head === null || head.value > bytesMax) return null;
  const output = Buffer.alloc(head.value);
  let length = 0;
  for (let at = head.bytes; at < data.length; ) {
    const element = elementAt(data, at);
    if (element === null || !put(element, output, length)) return null;
    length += element.length;
    at += element.bytes;
  }
  return length === output.length ? output : null;
}

interface Element {
  /** Its bytes, or as many as there are; null: a copy. */
  readonly literal: Buffer | null;
  /** How far back a copy begins. */
  readonly back: number;
  /** Of the output. */
  readonly length: number;
  /** Of the input. */
  readonly bytes: number;
}

/** null: it is cut. */
function elementAt(data: Buffer, at: number): Element | null {
  const tag = data[at] as number;
  const kind = tag & 3;
  const upper = tag >> 2;
  const further = kind === 0 ? Math.max(0, upper - 59) : ([0, 1, 2, 4][kind] as number);
  const begin = at + 1 + further;
  if (begin > data.length) return null;
  const number = further === 0 ? upper : data.readUIntLE(at + 1, further);
  if (kind === 0) {
    const length = number + 1;
    return { literal: data.subarray(begin, begin + length), back: 0, length, bytes: 1 + further + length };
  }
  const copy = { literal: null, bytes: 1 + further };
  if (kind === 1) return { ...copy, back: (tag >> 5) * 256 + number, length: (upper & 7) + 4 };
  return { ...copy, back: number, length: upper + 1 };
}

/** Whether it fits, and says what there is. */
function put({ literal, back, length }: Element, output: Buffer, at: number): boolean {
  if (length > output.length - at) return false;
  if (literal !== null) return literal.copy(output, at) === length;
  if (back === 0 || back > at) return false;
  // Byte by byte: a copy may reach into what it makes.
  for (let index = at; index < at + length; index += 1) output[index] = output[index - back] as number;
  return true;
}

/** Of at most 32 bits. */
function varint(data: Buffer): { readonly value: number; readonly bytes: number } | null {
  let value = 0;
  for (let index = 0; index < Math.min(5, data.length); index += 1) {
    const byte = data[index] as number;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, bytes: index + 1 };
  }
  return null;
}
