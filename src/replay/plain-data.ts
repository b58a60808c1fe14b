// Objects with Maps and Sets in them as plain data (objects, arrays, texts, numbers, booleans, null) and back, the order
// of entries kept. For the parts of a snapshot that are small; its tasks have a layout of their own.
import { CellError, list, listOfGroups } from '../model/cells.ts';

/** Keys that mark a Map and a Set: no field of the graph, and no id in it, is named so. */
const mapKey = '$map';
const setKey = '$set';

type Kind = 'map' | 'set' | 'array' | 'object' | 'null' | 'string' | 'number' | 'boolean' | 'other';

export function kindOf(value: unknown): Kind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  const type = typeof value;
  if (type === 'object') return value instanceof Uint8Array ? 'other' : 'object';
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'other';
}

export function toPlain(value: unknown): unknown {
  if (value instanceof Map) return { [mapKey]: [...value].flat().map(toPlain) };
  if (value instanceof Set) return { [setKey]: [...value].map(toPlain) };
  if (Array.isArray(value)) return value.map(toPlain);
  return kindOf(value) === 'object' ? mapFields(value as object, toPlain) : value;
}

/** Throws a CellError for a Map or a Set that is none. */
export function fromPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (kindOf(value) !== 'object') return value;
  const object = value as Record<string, unknown>;
  if (mapKey in object) return mapOf(listOfGroups(object[mapKey], 2).map(fromPlain));
  if (setKey in object) return new Set(list(object[setKey]).map(fromPlain));
  return mapFields(object, fromPlain);
}

function mapFields(object: object, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function mapOf(flat: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let at = 0; at < flat.length; at += 2) map.set(flat[at], flat[at + 1]);
  if (map.size * 2 !== flat.length) throw new CellError('a key is there twice');
  return map;
}
