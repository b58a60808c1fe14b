// One walk over a Java stream: checks its grammar and fills the index. Recursion is bounded by `depthMax`; each loop eats
// at least one byte a turn, except over the empty levels of a class chain, which is bounded too. Nothing is instantiated.
// Spec: docs/flink.md, "The Java parser".
import { JavaClass, type JavaField } from './java-class.ts';
import { JavaCursor, JavaFault } from './java-cursor.ts';
import { JavaIndex } from './java-index.ts';
import { classFlag, type JavaLimits, primitiveBytes, streamMagic, streamVersion, typeCode } from './java-protocol.ts';
import { decodeModifiedUtf8, isModifiedUtf8 } from './modified-utf8.ts';

const noClass = 0xffffffff;
const chainMax = 64;

export class JavaScan {
  readonly index: JavaIndex;
  readonly #cursor: JavaCursor;
  readonly #limits: JavaLimits;
  #depth = 0;
  #fields = 0;

  constructor(bytes: Uint8Array, limits: JavaLimits) {
    this.#cursor = new JavaCursor(bytes);
    this.#limits = limits;
    this.index = new JavaIndex(this.#cursor.bytes, limits);
  }

  get offset(): number {
    return this.#cursor.offset;
  }

  /** Goes over the header and the first value; where that value begins. Throws JavaFault. */
  run(): number {
    const cursor = this.#cursor;
    if (cursor.uint16() !== streamMagic) throw new JavaFault('no Java object stream: its magic is missing', 0);
    const version = cursor.uint16();
    if (version !== streamVersion) throw new JavaFault(`stream version ${version} is not known`, 2);
    // Between values at the top a reset is legal; nothing has a handle yet.
    while (cursor.bytes[cursor.offset] === typeCode.reset) cursor.skip(1);
    const start = cursor.offset;
    this.#value();
    return start;
  }

  #value(): void {
    const start = this.#cursor.offset;
    const code = this.#cursor.uint8();
    switch (code) {
      case typeCode.null:
        return;
      case typeCode.reference:
        this.#reference(start);
        return;
      case typeCode.string:
      case typeCode.longString:
        this.#string(code);
        return;
    }
    if (++this.#depth > this.#limits.depthMax)
      throw new JavaFault(`values nest deeper than ${this.#limits.depthMax}`, start);
    if (code === typeCode.object) this.#object(start);
    else if (code === typeCode.array) this.#array(start);
    else if (code === typeCode.enum) this.#enum(start);
    else if (code === typeCode.class) this.#class(start);
    else if (code === typeCode.classDescriptor) this.#descriptor(start);
    else throw new JavaFault(refusal(code), start);
    this.#depth -= 1;
  }

  #reference(start: number): number {
    this.#cursor.skip(4);
    const handle = this.index.referenced(start);
    if (handle < 0) throw new JavaFault('a back reference names no earlier object', start);
    return handle;
  }

  #string(code: number): number {
    const cursor = this.#cursor;
    const handle = this.index.add('string', cursor.offset, noClass);
    const length = code === typeCode.string ? cursor.uint16() : cursor.longLength();
    const from = cursor.skip(length);
    if (!isModifiedUtf8(cursor.bytes, from, cursor.offset)) throw new JavaFault('a string is no modified UTF-8', from);
    this.index.setEnd(handle, cursor.offset);
    return handle;
  }

  #object(start: number): void {
    const number = this.#descriptorValue(start);
    const type = this.index.classes[number] as JavaClass;
    const handle = this.index.add('object', this.#cursor.offset, number);
    if (type.has('externalizable')) this.#externalData(type, start);
    else for (const level of type.chain) this.#levelData(level, start);
    this.index.setEnd(handle, this.#cursor.offset);
  }

  #levelData(level: JavaClass, start: number): void {
    if (!level.has('serializable')) throw new JavaFault(`${level.name} is not serializable`, start);
    this.#cursor.skip(level.primitiveBytes);
    for (const field of level.fields) if (isObjectType(field.type)) this.#value();
    if (level.has('writeMethod')) this.#contents();
  }

  /** What an Externalizable class wrote is its own affair: only protocol 2 says where it ends. */
  #externalData(type: JavaClass, start: number): void {
    if (!type.has('blockData'))
      throw new JavaFault(`${type.name} is Externalizable by protocol 1: no end is told`, start);
    this.#contents();
  }

  /** Block data and values up to the mark that ends them. */
  #contents(): void {
    const cursor = this.#cursor;
    for (;;) {
      const code = cursor.bytes[cursor.offset];
      if (code === typeCode.endBlockData) break;
      if (code === typeCode.blockData) cursor.skip(2 + (cursor.bytes[cursor.offset + 1] ?? 0));
      else if (code === typeCode.blockDataLong) this.#longBlock();
      else this.#value();
    }
    cursor.skip(1);
  }

  #longBlock(): void {
    this.#cursor.skip(1);
    this.#cursor.skip(this.#cursor.count(1));
  }

  #array(start: number): void {
    const number = this.#descriptorValue(start);
    const { name } = this.index.classes[number] as JavaClass;
    const component = name[1] ?? '';
    const bytesEach = primitiveBytes[component] ?? 1;
    if (name[0] !== '[' || !(isObjectType(component) || component in primitiveBytes)) {
      throw new JavaFault(`${name} is no array class`, start);
    }
    const handle = this.index.add('array', this.#cursor.offset, number);
    const length = this.#cursor.count(bytesEach);
    if (isObjectType(component)) for (let item = 0; item < length; item++) this.#value();
    else this.#cursor.skip(length * bytesEach);
    this.index.setEnd(handle, this.#cursor.offset);
  }

  #enum(start: number): void {
    const number = this.#descriptorValue(start);
    const handle = this.index.add('enum', this.#cursor.offset, number);
    this.#stringValue();
    this.index.setEnd(handle, this.#cursor.offset);
  }

  #class(start: number): void {
    const number = this.#descriptorValue(start);
    this.index.setEnd(this.index.add('class', this.#cursor.offset, number), this.#cursor.offset);
  }

  /** A new string or a back reference to one. */
  #stringValue(): void {
    const start = this.#cursor.offset;
    const code = this.#cursor.uint8();
    if (code === typeCode.string || code === typeCode.longString) this.#string(code);
    else if (code !== typeCode.reference || this.index.kindOf(this.#reference(start)) !== 'string') {
      throw new JavaFault('a string is missing', start);
    }
  }

  /** The class of a value that needs one. */
  #descriptorValue(start: number): number {
    const number = this.#optionalDescriptor();
    if (number === noClass) throw new JavaFault('a value has no class', start);
    return number;
  }

  /** A class descriptor, new or referenced; `noClass` for null. */
  #optionalDescriptor(): number {
    const start = this.#cursor.offset;
    const code = this.#cursor.uint8();
    if (code === typeCode.null) return noClass;
    if (code === typeCode.classDescriptor) return this.#descriptor(start);
    if (code !== typeCode.reference) throw new JavaFault(refusal(code), start);
    const handle = this.#reference(start);
    const number = this.index.classNumberOf(handle);
    if (this.index.kindOf(handle) !== 'descriptor') throw new JavaFault('a class is missing', start);
    if (number === noClass) throw new JavaFault('a class refers to itself before its end', start);
    return number;
  }

  #descriptor(start: number): number {
    if (++this.#depth > this.#limits.depthMax) throw new JavaFault('class descriptors nest too deep', start);
    const handle = this.index.add('descriptor', start + 1, noClass);
    const name = this.#text();
    const serialVersionUid = this.#cursor.bytes.readBigInt64BE(this.#cursor.skip(8));
    const flags = this.#flags(name);
    const fields = this.#fieldList(name);
    this.#contents();
    const superNumber = this.#optionalDescriptor();
    const superClass = superNumber === noClass ? null : (this.index.classes[superNumber] as JavaClass);
    if (superClass !== null && superClass.chain.length >= chainMax)
      throw new JavaFault('a chain of super classes is too long', start);
    if (this.index.classes.length >= this.#limits.classesMax) throw new JavaFault('too many classes', start);
    const number = this.index.addClass(new JavaClass({ name, serialVersionUid, flags, fields, superClass }));
    this.index.setClass(handle, number);
    this.index.setEnd(handle, this.#cursor.offset);
    this.#depth -= 1;
    return number;
  }

  #flags(name: string): number {
    const at = this.#cursor.offset;
    const flags = this.#cursor.uint8();
    const both = classFlag.serializable | classFlag.externalizable;
    if ((flags & both) === both) throw new JavaFault(`${name} is both Serializable and Externalizable`, at);
    return flags;
  }

  #fieldList(className: string): JavaField[] {
    const at = this.#cursor.offset;
    const count = this.#cursor.uint16();
    this.#fields += count;
    if (this.#fields > this.#limits.fieldsMax) throw new JavaFault(`${className} declares too many fields`, at);
    const fields: JavaField[] = [];
    for (let field = 0; field < count; field++) fields.push(this.#field(className, fields.at(-1)));
    return fields;
  }

  #field(className: string, before: JavaField | undefined): JavaField {
    const at = this.#cursor.offset;
    const type = String.fromCharCode(this.#cursor.uint8());
    const name = this.#text();
    if (isObjectType(type)) this.#stringValue();
    else if (!(type in primitiveBytes)) throw new JavaFault(`field ${name} of ${className} has no known type`, at);
    else if (before !== undefined && isObjectType(before.type)) {
      throw new JavaFault(`field ${name} of ${className} is out of order`, at);
    }
    return { name, type };
  }

  #text(): string {
    const length = this.#cursor.uint16();
    const from = this.#cursor.skip(length);
    const text = decodeModifiedUtf8(this.#cursor.bytes, from, from + length);
    if (text === null) throw new JavaFault('a name is no modified UTF-8', from);
    return text;
  }
}

function isObjectType(type: string): boolean {
  return type === 'L' || type === '[';
}

function refusal(code: number): string {
  if (code === typeCode.proxyClassDescriptor) return 'a dynamic proxy: refused, no store holds one';
  if (code === typeCode.exception) return 'the writer failed in the middle of the stream';
  if (code === typeCode.reset) return 'a reset inside a value';
  return `0x${code.toString(16).padStart(2, '0')} begins no value`;
}
