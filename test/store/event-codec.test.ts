import { Encoder } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import type { JobEvent, VertexInputInfo } from '../../src/model/job-events.ts';
import { recoveryEventTypes } from '../../src/model/job-events.ts';
import { EventDecoder } from '../../src/store/event-decoder.ts';
import { EventEncoder } from '../../src/store/event-encoder.ts';
import { eventTypeOf, typeByteOf } from '../../src/store/event-types.ts';
import { noVertex, optionalFlag } from '../../src/store/frame.ts';
import { eventsOfEveryKind, finished, scanId, submitted } from './sample-store.ts';

/** Shapes that came after the fixtures of format 1: elements behind those that every writer gives. */
const withEnumerator: JobEvent = {
  type: 'coordinator-snapshot',
  vertexId: scanId,
  operatorId: 'feed',
  incremental: false,
  assigned: [300, 1],
  finished: [],
  supportsBatchSnapshot: true,
  enumerator: {
    splits: [
      {
        index: 0,
        split: { id: 'a', file: { path: '/a.csv', bytes: 7, modifiedMs: 1.5 }, rows: [0, 70_000], data: null },
      },
      { index: 300, split: { id: 'b', file: null, rows: null, data: '{"day":1}' } },
    ],
    state: '[1,2]',
  },
};

/** Encodes and decodes in one log that begins with the submitted job. */
function roundTrip(events: readonly JobEvent[]): unknown[] {
  const [encoder, decoder] = [new EventEncoder(), new EventDecoder()];
  return events.map((event) => {
    const { type, vertex, payload } = encoder.encode(event);
    const decoded = decoder.decode(type, vertex, payload.slice());
    return decoded.kind === 'event' ? decoded.event : decoded;
  });
}

/** Decodes cells that a foreign writer might have written. */
function decodeCells(type: JobEvent['type'], cells: unknown, vertex = noVertex) {
  const [encoder, decoder] = [new EventEncoder(), new EventDecoder()];
  const first = encoder.encode(submitted);
  decoder.decode(first.type, first.vertex, first.payload);
  return decoder.decode(typeByteOf[type], vertex, new Encoder().encode(cells));
}

describe('round trip', () => {
  test('the samples hold every kind', () => {
    expect(new Set(eventsOfEveryKind.map((event) => event.type))).toEqual(new Set(Object.keys(typeByteOf)));
  });

  test.each(eventsOfEveryKind.map((event) => [event.type, event] as const))('%s', (_type, event) => {
    expect(roundTrip([submitted, event])[1]).toEqual(event);
  });

  test('a coordinator-snapshot of a user-written enumerator; cells of another shape are no event', () => {
    expect(roundTrip([submitted, withEnumerator])[1]).toEqual(withEnumerator);
    const before = [scanId, 'feed', false, new Uint8Array(), new Uint8Array(), true];
    const wrong = [
      [0, 'a', null, null],
      [0, 'a', ['/a', -1, 0], null, null],
      [0, 'a', null, new Uint8Array([1, 4]), null],
      ['0', 'a', null, null, null],
    ];
    for (const splits of wrong) {
      expect(decodeCells('coordinator-snapshot', [...before, splits, null]).kind, JSON.stringify(splits)).toBe(
        'invalid',
      );
    }
    expect(decodeCells('coordinator-snapshot', [...before, [0, 'a', null, null, null], null]).kind).toBe('event');
  });

  test('a recovery with its reasons, tasks and prediction', () => {
    const plain = {
      type: 'recovery-completed',
      epoch: 2,
      cause: 'suspended',
      kept: 3,
      rerun: 2,
      durationMs: 7,
    } as const;
    const detail = {
      reasons: [{ code: 'partition-missing', tasks: 2 }],
      reruns: [{ vertexId: scanId, subtask: 4, code: 'partition-missing' }],
      predicted: { kept: 4, rerun: 1 },
      differences: [{ vertexId: scanId, subtask: 4, predictedRerun: false }],
    };
    const details = [detail, { ...detail, predicted: null }, { ...detail, checkpointId: 7 }];
    const withDetail = [...details, { ...detail, checkpointId: null }].map((each) => ({ ...plain, detail: each }));
    for (const event of [plain, ...withDetail]) expect(roundTrip([submitted, event])[1]).toEqual(event);
    expect(decodeCells('recovery-completed', [2, 'suspended', 3, 2, 7, [], [], null, [], 'x']).kind).toBe('invalid');
    expect(decodeCells('recovery-completed', [2, 'suspended', 3, 2, 7, ['a'], [], null, []]).kind).toBe('invalid');
  });

  test('a finish that awaits snapshots of its coordinators', () => {
    const awaiting = { ...finished(0), awaitsSnapshotsOf: ['feed', 'other'] };
    expect(roundTrip([submitted, awaiting])[1]).toEqual(awaiting);
  });

  test('a task that has nothing to read keeps its empty range', () => {
    const ranges: VertexInputInfo['ranges'] = [
      { partitions: [0, -1], subpartitions: [0, 0] },
      { partitions: [0, 0], subpartitions: [3, 2] },
    ];
    const inputs = [{ datasetId: 'd'.repeat(32), ranges }];
    const event = {
      type: 'job-vertex-initialized',
      vertexId: scanId,
      parallelism: 2,
      maxParallelism: 2,
      inputs,
    } as const;
    expect(roundTrip([submitted, event])[1]).toEqual(event);
  });

  test('a graph with keys that are undefined comes back without them', () => {
    const source = { ...submitted.graph.sources[0], options: { header: undefined } };
    const event = { ...submitted, graph: { ...submitted.graph, sources: [source] } } as unknown as JobEvent;
    const [decoded] = roundTrip([event]) as [typeof submitted];
    expect(decoded.graph.sources[0]?.options).toEqual({});
  });

  test('equal events have equal bytes, and re-encoding gives the same bytes', () => {
    const [encoder, again, decoder] = [new EventEncoder(), new EventEncoder(), new EventDecoder()];
    for (const event of eventsOfEveryKind) {
      const first = encoder.encode(event);
      const payload = Buffer.from(first.payload);
      const decoded = decoder.decode(first.type, first.vertex, payload);
      if (decoded.kind !== 'event') throw new Error(decoded.kind);
      expect(Buffer.from(again.encode(decoded.event).payload).equals(payload)).toBe(true);
    }
  });
});

describe('peeking', () => {
  test('the vertex index stands for the id, which the payload then does not repeat', () => {
    const encoder = new EventEncoder();
    encoder.encode(submitted);
    const encoded = encoder.encode(finished(0));
    expect(encoded.vertex).toBe(0);
    expect(Buffer.from(encoded.payload).includes(scanId)).toBe(false);
  });

  test('events that recovery does not need, and only those, are optional', () => {
    const encoder = new EventEncoder();
    for (const event of eventsOfEveryKind) {
      expect(encoder.encode(event).flags).toBe(recoveryEventTypes.has(event.type) ? 0 : optionalFlag);
    }
  });

  test('type bytes are distinct, never 0 and can be read back', () => {
    const bytes = Object.values(typeByteOf);
    expect(new Set(bytes).size).toBe(bytes.length);
    expect(bytes).not.toContain(0);
    for (const [type, byte] of Object.entries(typeByteOf)) expect(eventTypeOf(byte)).toBe(type);
  });
});

describe('data of a newer writer', () => {
  test('elements behind the known ones are ignored', () => {
    expect(decodeCells('worker-lost', ['w', 'gone', 'new', { more: 1 }])).toEqual({
      kind: 'event',
      event: { type: 'worker-lost', workerId: 'w', reason: 'gone' },
    });
  });

  test('keys of the graph that are not known are kept and harmless', () => {
    const graph = { ...submitted.graph, novelty: [1] };
    const decoded = decodeCells('job-submitted', [submitted.jobId, 'n', graph, {}, ['a', 'b', 'c', 'd']]);
    expect(decoded.kind).toBe('event');
  });

  test('a type byte that is not known is a value of its own', () => {
    expect(new EventDecoder().decode(200, noVertex, new Encoder().encode([]))).toEqual({ kind: 'unknown-type' });
  });
});

describe('payloads that are no events are reasons, not exceptions', () => {
  test.each([
    ['not an array', 'worker-lost', { a: 1 }, /array/],
    ['too few elements', 'worker-lost', ['w'], /string/],
    ['wrong type of element', 'worker-lost', ['w', 7], /string/],
    ['negative count', 'worker-registered', ['w', -1, 1, 1], /whole number/],
    ['fraction for a count', 'worker-registered', ['w', 1.5, 1, 1], /whole number/],
    ['unknown job state', 'job-status-changed', ['DREAMING', null], /state/],
    ['unknown cause', 'recovery-completed', [1, 'boredom', 1, 1, 1], /one of job-master-lost/],
    ['no list of numbers', 'execution-vertex-reset', [scanId, [1, 2]], /bytes/],
    ['list of an unknown width', 'execution-vertex-reset', [scanId, new Uint8Array([3, 1, 1, 1])], /number list/],
    ['list that ends inside an element', 'execution-vertex-reset', [scanId, new Uint8Array([2, 1])], /number list/],
    ['data set beyond the graph', 'partitions-released', [[99, new Uint8Array(0)]], /data set 99/],
    ['half a group', 'partitions-released', [[0]], /groups of 2/],
    ['graph of another shape', 'job-submitted', ['j', 'n', { vertices: 3 }, {}, ['a', 'b', 'c']], /job graph/],
    [
      'configuration with numbers',
      'job-submitted',
      ['j', 'n', submitted.graph, { a: 1 }, ['a', 'b', 'c']],
      /configuration/,
    ],
  ] as const)('%s', (_title, type, cells, reason) => {
    expect(decodeCells(type, cells)).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) });
  });

  test('a vertex index beyond the graph', () => {
    expect(decodeCells('execution-vertex-reset', [null, new Uint8Array(0)], 9)).toEqual({
      kind: 'invalid',
      reason: 'vertex 9 is not in the job graph',
    });
  });

  test.each([
    ['an array that claims 2^32-1 elements', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map that claims 2^32-1 entries', [0x91, 0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['a string longer than the payload', [0x91, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['bytes longer than the payload', [0x91, 0xc6, 0x10, 0, 0, 0, 1]],
    ['an extension type', [0x91, 0xc7, 1, 0, 0]],
    ['the byte that msgpack never uses', [0x91, 0xc1]],
    ['an early end', [0x92, 0xcd, 1]],
    ['nothing', []],
    ['a thousand arrays in one another', [...new Array(1000).fill(0x91), 0x00]],
  ])('%s', (_title, bytes) => {
    const decoded = new EventDecoder().decode(typeByteOf['worker-lost'], noVertex, Uint8Array.from(bytes));
    expect(decoded.kind).toBe('invalid');
  });

  test('every cut of every payload is invalid, and every flipped bit is an event or a reason', () => {
    const [encoder, decoder] = [new EventEncoder(), new EventDecoder()];
    for (const event of eventsOfEveryKind) {
      const { type, vertex, payload } = encoder.encode(event);
      const bytes = Buffer.from(payload);
      for (let at = 0; at < bytes.length; at++) {
        expect(decoder.decode(type, vertex, bytes.subarray(0, at)).kind).toBe('invalid');
        const flipped = Buffer.from(bytes);
        flipped[at] = (bytes[at] as number) ^ (1 << (at % 8));
        expect(['event', 'invalid']).toContain(new EventDecoder().decode(type, vertex, flipped).kind);
      }
      decoder.decode(type, vertex, bytes);
    }
  });
});
