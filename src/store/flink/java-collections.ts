// The collections of the JDK as plain iterables, by what their classes write: fields and contents read by name, whatever
// the serialVersionUID. A value that is none of them is null, so that a caller can say what it met instead.
import { JavaArray, JavaObject, type JavaPrimitive, type JavaValue } from './java-stream.ts';

export type JavaEntry = readonly [key: JavaValue, value: JavaValue];

/** Wrappers inside wrappers that are looked through; a cycle of them ends here. */
const wrappersMax = 8;

/** Entries of a map; null where `value` is no map that is known. */
export function mapEntries(value: unknown): Iterable<JavaEntry> | null {
  const map = unwrapped(value, 'm');
  if (map === null) return null;
  const name = map.className;
  if (name === 'java.util.Collections$EmptyMap') return [];
  if (name === 'java.util.Collections$SingletonMap') return [[refField(map, 'k'), refField(map, 'v')]];
  if (name === 'java.util.concurrent.ConcurrentHashMap') return untilNullKey(contentValues(map, name));
  if (name === 'java.util.CollSer') return collSerKind(map) === 'map' ? pairs(collSerItems(map)) : null;
  if (name === 'java.util.EnumMap') return pairs(contentValues(map, name));
  const written = ['java.util.HashMap', 'java.util.TreeMap', 'java.util.Hashtable', 'java.util.IdentityHashMap'];
  const level = written.find((candidate) => map.type.is(candidate));
  return level === undefined ? null : pairs(contentValues(map, level));
}

const listClasses: readonly string[] = [
  'java.util.ArrayList',
  'java.util.LinkedList',
  'java.util.HashSet',
  'java.util.ArrayDeque',
  'java.util.PriorityQueue',
  'java.util.concurrent.CopyOnWriteArrayList',
];

/** Items of a list, set, queue or object array; null where `value` is no collection that is known. */
export function listItems(value: unknown): Iterable<JavaValue> | null {
  if (value instanceof JavaArray) return arrayItems(value);
  const list = unwrapped(value, 'c');
  if (list === null) return null;
  const name = list.className;
  if (name === 'java.util.Collections$EmptyList' || name === 'java.util.Collections$EmptySet') return [];
  if (name === 'java.util.Collections$SingletonList') return [refField(list, 'element')];
  if (name === 'java.util.Collections$SingletonSet') return [refField(list, 'element')];
  if (name === 'java.util.Arrays$ArrayList') return arrayItems(refField(list, 'a'));
  if (name === 'java.util.Collections$SetFromMap') return keys(mapEntries(refField(list, 'm')));
  if (name === 'java.util.CollSer') return collSerKind(list) === 'map' ? null : collSerItems(list);
  if (name === 'java.util.EnumSet$SerializationProxy') return arrayItems(refField(list, 'elements'));
  if (list.type.is('java.util.TreeSet')) return withoutFirst(contentValues(list, 'java.util.TreeSet'));
  if (list.type.is('java.util.Vector')) return vectorItems(list);
  const level = listClasses.find((candidate) => list.type.is(candidate));
  return level === undefined ? null : contentValues(list, level);
}

/** The number, text or boolean inside a boxed value (java.lang.Integer and its like); null for anything else. */
export function unboxed(value: unknown): JavaPrimitive | null {
  if (typeof value === 'string') return value;
  if (!(value instanceof JavaObject) || !boxes.has(value.className)) return null;
  const inner = value.field('value');
  return inner === undefined || inner === null || typeof inner === 'object' ? null : inner;
}

const boxes: ReadonlySet<string> = new Set(
  ['Byte', 'Character', 'Double', 'Float', 'Integer', 'Long', 'Short', 'Boolean'].map((name) => `java.lang.${name}`),
);

/** A field that holds a value by reference; null where there is none. */
export function refField(object: JavaObject, name: string): JavaValue {
  const value = object.field(name);
  if (value === undefined || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return null;
  }
  return value;
}

export function objectField(object: JavaObject, name: string): JavaObject | null {
  const value = object.field(name);
  return value instanceof JavaObject ? value : null;
}

export function intField(object: JavaObject, name: string): number | null {
  const value = object.field(name);
  return typeof value === 'number' ? value : null;
}

export function stringField(object: JavaObject, name: string): string | null {
  const value = object.field(name);
  return typeof value === 'string' ? value : null;
}

/** Bytes that a write method left in front of, between and behind its values, put together. */
export function contentBytes(object: JavaObject, className?: string): Buffer {
  const blocks: Buffer[] = [];
  for (const content of object.contents(className)) if ('block' in content) blocks.push(content.block);
  return Buffer.concat(blocks);
}

/** Looks through the wrappers that Collections puts around a collection (`field` names what is inside). */
function unwrapped(value: unknown, field: 'm' | 'c'): JavaObject | null {
  let object = value instanceof JavaObject ? value : null;
  for (let turn = 0; turn < wrappersMax && object !== null; turn++) {
    if (!/^java\.util\.Collections\$(Unmodifiable|Synchronized|Checked)/.test(object.className)) return object;
    object = objectField(object, field) ?? objectField(object, 'list');
  }
  return null;
}

function* contentValues(object: JavaObject, className: string): Generator<JavaValue> {
  for (const content of object.contents(className)) if ('value' in content) yield content.value;
}

function* pairs(values: Iterable<JavaValue>): Generator<JavaEntry> {
  let key: JavaValue | undefined;
  for (const value of values) {
    if (key === undefined) key = value;
    else {
      yield [key, value];
      key = undefined;
    }
  }
}

/** A ConcurrentHashMap ends its entries with a null key. */
function* untilNullKey(values: Iterable<JavaValue>): Generator<JavaEntry> {
  for (const entry of pairs(values)) {
    if (entry[0] === null) return;
    yield entry;
  }
}

function* keys(entries: Iterable<JavaEntry> | null): Generator<JavaValue> {
  for (const [key] of entries ?? []) yield key;
}

/** A TreeSet writes its comparator first. */
function* withoutFirst(values: Iterable<JavaValue>): Generator<JavaValue> {
  let isFirst = true;
  for (const value of values) {
    if (!isFirst) yield value;
    isFirst = false;
  }
}

function* arrayItems(value: JavaValue): Generator<JavaValue> {
  if (!(value instanceof JavaArray) || !['L', '['].includes(value.component)) return;
  for (const item of value.items()) yield item as JavaValue;
}

function* vectorItems(vector: JavaObject): Generator<JavaValue> {
  let left = intField(vector, 'elementCount') ?? 0;
  for (const item of arrayItems(refField(vector, 'elementData'))) {
    if (left-- <= 0) return;
    yield item;
  }
}

/** What List.of, Set.of and Map.of write: a tag (1 list, 2 set, 3 map, 4 list with nulls), a length and the items. */
function collSerKind(proxy: JavaObject): 'map' | 'list' {
  return ((intField(proxy, 'tag') ?? 0) & 0xff) === 3 ? 'map' : 'list';
}

function collSerItems(proxy: JavaObject): Iterable<JavaValue> {
  return contentValues(proxy, 'java.util.CollSer');
}
