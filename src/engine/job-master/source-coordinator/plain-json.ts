// Plain data as JSON text, exactly or not at all: a Map, a Date or a class would come back as something else, and what
// an enumerator keeps must come back as it was.
const depthMax = 100;

/** The JSON text of `value`. Throws a TypeError that says what is not plain, a RangeError beyond `lengthMax`. */
export function plainJson(what: string, value: unknown, lengthMax: number): string {
  checkPlain(what, value, 0);
  const text = JSON.stringify(value);
  if (text.length <= lengthMax) return text;
  throw new RangeError(`${what} takes ${text.length} characters as JSON; at most ${lengthMax} are kept`);
}

function checkPlain(place: string, value: unknown, depth: number): void {
  if (depth > depthMax) throw new TypeError(`${place} is nested too deeply, or contains itself`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return;
      throw new TypeError(`${place} is ${Object.is(value, -0) ? '-0' : value}, which JSON does not have`);
    case 'object':
      return value === null ? undefined : checkPlainObject(place, value, depth);
    default:
      throw new TypeError(`${place} is not plain data (${typeof value})`);
  }
}

function checkPlainObject(place: string, value: object, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${place} is not plain data (${value.constructor?.name ?? 'an object'})`);
  }
  for (const [key, child] of Object.entries(value)) {
    checkPlain(Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`, child, depth + 1);
  }
}
