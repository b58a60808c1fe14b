// JSON as the contract wants it: integers above 2^53-1 are strings, bytes are base64, and nothing else is changed.
// Owns no I/O.

/** One line of JSON. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value, replace);
}

/** A document for a screen and for scripts alike. */
export function toJsonDocument(value: unknown): string {
  return JSON.stringify(value, replace, 2);
}

// `value` has already been through toJSON (a Buffer would be a {type, data} object), so bytes are looked up in `this`.
function replace(this: unknown, key: string, value: unknown): unknown {
  const raw: unknown = (this as Record<string, unknown>)[key];
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64');
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : value.toString();
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return BigInt(value).toString();
  return value;
}

function isSafe(value: bigint): boolean {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
}
