// The parser of Java object streams: what the JDK writes (fixtures/java-streams, made by Generate.java) reads as plain
// data; hostile streams, made by hand, are inert: refused or data, in bounded time and memory.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { contentBytes, listItems, mapEntries, unboxed } from '../../../src/store/flink/java-collections.ts';
import { javaToJson } from '../../../src/store/flink/java-json.ts';
import {
  type JavaArray,
  type JavaClassValue,
  JavaEnum,
  type JavaObject,
  type JavaValue,
  parseJavaStream,
} from '../../../src/store/flink/java-stream.ts';
import { arrayOf, classDescriptor, int, nullValue, objectOf, reference, stream, text, utf } from './java-bytes.ts';

const fixture = path.join(import.meta.dirname, '../../../fixtures/java-streams/values.json');
const written = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, string>;

function read(name: string): JavaValue {
  const bytes = Buffer.from(written[name] ?? '', 'hex');
  const parsed = parseJavaStream(bytes);
  if (!parsed.ok) throw new Error(`${name}: ${parsed.reason} at ${parsed.offset}`);
  expect(parsed.end).toBe(bytes.length);
  return parsed.value;
}

function fieldsOf(object: JavaObject): Record<string, unknown> {
  return Object.fromEntries([...object.fields()].map(({ type, name, value }) => [`${type.name}.${name}`, value]));
}

describe('what the JDK writes', () => {
  const maps = Object.keys(written).filter((name) => /Map|Hashtable/.test(name) && !/List|FromMap/.test(name));
  test.each(maps)('%s', (name) => {
    const entries = Array.from(mapEntries(read(name)) ?? [['not', 'a map']], ([key, value]) => [key, unboxed(value)]);
    const expected: Record<string, unknown> = {
      LinkedHashMap: [
        ['x', 1],
        ['y', 2],
      ],
      unmodifiableMap: [
        ['x', 1],
        ['y', 2],
      ],
      synchronizedMap: [
        ['x', 1],
        ['y', 2],
      ],
      TreeMap: [
        ['a', 1],
        ['b', 2],
      ],
      unmodifiableSortedMap: [
        ['a', 1],
        ['b', 2],
      ],
      emptyMap: [],
      'Map.of many': expect.arrayContaining([
        ['k', 7],
        ['l', 8],
      ]),
      EnumMap: [[expect.objectContaining({ kind: 'enum', name: 'RED' }), 7]],
    };
    expect(
      entries.map(([key, value]) => [key instanceof JavaEnum ? { kind: key.kind, name: key.name } : key, value]),
    ).toEqual(expected[name] ?? [['k', 7]]);
  });

  const one = [
    'List.of one',
    'Set.of',
    'singletonList',
    'singleton',
    'unmodifiableSet',
    'synchronizedList',
    'HashSet',
    'newSetFromMap',
  ];
  const none = ['List.of none', 'emptyList', 'emptySet'];
  const two = [
    'ArrayList',
    'LinkedList',
    'Arrays.asList',
    'Vector',
    'ArrayDeque',
    'PriorityQueue',
    'CopyOnWriteArrayList',
    'unmodifiableList',
    'TreeSet',
    'object array',
  ];
  test.each([
    ...none.map((name) => [name, []] as const),
    ...one.map((name) => [name, ['a']] as const),
    ...two.map((name) => [name, ['a', 'b']] as const),
    ['LinkedHashSet', ['b', 'a']] as const,
    ['List.of', ['a', 'b', 'c']] as const,
    ['subList copy', ['b', 'c']] as const,
  ])('%s', (name, items) => {
    expect([...(listItems(read(name)) ?? ['no list'])]).toEqual(items);
  });

  test.each([
    ['Integer', 7],
    ['Long', 1n << 60n],
    ['Double', 1.5],
    ['Boolean', true],
    ['Character', 'x'],
    ['Short', -2],
    ['Byte', -1],
    ['Float', 0.5],
  ])('%s', (name, value) => expect(unboxed(read(name))).toBe(value));

  test('fields of all types, hidden ones of a super class too', () => {
    const derived = read('Derived') as JavaObject;
    const fields = fieldsOf(derived);
    expect(fields['Gen$Base.same']).toBe(1);
    expect(derived.field('same')).toBe(2);
    expect(derived.field('text')).toBe('base');
    const plain = { b: -3, c: '€', d: 1.5, f: -0.25, l: -(2n ** 63n), s: -7, z: true };
    for (const [name, value] of Object.entries(plain)) expect(derived.field(name), name).toBe(value);
    expect([...(derived.field('ints') as JavaArray).items()]).toEqual([1, -2, 3]);
    expect(javaToJson(derived.field('grid'))).toEqual([['a', null], ['b']]);
    expect(derived.field('absent')).toBeUndefined();
  });

  test('a cycle is a reference to the same object', () => {
    const first = read('cycle') as JavaObject;
    const second = first.field('next') as JavaObject;
    expect([first.field('number'), second.field('number')]).toEqual([1, 2]);
    expect((second.field('next') as JavaObject).handle).toBe(first.handle);
    expect(JSON.stringify(javaToJson(first))).toContain(`"@ref":${first.handle}`);
  });

  test('what a write method adds: bytes over several blocks, and values between them', () => {
    const custom = read('Custom') as JavaObject;
    expect(custom.field('kept')).toBe(9);
    const bytes = contentBytes(custom);
    expect(bytes.readInt32BE(0)).toBe(77);
    expect(bytes.toString('latin1', 6, 10)).toBe('tail');
    expect(bytes.length).toBe(4 + 6 + 3000);
    expect([...custom.contents()].flatMap((content) => ('value' in content ? [content.value] : []))).toEqual(['value']);
  });

  test('an Externalizable is kept as its contents, by protocol 1 refused', () => {
    const external = read('Externalizable') as JavaObject;
    expect([...external.contents()]).toEqual([{ block: Buffer.from([0, 0, 0, 5]) }, { value: 'inside' }]);
    expect(parseJavaStream(Buffer.from(written['Externalizable protocol 1'] ?? '', 'hex'))).toMatchObject({
      ok: false,
    });
  });

  test('enum, class, null, texts and bytes', () => {
    expect(read('enum')).toBeInstanceOf(JavaEnum);
    expect((read('enum') as JavaEnum).name).toBe('GREEN');
    expect((read('class') as JavaClassValue).className).toBe('java.lang.String');
    expect(read('null')).toBeNull();
    expect([...(read('strings') as JavaArray).items()]).toEqual(['\u0000é€😀', '']);
    expect((read('bytes') as JavaArray).bytes()).toEqual(Buffer.from([1, 2, 255]));
    expect([...(listItems(read('EnumSet')) ?? [])].map((item) => (item as JavaEnum).name)).toEqual(['RED']);
  });

  test.each(['proxy', 'exception'])('%s is refused', (name) => {
    expect(parseJavaStream(Buffer.from(written[name] ?? '', 'hex'))).toMatchObject({ ok: false });
  });

  test('every cut of every value is refused, as an end of input', () => {
    for (const [name, hex] of Object.entries(written)) {
      const bytes = Buffer.from(hex, 'hex');
      const whole = parseJavaStream(bytes);
      if (!whole.ok) continue;
      for (let at = 0; at < whole.end; at++) {
        expect(parseJavaStream(bytes.subarray(0, at)), `${name} at ${at}`).toMatchObject({ ok: false, ended: true });
      }
    }
  });
});

describe('hostile streams', () => {
  test('gadget classes are names', () => {
    for (const name of [
      'org.apache.commons.collections.functors.InvokerTransformer',
      'sun.reflect.annotation.AnnotationInvocationHandler',
      'com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl',
    ]) {
      const bytes = stream(objectOf(classDescriptor(name, [['L', 'iMethodName', 'Ljava/lang/String;']]), text('exec')));
      const parsed = parseJavaStream(bytes);
      expect(parsed.ok && javaToJson(parsed.value)).toEqual({
        '@class': name,
        '@id': expect.any(Number),
        iMethodName: 'exec',
      });
    }
  });

  test('nested sets that share their children cost what their bytes cost (SerialDOS)', () => {
    const hashSet = classDescriptor('java.util.HashSet', [], { flags: 3 });
    const levels = 100;
    // Each set holds the next one and a reference to it: two to the hundredth visits for whoever hashes them.
    const block = Buffer.concat([Buffer.from([0x77, 12]), int(16), int(0x3f400000), int(2)]);
    let inner = Buffer.alloc(0);
    for (let level = levels; level >= 0; level--) {
      const type = level === 0 ? hashSet : reference(0);
      const children = level === levels ? Buffer.alloc(0) : Buffer.concat([inner, reference(level + 2)]);
      inner = Buffer.concat([Buffer.from([0x73]), type, block, children, Buffer.from([0x78])]);
    }
    const start = performance.now();
    const parsed = parseJavaStream(stream(inner));
    expect(parsed).toMatchObject({ ok: true });
    if (parsed.ok) expect(JSON.stringify(javaToJson(parsed.value)).length).toBeLessThan(100_000);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('deep nesting is refused', () => {
    const array = classDescriptor('[Ljava.lang.Object;', []);
    const level = Buffer.concat([Buffer.from([0x75]), reference(0), int(1)]);
    const bytes = stream(Buffer.concat([arrayOf(array, 1), ...Array<Buffer>(200_000).fill(level), nullValue]));
    expect(parseJavaStream(bytes)).toMatchObject({ ok: false, reason: expect.stringContaining('deeper') });
    const nested = Array.from({ length: 5000 }, (_, index) => classDescriptorHead(`C${index}`));
    expect(parseJavaStream(stream(Buffer.concat([Buffer.from([0x73]), ...nested])))).toMatchObject({ ok: false });
  });

  test('huge counts are refused before memory is taken', () => {
    const cases = [
      arrayOf(classDescriptor('[B', []), 0x7fffffff),
      arrayOf(classDescriptor('[J', []), 0x10000000),
      arrayOf(classDescriptor('[Ljava.lang.Object;', []), 0x7fffffff),
      arrayOf(classDescriptor('[B', []), -1),
      Buffer.from([0x74, 0xff, 0xff]),
      Buffer.from([0x7c, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      Buffer.concat([Buffer.from([0x73, 0x72]), utf('A'), Buffer.alloc(8), Buffer.from([2, 0xff, 0xff])]),
    ];
    for (const bytes of cases) expect(parseJavaStream(stream(bytes))).toMatchObject({ ok: false });
  });

  test('odd references, classes and bytes', () => {
    const cases = [
      reference(0),
      reference(-5),
      objectOf(reference(0)),
      Buffer.concat([Buffer.from([0x73]), Buffer.from([0x70])]),
      objectOf(classDescriptor('Both', [], { flags: 6 })),
      objectOf(classDescriptor('Neither', [], { flags: 0 })),
      objectOf(classDescriptor('NoEnd', [], { flags: 4 }), Buffer.alloc(9)),
      arrayOf(classDescriptor('NoArray', []), 0),
      arrayOf(classDescriptor('[', []), 0),
      Buffer.from([0x79, 0x00]),
      Buffer.from([0x74, 0, 1, 0xff]),
      // A class whose super class is itself.
      Buffer.concat([Buffer.from([0x73]), classDescriptorHead('Self'), reference(0)]),
    ];
    for (const bytes of cases)
      expect(parseJavaStream(stream(bytes)), bytes.toString('hex')).toMatchObject({ ok: false });
    expect(parseJavaStream(Buffer.from('aced0004', 'hex'))).toMatchObject({ ok: false, offset: 2 });
    expect(parseJavaStream(Buffer.from('abcd0005', 'hex'))).toMatchObject({ ok: false, offset: 0 });
  });

  test('a field named __proto__ is a field', () => {
    const bytes = stream(objectOf(classDescriptor('P', [['L', '__proto__', 'Ljava/lang/String;']]), text('x')));
    const parsed = parseJavaStream(bytes);
    const json = parsed.ok ? (javaToJson(parsed.value) as object) : {};
    expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
    expect(Object.keys(json)).toContain('__proto__');
  });

  const many = 400_000;
  test.each([
    [
      'empty objects',
      () => Array<Buffer>(many).fill(Buffer.concat([Buffer.from([0x73]), reference(1)])),
      classDescriptor('E', []),
    ],
    ['nulls', () => [Buffer.alloc(many * 6, 0x70)], null],
    ['one letter texts', () => Array<Buffer>(many).fill(Buffer.from([0x74, 0, 1, 0x61])), null],
    ['references', () => Array<Buffer>(many).fill(reference(0)), null],
    ['classes', () => Array<Buffer>(many).fill(Buffer.concat([Buffer.from([0x73]), classDescriptor('E', [])])), null],
  ])('memory: %s take less than three times their bytes', (_name, items, first) => {
    const parts = items();
    const list = Buffer.concat([...(first === null ? [] : [objectOf(first)]), ...parts]);
    const count = parts.length === 1 ? list.length : parts.length + (first === null ? 0 : 1);
    const bytes = stream(Buffer.concat([arrayOf(classDescriptor('[Ljava.lang.Object;', []), count), list]));
    const before = process.memoryUsage();
    const start = performance.now();
    const parsed = parseJavaStream(bytes);
    const took = performance.now() - start;
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(grown).toBeLessThan(Math.max(bytes.length * 3, 12_000_000));
    expect(took).toBeLessThan(5000);
    if (parsed.ok) expect(parsed.end).toBe(bytes.length);
  });
});

/** A class descriptor up to where its super class begins. */
function classDescriptorHead(name: string): Buffer {
  return Buffer.concat([Buffer.from([0x72]), utf(name), Buffer.alloc(8), Buffer.from([2, 0, 0, 0x78])]);
}
