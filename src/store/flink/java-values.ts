// The values of a Java stream as plain data: views over the index that read fields, items and contents on demand. An
// object is what the stream says of it (class names, fields by name), never an instance of anything. Two views of one
// object have the same `handle`; a cyclic reference is just such a view.
import type { JavaClass } from './java-class.ts';
import { type HandleKind, handleKind, type JavaIndex } from './java-index.ts';
import { primitiveBytes, typeCode } from './java-protocol.ts';
import { decodeModifiedUtf8 } from './modified-utf8.ts';

/** A value by reference: what a field of an object type, an item or a content holds. */
export type JavaValue = null | string | JavaObject | JavaArray | JavaEnum | JavaClassValue;
/** Longs are bigint, chars are text, all other numbers are number. */
export type JavaPrimitive = number | bigint | boolean | string;
/** What a custom write method left: values, and the bytes between them. */
export type JavaContent = { readonly block: Buffer } | { readonly value: JavaValue };

/** The value that begins at `offset`, a place that the scan went over. */
export function valueAt(index: JavaIndex, offset: number): JavaValue {
  const code = index.bytes[offset] as number;
  if (code === typeCode.null) return null;
  const handle = code === typeCode.reference ? index.referenced(offset) : index.handleAt(offset);
  return valueOfHandle(index, handle);
}

export function valueOfHandle(index: JavaIndex, handle: number): JavaValue {
  const kind: HandleKind = index.kindOf(handle);
  switch (handleKind[kind]) {
    case handleKind.object:
      return new JavaObject(index, handle);
    case handleKind.array:
      return new JavaArray(index, handle);
    case handleKind.enum:
      return new JavaEnum(index, handle);
    case handleKind.string:
      return textOf(index, handle);
    default:
      return new JavaClassValue(index, handle);
  }
}

function textOf(index: JavaIndex, handle: number): string {
  const key = index.keyOf(handle);
  const from = key + (index.bytes[key - 1] === typeCode.string ? 2 : 8);
  return decodeModifiedUtf8(index.bytes, from, index.endOf(handle)) ?? '';
}

function primitiveAt(bytes: Buffer, type: string, at: number): JavaPrimitive {
  switch (type) {
    case 'B':
      return bytes.readInt8(at);
    case 'C':
      return String.fromCharCode(bytes.readUInt16BE(at));
    case 'D':
      return bytes.readDoubleBE(at);
    case 'F':
      return bytes.readFloatBE(at);
    case 'I':
      return bytes.readInt32BE(at);
    case 'J':
      return bytes.readBigInt64BE(at);
    case 'S':
      return bytes.readInt16BE(at);
    default:
      return bytes[at] !== 0;
  }
}

/** Where the parts of one class level of an object lie. */
interface Level {
  readonly type: JavaClass;
  readonly primitivesAt: number;
  /** One place for each field of an object type, in order. */
  readonly valuesAt: readonly number[];
  /** First content of the write method; null where there is none. */
  readonly contentsAt: number | null;
}

/** One field of an object, with the place of its bytes in the stream. */
export interface JavaFieldValue {
  /** The class that declares it. */
  readonly type: JavaClass;
  readonly name: string;
  readonly signature: string;
  readonly offset: number;
  readonly value: JavaValue | JavaPrimitive;
}

abstract class JavaThing {
  readonly index: JavaIndex;
  readonly handle: number;

  constructor(index: JavaIndex, handle: number) {
    this.index = index;
    this.handle = handle;
  }

  get type(): JavaClass {
    return this.index.classOf(this.handle);
  }

  get className(): string {
    return this.type.name;
  }
}

export class JavaObject extends JavaThing {
  readonly kind = 'object';
  #levels: readonly Level[] | null = null;

  /** A field by name, the most derived class first; undefined where no class of the object declares it. */
  field(name: string): JavaValue | JavaPrimitive | undefined {
    return this.findField(name)?.value;
  }

  findField(name: string): JavaFieldValue | undefined {
    for (const level of this.#layout().toReversed()) {
      const place = this.#placeOf(level, name);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** All fields, those of the topmost class first. */
  *fields(): Generator<JavaFieldValue> {
    for (const level of this.#layout()) yield* this.#fieldsOf(level, null);
  }

  /** What the write method of `className` wrote behind the fields; without a name: of the most derived class. */
  *contents(className: string = this.className): Generator<JavaContent> {
    const level = this.#layout().find(({ type }) => type.name === className);
    let at = level?.contentsAt ?? null;
    while (at !== null && this.index.bytes[at] !== typeCode.endBlockData) {
      const end = this.index.valueEnd(at);
      const code = this.index.bytes[at];
      if (code === typeCode.blockData) yield { block: this.index.bytes.subarray(at + 2, end) };
      else if (code === typeCode.blockDataLong) yield { block: this.index.bytes.subarray(at + 5, end) };
      else yield { value: valueAt(this.index, at) };
      at = end;
    }
  }

  /** Names of the classes that left contents. */
  classesWithContents(): string[] {
    return this.#layout().flatMap(({ type, contentsAt }) => (contentsAt === null ? [] : [type.name]));
  }

  #placeOf(level: Level, name: string): JavaFieldValue | undefined {
    for (const found of this.#fieldsOf(level, name)) return found;
    return undefined;
  }

  *#fieldsOf(level: Level, wanted: string | null): Generator<JavaFieldValue> {
    let primitiveOffset = level.primitivesAt;
    let objectNumber = 0;
    for (const { name, type: signature } of level.type.fields) {
      const size = primitiveBytes[signature];
      const offset = size === undefined ? (level.valuesAt[objectNumber++] as number) : primitiveOffset;
      primitiveOffset += size ?? 0;
      if (wanted !== null && wanted !== name) continue;
      const value = size === undefined ? valueAt(this.index, offset) : primitiveAt(this.index.bytes, signature, offset);
      yield { type: level.type, name, signature, offset, value };
    }
  }

  #layout(): readonly Level[] {
    this.#levels ??= this.#readLayout();
    return this.#levels;
  }

  #readLayout(): readonly Level[] {
    const start = this.index.keyOf(this.handle);
    if (this.type.has('externalizable')) {
      return [{ type: this.type, primitivesAt: start, valuesAt: [], contentsAt: start }];
    }
    const levels: Level[] = [];
    let at = start;
    for (const type of this.type.chain) {
      const level = this.#readLevel(type, at);
      levels.push(level.found);
      at = level.end;
    }
    return levels;
  }

  #readLevel(type: JavaClass, primitivesAt: number): { readonly found: Level; readonly end: number } {
    let at = primitivesAt + type.primitiveBytes;
    const valuesAt: number[] = [];
    for (const field of type.fields) {
      if (field.type in primitiveBytes) continue;
      valuesAt.push(at);
      at = this.index.valueEnd(at);
    }
    const contentsAt = type.has('writeMethod') ? at : null;
    if (contentsAt === null) return { found: { type, primitivesAt, valuesAt, contentsAt }, end: at };
    while (this.index.bytes[at] !== typeCode.endBlockData) at = this.index.valueEnd(at);
    return { found: { type, primitivesAt, valuesAt, contentsAt }, end: at + 1 };
  }
}

export class JavaArray extends JavaThing {
  readonly kind = 'array';

  get length(): number {
    return this.index.bytes.readInt32BE(this.index.keyOf(this.handle));
  }

  /** Signature letter of the items. */
  get component(): string {
    return this.className[1] ?? 'L';
  }

  /** The items' bytes: the content of a byte array. */
  bytes(): Buffer {
    return this.index.bytes.subarray(this.index.keyOf(this.handle) + 4, this.index.endOf(this.handle));
  }

  *items(): Generator<JavaValue | JavaPrimitive> {
    const { component, length } = this;
    const size = primitiveBytes[component];
    let at = this.index.keyOf(this.handle) + 4;
    for (let item = 0; item < length; item++) {
      yield size === undefined ? valueAt(this.index, at) : primitiveAt(this.index.bytes, component, at);
      at = size === undefined ? this.index.valueEnd(at) : at + size;
    }
  }
}

export class JavaEnum extends JavaThing {
  readonly kind = 'enum';

  /** The constant's name. */
  get name(): string {
    return valueAt(this.index, this.index.keyOf(this.handle)) as string;
  }
}

/** A class itself as a value. */
export class JavaClassValue extends JavaThing {
  readonly kind = 'class';
}
