// The law of snapshots on random lives of random jobs: replay(all) = replay(snapshot + rest), whatever the point, and
// however often a snapshot is taken of a graph that came from one. Through msgpack, as a store has it.
import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import type { JobLog, LogRecord, LogSnapshot, SnapshotPart, StoreSummary } from '../../src/model/job-log.ts';
import { createExecutionGraph, type ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { graphOfSnapshot, graphToParts, submissionOf } from '../../src/replay/graph-snapshot.ts';
import { fromPlain, toPlain } from '../../src/replay/plain-data.ts';
import { replay } from '../../src/replay/replay.ts';
import { replayLog, replayNewest } from '../../src/replay/replay-log.ts';
import { iterate } from './job-builder.ts';
import { seeded } from './random.ts';
import { randomLog } from './random-log.ts';

const seeds = Array.from({ length: 400 }, (_, index) => index + 1);

function snapshotOf(graph: ExecutionGraph, name = 'snapshot'): LogSnapshot {
  const submitted = submissionOf(graph);
  if (submitted === null) throw new Error('no job was submitted');
  const parts = [...graphToParts(graph)].map((part) => decode(encode(part)) as SnapshotPart);
  const { lastSequence, lastTimeMicros, epoch } = graph;
  const place = { sequence: lastSequence ?? -1, timeMicros: lastTimeMicros ?? 0, epoch: epoch ?? 1 };
  return { name, bytes: 1, ...place, submitted, parts: () => iterate(parts) };
}

/** In order too, which `toEqual` does not see in Maps and Sets. */
function expectSame(actual: ExecutionGraph, expected: ExecutionGraph, message: string): void {
  expect(actual, message).toEqual(expected);
  expect([...graphToParts(actual)], message).toEqual([...graphToParts(expected)]);
}

async function graphFrom(snapshot: LogSnapshot): Promise<ExecutionGraph> {
  const graph = await graphOfSnapshot(snapshot);
  if (typeof graph === 'string') throw new Error(graph);
  return graph;
}

describe('a snapshot', () => {
  it('and the rest of the log give the graph of the whole log', async () => {
    for (const seed of seeds) {
      const records = randomLog(seed);
      const cut = 1 + seeded(seed + 7919).below(records.length);
      const whole = await replay(iterate(records));
      const prefix = await replay(iterate(records.slice(0, cut)));
      const before = structuredClone(prefix.graph);
      const restored = await graphFrom(snapshotOf(prefix.graph));
      expectSame(prefix.graph, before, `seed ${seed}: taking it changes nothing`);
      expectSame(restored, prefix.graph, `seed ${seed}, cut ${cut}`);
      const { graph } = await replay(iterate(records.slice(cut)), { graph: restored });
      expectSame(graph, whole.graph, `seed ${seed}, cut ${cut}`);
    }
  });

  it('of a graph that came from a snapshot is as good', async () => {
    for (const seed of seeds.slice(0, 60)) {
      const records = randomLog(seed);
      let graph = createExecutionGraph();
      for (const record of records) {
        ({ graph } = await replay(iterate([record]), { graph }));
        graph = await graphFrom(snapshotOf(graph));
      }
      expectSame(graph, (await replay(iterate(records))).graph, `seed ${seed}`);
    }
  });

  it('with parts that are missing, doubled or of another kind is refused with a reason', async () => {
    const snapshot = snapshotOf((await replay(iterate(randomLog(3)))).graph);
    const parts: SnapshotPart[] = [];
    for await (const part of snapshot.parts()) parts.push(part);
    const refused = async (changed: readonly SnapshotPart[]) =>
      expect(await graphOfSnapshot({ ...snapshot, parts: () => iterate(changed) })).toBeTypeOf('string');
    const tasksAt = parts.findIndex(([kind]) => kind === 'tasks');
    expect(tasksAt).toBeGreaterThan(1);
    await refused(parts.slice(1));
    await refused(parts.toSpliced(tasksAt, 1));
    await refused(parts.toSpliced(tasksAt, 0, parts[tasksAt] as SnapshotPart));
    await refused([...parts, ['strange']]);
    await refused([...parts, []]);
    await refused([['tasks', [], [[0]]], ...parts]);
    await refused(parts.toSpliced(0, 1, ['graph', { ...(parts[0]?.[1] as object), workers: 7 }]));
    for (const cell of [['x'], null, 7, [[]], [['a']], [[0, 99]], [[0, 0, 0, 0, 0, 5]]])
      await refused(parts.toSpliced(tasksAt, 1, ['tasks', [], cell]));
  });

  it('of an older version, without a field of today, has the empty value there', async () => {
    const { graph } = await replay(iterate(randomLog(5)));
    const snapshot = snapshotOf(graph);
    const parts: SnapshotPart[] = [];
    for await (const part of snapshot.parts()) parts.push(part);
    const [[, head] = []] = parts;
    const { failureTimesMicros: _gone, ...older } = head as Record<string, unknown>;
    const restored = await graphOfSnapshot({
      ...snapshot,
      parts: () => iterate([['graph', older], ...parts.slice(1)]),
    });
    expect(restored).toEqual({ ...graph, failureTimesMicros: [] });
  });
});

describe('plain data', () => {
  it('keeps Maps, Sets and their order, however deep', () => {
    const value = {
      a: new Map<unknown, unknown>([
        ['z', new Set([3, 1])],
        ['b', [new Map()]],
      ]),
      n: null,
      t: 'x',
    };
    const back = fromPlain(decode(encode(toPlain(value)))) as typeof value;
    expect(back).toEqual(value);
    expect([...back.a.keys()]).toEqual(['z', 'b']);
  });

  it('refuses a Map that is none', () => {
    for (const flat of [{ $map: [1] }, { $map: 7 }, { $map: [1, 2, 1, 3] }, { $set: null }])
      expect(() => fromPlain(flat)).toThrow();
  });
});

/** A log in memory: events from `first` on, up to `damagedAt`, and snapshots, newest first. */
function logOf(
  records: readonly LogRecord[],
  snapshots: readonly LogSnapshot[],
  { first = 0, damagedAt = Number.POSITIVE_INFINITY } = {},
): JobLog {
  const end = (after?: LogSnapshot) => ((after?.sequence ?? -1) >= damagedAt ? Number.POSITIVE_INFINITY : damagedAt);
  const damage = { segment: 's', offset: 0, code: 'CHECKSUM_MISMATCH' } as const;
  return {
    format: 'jobrec',
    location: 'memory',
    firstSequence: first,
    snapshots: async () => snapshots,
    records: (after) =>
      iterate(
        records.filter(
          ({ sequence }) => sequence >= Math.max(first, (after?.sequence ?? -1) + 1) && sequence < end(after),
        ),
      ),
    summary: async (after) =>
      ({ damage: end(after) === Number.POSITIVE_INFINITY ? null : damage }) as unknown as StoreSummary,
  };
}

describe('a log with snapshots', () => {
  it('gives the same graph by its events, by any snapshot, and with its history retired', async () => {
    for (const seed of seeds.slice(0, 100)) {
      const records = randomLog(seed);
      const cut = 1 + seeded(seed + 31).below(records.length);
      const whole = await replay(iterate(records));
      const prefix = await replay(iterate(records.slice(0, cut)));
      const snapshot = snapshotOf(prefix.graph);
      const log = logOf(records, [snapshot]);
      const byEvents = await replayLog(log);
      expect(byEvents.snapshot, 'events come first').toBeNull();
      expectSame(byEvents.graph, whole.graph, `seed ${seed}`);
      expectSame((await replayNewest(log)).graph, whole.graph, `seed ${seed}`);
      const retired = logOf(records, [snapshot], { first: cut });
      expectSame((await replayLog(retired)).graph, whole.graph, `seed ${seed}, retired`);
      expectSame((await replayNewest(retired)).graph, whole.graph, `seed ${seed}, retired`);
    }
  });

  it('goes on behind damage that a snapshot covers, and not behind other damage', async () => {
    const records = randomLog(11);
    const whole = await replay(iterate(records));
    const snapshot = snapshotOf((await replay(iterate(records.slice(0, 20)))).graph);
    const covered = await replayLog(logOf(records, [snapshot], { damagedAt: 7 }));
    expectSame(covered.graph, whole.graph, 'covered');
    expect(covered.snapshot).toBe(snapshot);
    const beyond = await replayLog(logOf(records, [snapshot], { damagedAt: 25 }));
    expect([beyond.snapshot, beyond.graph.lastSequence]).toEqual([null, 24]);
    expect((await replayNewest(logOf(records, [snapshot], { damagedAt: 25 }))).graph).toEqual(beyond.graph);
  });

  it('takes the next older snapshot where the newest is none, and names it', async () => {
    const records = randomLog(12);
    const whole = await replay(iterate(records));
    const older = snapshotOf((await replay(iterate(records.slice(0, 5)))).graph, 'older');
    const newest = snapshotOf((await replay(iterate(records.slice(0, 9)))).graph, 'newest');
    const broken = { ...newest, parts: () => iterate([]) };
    const result = await replayNewest(logOf(records, [broken, older], { first: 5 }));
    expect(result.snapshot).toBe(older);
    expectSame(result.graph, whole.graph, 'older');
    expect(result.findings[0]).toMatchObject({ code: 'SNAPSHOT_MISMATCH', segment: 'newest', severity: 'error' });
  });

  it('without its beginning and without a snapshot is damaged', async () => {
    const log = logOf(randomLog(13), [], { first: 5 });
    await expect(replayLog(log)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await expect(replayNewest(log)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('before a bound uses no snapshot that lies behind it', async () => {
    const records = randomLog(14);
    const until = { sequence: 6 };
    const snapshot = snapshotOf((await replay(iterate(records.slice(0, 9)))).graph);
    const expected = (await replay(iterate(records), { until })).graph;
    expectSame((await replayNewest(logOf(records, [snapshot]), { until })).graph, expected, 'until');
    expectSame((await replayLog(logOf(records, [snapshot], { damagedAt: 7 }), { until })).graph, expected, 'until');
  });
});
