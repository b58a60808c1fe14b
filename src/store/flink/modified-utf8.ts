// Java's modified UTF-8: NUL is two bytes, and characters beyond the basic plane are two surrogates of three bytes each.
// Text that is not well formed is null. Spec: docs/flink.md, "The Java parser".

/** The text in `bytes` from `start` to `end`; null where it is not modified UTF-8. */
export function decodeModifiedUtf8(bytes: Buffer, start: number, end: number): string | null {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return decodeWide(bytes, start, end);
  }
  return bytes.toString('latin1', start, end);
}

/** The same check without building the text. */
export function isModifiedUtf8(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const length = unitBytes(bytes, at, end);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

function decodeWide(bytes: Buffer, start: number, end: number): string | null {
  const pieces: string[] = [];
  let units: number[] = [];
  let at = start;
  while (at < end) {
    const length = unitBytes(bytes, at, end);
    if (length === 0) return null;
    units.push(unitAt(bytes, at, length));
    at += length;
    if (units.length < 4096) continue;
    pieces.push(String.fromCharCode(...units));
    units = [];
  }
  return pieces.join('') + String.fromCharCode(...units);
}

/** Bytes of the UTF-16 unit at `at`; 0 where there is none. */
function unitBytes(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let next = at + 1; next < at + length; next++) if ((bytes[next] as number) >> 6 !== 0b10) return 0;
  return length;
}

function unitAt(bytes: Buffer, at: number, length: number): number {
  const first = bytes[at] as number;
  const second = (bytes[at + 1] as number) & 0x3f;
  if (length === 1) return first;
  if (length === 2) return ((first & 0x1f) << 6) | second;
  return ((first & 0x0f) << 12) | (second << 6) | ((bytes[at + 2] as number) & 0x3f);
}
