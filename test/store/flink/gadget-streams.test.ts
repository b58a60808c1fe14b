// Streams that make a Java that reads them call out or run commands (the chains of public collections, made by hand): here
// they are data, wherever a stream is read: alone, as an event of a store, as the state of a coordinator, as a submitted job.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mapEntries } from '../../../src/store/flink/java-collections.ts';
import { javaToJson } from '../../../src/store/flink/java-json.ts';
import { JavaObject, parseJavaStream } from '../../../src/store/flink/java-stream.ts';
import { jobOfBytes } from '../../../src/store/flink/job-file.ts';
import { captures, storeFiles } from './captures.ts';
import { expectSane } from './hostile.ts';
import { arrayOf, classDescriptor, int, nullValue, objectOf, stream, text } from './java-bytes.ts';

const end = Buffer.from([0x78]);
const block = (...numbers: number[]) => Buffer.concat([Buffer.from([0x77, numbers.length * 4]), ...numbers.map(int)]);
const string = 'Ljava/lang/String;';
const object = 'Ljava/lang/Object;';

/** As HashMap writes itself: load factor and threshold, then capacity, size and the entries. */
function hashMap(...entries: Buffer[]): Buffer {
  const fields = [
    ['F', 'loadFactor'],
    ['I', 'threshold'],
  ] as const;
  const type = classDescriptor('java.util.HashMap', fields, { flags: 3 });
  return objectOf(type, Buffer.concat([int(0x3f400000), int(12), block(16, entries.length / 2), ...entries, end]));
}

/** Java computes the hash of a key, which for a URL asks the name service. */
const urlDns = hashMap(
  objectOf(
    classDescriptor('java.net.URL', [
      ['I', 'hashCode'],
      ['I', 'port'],
      ...(['authority', 'file', 'host', 'protocol', 'ref'] as const).map((name) => ['L', name, string] as const),
    ]),
    Buffer.concat([int(-1), int(-1), text('evil.invalid'), text('/'), text('evil.invalid'), text('http'), nullValue]),
  ),
  text('http://evil.invalid/'),
);

const commons = 'org.apache.commons.collections';

function invoker(method: string, argument: Buffer): Buffer {
  const array = '[Ljava.lang.Object;';
  const type = classDescriptor(`${commons}.functors.InvokerTransformer`, [
    ['[', 'iArgs', array],
    ['L', 'iMethodName', string],
    ['[', 'iParamTypes', '[Ljava/lang/Class;'],
  ]);
  const parameters = arrayOf(classDescriptor('[Ljava.lang.Class;', []), 0);
  const given = Buffer.concat([arrayOf(classDescriptor(array, []), 1), argument]);
  return objectOf(type, Buffer.concat([given, text(method), parameters]));
}

const chain = objectOf(
  classDescriptor(`${commons}.functors.ChainedTransformer`, [
    ['[', 'iTransformers', `[L${commons.replaceAll('.', '/')}/Transformer;`],
  ]),
  Buffer.concat([
    arrayOf(classDescriptor(`[L${commons}.Transformer;`, []), 2),
    invoker('getMethod', text('getRuntime')),
    invoker('exec', text('touch /tmp/owned')),
  ]),
);

const lazyMap = objectOf(
  classDescriptor(`${commons}.map.LazyMap`, [['L', 'factory', `L${commons.replaceAll('.', '/')}/Transformer;`]], {
    flags: 3,
  }),
  Buffer.concat([chain, hashMap(), end]),
);

const tiedEntry = objectOf(
  classDescriptor(`${commons}.keyvalue.TiedMapEntry`, [
    ['L', 'key', object],
    ['L', 'map', 'Ljava/util/Map;'],
  ]),
  Buffer.concat([text('foo'), lazyMap]),
);

const hashSet = objectOf(
  classDescriptor('java.util.HashSet', [], { flags: 3 }),
  Buffer.concat([block(16, 0x3f400000, 1), tiedEntry, end]),
);

const badAttribute = objectOf(
  classDescriptor('javax.management.BadAttributeValueExpException', [['L', 'val', object]]),
  tiedEntry,
);

const chains: Readonly<Record<string, Buffer>> = {
  'HashMap with a URL': stream(urlDns),
  'HashSet, TiedMapEntry, LazyMap, ChainedTransformer': stream(hashSet),
  'BadAttributeValueExpException, TiedMapEntry': stream(badAttribute),
};

function frame(type: number, payload: Buffer): Buffer {
  return Buffer.concat([int(type), int(payload.length), payload]);
}

const part = (bytes: Buffer) => Buffer.concat([int(bytes.length), bytes]);

describe.each(Object.entries(chains))('%s', (_name, bytes) => {
  test('is read whole, as names and values', () => {
    const parsed = parseJavaStream(bytes);
    expect(parsed).toMatchObject({ ok: true, end: bytes.length });
    const json = JSON.stringify(parsed.ok && javaToJson(parsed.value));
    expect(json).toContain(bytes === chains['HashMap with a URL'] ? 'evil.invalid' : 'touch /tmp/owned');
  });

  test('is no event, wherever it stands in a store', async () => {
    const whole = captures().find(([name]) => name === '1.20.3/s04-nosnapshot-finished-tm-lost')?.[1] ?? '';
    const files = storeFiles(whole);
    const first = files.get('events.0') as Buffer;
    const task = first.subarray(8 + first.readInt32BE(4) + 8);
    const taskPart = task.subarray(0, 4 + task.readInt32BE(0));
    const frames = {
      initialized: frame(3, bytes),
      reset: frame(2, bytes),
      finished: frame(1, Buffer.concat([part(bytes), int(0), int(0)])),
      'state of coordinators': frame(1, Buffer.concat([taskPart, part(bytes), part(bytes)])),
    };
    for (const [where, hostile] of Object.entries(frames)) {
      const { end: found, records } = await expectSane(new Map([['events.0', Buffer.concat([hostile, first])]]));
      expect(records, where).toEqual([]);
      expect(
        found.findings.map(({ code, flinkDoes }) => [code, flinkDoes]),
        where,
      ).toEqual([['PAYLOAD_INVALID', 'deletes-store']]);
    }
  });

  test('is no submitted job', () => {
    expect(jobOfBytes(bytes)).toMatch(/^it holds \S+, which is no JobGraph and no StreamGraph$/);
  });
});

test('the entries of a map are its bytes', () => {
  const parsed = parseJavaStream(chains['HashMap with a URL'] as Buffer);
  const map = parsed.ok ? parsed.value : null;
  const entries = map instanceof JavaObject ? [...(mapEntries(map) ?? [])] : [];
  const hosts = entries.map(([url]) => (url instanceof JavaObject ? url.field('host') : null));
  expect(hosts).toEqual(['evil.invalid']);
});

test('nothing that reads a stream can load or run what a name says', () => {
  const folder = join(import.meta.dirname, '../../../src/store/flink');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(join(folder, name), 'utf8');
    expect(source, name).not.toMatch(
      /\beval\(|new Function\b|\brequire\(|\bimport\((?!')|child_process|node:(vm|dns|net|http)/,
    );
  }
});
