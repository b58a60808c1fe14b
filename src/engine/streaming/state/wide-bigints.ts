// Bigints that have no 64 bits of msgpack: it would keep their low 64 bits and say nothing. Before a value is encoded
// they are put into a WideBigint each, which is an extension; what holds none is passed on as it is, without a copy.

export const depthMax = 64;

/** Reading a text of digits takes longer than its length: what is written is as bounded as what is read. */
const digitsMax = 65_536;

export class WideBigint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** The value with its wide bigints wrapped. Maps and Sets are passed on: their items are encoded by themselves. */
export function wrapWideBigints(value: unknown, depth = 1): unknown {
  if (typeof value === 'bigint') return fits(value) ? value : new WideBigint(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthMax) throw new Error(`a value nests more than ${depthMax} deep, or in a circle`);
  if (Array.isArray(value)) return wrapList(value, depth);
  return isRow(value) ? wrapRow(value as Readonly<Record<string, unknown>>, depth) : value;
}

export function encodeWideBigint(value: bigint): Uint8Array {
  const text = String(value);
  if (text.length <= digitsMax) return Buffer.from(text, 'latin1');
  throw new Error(`a bigint of ${text.length} digits: rows and state hold at most ${digitsMax}`);
}

export function decodeWideBigint(bytes: Uint8Array): bigint {
  const text = bytes.length <= digitsMax ? Buffer.from(bytes).toString('latin1') : '';
  if (/^-?\d+$/.test(text)) return BigInt(text);
  throw new Error(`${bytes.length} bytes are no bigint`);
}

/** Whether msgpack has it: as int 64 below zero, as uint 64 from there. */
function fits(value: bigint): boolean {
  return value >= 0n ? BigInt.asUintN(64, value) === value : BigInt.asIntN(64, value) === value;
}

function isRow(value: object): boolean {
  return !(value instanceof Map || value instanceof Set || value instanceof Date || ArrayBuffer.isView(value));
}

function wrapList(list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index];
    const wrapped = wrapWideBigints(item, depth + 1);
    if (Object.is(wrapped, item)) continue;
    copy ??= [...list];
    copy[index] = wrapped;
  }
  return copy ?? list;
}

function wrapRow(row: Readonly<Record<string, unknown>>, depth: number): object {
  let copy: Record<string, unknown> | null = null;
  for (const key of Object.keys(row)) {
    const field = row[key];
    const wrapped = wrapWideBigints(field, depth + 1);
    if (Object.is(wrapped, field)) continue;
    copy ??= { ...row };
    copy[key] = wrapped;
  }
  return copy ?? row;
}
