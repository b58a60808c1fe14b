// Small predicates that check plain data read from bytes, composed like the types that they stand for. Unknown keys
// pass, so that data of a newer writer is readable (docs/format.md, "Versioning"). Hand-written because a schema
// library costs more start-up time than everything else that a reading command loads.

export type Shape = (value: unknown) => boolean;

export const isText: Shape = (value) => typeof value === 'string';
export const isFlag: Shape = (value) => typeof value === 'boolean';
export const isNumber: Shape = (value) => typeof value === 'number';
export const isCount: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

export function nullable(shape: Shape): Shape {
  return (value) => value === null || shape(value);
}

export function optional(shape: Shape): Shape {
  return (value) => value === undefined || shape(value);
}

export function oneOf(...words: readonly string[]): Shape {
  const known = new Set<unknown>(words);
  return (value) => known.has(value);
}

export function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(shape);
}

export function tupleOf(...shapes: readonly Shape[]): Shape {
  return (value) =>
    Array.isArray(value) && value.length >= shapes.length && shapes.every((shape, index) => shape(value[index]));
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

export function objectOf(fields: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(fields);
  return (value) => isPlainObject(value) && entries.every(([key, shape]) => shape(value[key]));
}

export function mapOf(shape: Shape): Shape {
  return (value) => isPlainObject(value) && Object.values(value).every(shape);
}

/** Objects told apart by their `kind`. */
export function variantsOf(variants: Readonly<Record<string, Shape>>): Shape {
  const byKind = new Map<unknown, Shape>(Object.entries(variants));
  return (value) => isPlainObject(value) && (byKind.get(value.kind)?.(value) ?? false);
}
