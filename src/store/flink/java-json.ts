// Java data as plain JSON, for `inspect --raw`: classes and fields by name, each object once ("@id"), every further
// mention of it as "@ref", so that cycles end. Bytes are hexadecimal. Bounded: what is deeper than `depthMax` is "@cut".
import { JavaArray, JavaClassValue, type JavaContent, JavaEnum, JavaObject } from './java-stream.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const depthMax = 200;

export function javaToJson(value: unknown): Json {
  return convert(value, new Set(), 0);
}

function convert(value: unknown, seen: Set<number>, depth: number): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return longJson(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof JavaEnum) return { '@enum': value.className, name: value.name };
  if (value instanceof JavaClassValue) return { '@class': 'java.lang.Class', name: value.className };
  if (!(value instanceof JavaObject || value instanceof JavaArray)) return null;
  if (seen.has(value.handle)) return { '@ref': value.handle };
  seen.add(value.handle);
  if (depth >= depthMax) return { '@class': value.className, '@cut': true };
  return value instanceof JavaArray ? arrayJson(value, seen, depth) : objectJson(value, seen, depth);
}

/** Longs stay exact: as text where a number could not hold them. */
function longJson(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function arrayJson(array: JavaArray, seen: Set<number>, depth: number): Json {
  if (array.component === 'B') return { '@class': array.className, hex: array.bytes().toString('hex') };
  return Array.from(array.items(), (item) => convert(item, seen, depth + 1));
}

function objectJson(object: JavaObject, seen: Set<number>, depth: number): Json {
  const json: Record<string, Json> = { '@class': object.className, '@id': object.handle };
  for (const { type, name, value } of object.fields()) {
    // A field hidden by one of the same name is told by its class.
    defineField(json, Object.hasOwn(json, name) ? `${type.name}.${name}` : name, convert(value, seen, depth + 1));
  }
  for (const className of object.classesWithContents()) {
    const contents = Array.from(object.contents(className), (content) => contentJson(content, seen, depth));
    if (contents.length > 0) defineField(json, `@written by ${className}`, contents);
  }
  return json;
}

/** A stream may name a field `__proto__`: it becomes a plain property like any other. */
function defineField(json: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(json, name, { value, enumerable: true, configurable: true, writable: true });
}

function contentJson(content: JavaContent, seen: Set<number>, depth: number): Json {
  return 'block' in content ? { hex: content.block.toString('hex') } : convert(content.value, seen, depth + 1);
}
