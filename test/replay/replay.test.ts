// The laws of replay, on random lives of random jobs: deterministic, a prefix and the rest give the whole, and `until`
// is the fold of the events up to it. Seeds are printed on failure.
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../src/model/job-events.ts';
import type { LogRecord } from '../../src/model/job-log.ts';
import { applyEvent } from '../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../src/replay/execution-graph.ts';
import { replay } from '../../src/replay/replay.ts';
import { finished, initialized, iterate, jobGraphOf, recordsOf, reset, submitted, vertexId } from './job-builder.ts';
import type { Random } from './random.ts';
import { seeded } from './random.ts';

const names = ['a', 'b', 'c'];
const job = submitted(
  jobGraphOf([{ name: 'a' }, { name: 'b', reads: { a: 'hash' } }, { name: 'c', reads: { b: 'forward' } }]),
);

function randomEvent(random: Random): JobEvent {
  const name = random.pick(names);
  const id = vertexId(name);
  const subtask = random.below(4);
  const attempt = random.below(3);
  const workerId = `w${random.below(3)}`;
  switch (random.below(11)) {
    case 0:
      return initialized(name, 1 + random.below(4));
    case 1:
      return reset(name, subtask, random.below(4));
    case 2:
      return { type: 'execution-deployed', vertexId: id, subtask, attempt, workerId };
    case 3:
      return {
        type: 'execution-failed',
        vertexId: id,
        subtask,
        attempt,
        workerId,
        cause: 'x',
        counted: random.chance(0.5),
      };
    case 4:
      return { type: 'partitions-released', partitions: [{ datasetId: id, partitionIndex: subtask }] };
    case 5:
      return random.chance(0.5)
        ? { type: 'worker-lost', workerId, reason: 'x' }
        : { type: 'worker-registered', workerId, pid: 1, slots: 1, partitions: 0 };
    case 6:
      return {
        type: 'shuffle-master-snapshot',
        incremental: random.chance(0.5),
        state: new Uint8Array(random.below(9)),
      };
    case 7:
      return {
        type: 'coordinator-snapshot',
        vertexId: id,
        operatorId: 'op',
        incremental: random.chance(0.8),
        assigned: [random.below(9), subtask],
        finished: [random.below(9)],
        supportsBatchSnapshot: random.chance(0.5),
      };
    default:
      return finished(name, subtask, { attempt, workerId, outputs: random.chance(0.5) ? [id] : [] });
  }
}

function randomLog(seed: number): LogRecord[] {
  const random = seeded(seed);
  const events = [job, ...Array.from({ length: 5 + random.below(60) }, () => randomEvent(random))];
  const newMasterEvery = 5 + random.below(40);
  return recordsOf(events).map((record, at) => ({ ...record, epoch: 1 + Math.floor(at / newMasterEvery) }));
}

const seeds = Array.from({ length: 300 }, (_, index) => index + 1);

describe('replay', () => {
  it('gives the same graph for the same records', async () => {
    for (const seed of seeds) {
      const [once, twice] = [await replay(iterate(randomLog(seed))), await replay(iterate(randomLog(seed)))];
      expect(once, `seed ${seed}`).toEqual(twice);
    }
  });

  it('leaves the records as they are', async () => {
    for (const seed of seeds.slice(0, 50)) {
      const records = randomLog(seed);
      await replay(iterate(records));
      expect(records, `seed ${seed}`).toEqual(randomLog(seed));
    }
  });

  it('of a prefix and then of the rest is that of the whole', async () => {
    for (const seed of seeds) {
      const records = randomLog(seed);
      const cut = seeded(seed + 7919).below(records.length + 1);
      const whole = await replay(iterate(records));
      const prefix = await replay(iterate(records.slice(0, cut)));
      const rest = await replay(iterate(records.slice(cut)), { graph: prefix.graph });
      expect(rest.graph, `seed ${seed}, cut ${cut}`).toEqual(whole.graph);
      expect([...prefix.findings, ...rest.findings], `seed ${seed}, cut ${cut}`).toEqual(whole.findings);
      expect(rest.last ?? prefix.last).toEqual(whole.last);
    }
  });

  it('until n is the fold of the first n + 1 events', async () => {
    for (const seed of seeds.slice(0, 40)) {
      const records = randomLog(seed);
      const graph = createExecutionGraph();
      for (const record of records) {
        applyEvent(graph, record, record.event);
        const until = await replay(iterate(records), { until: { sequence: record.sequence } });
        expect(until.graph, `seed ${seed}, until ${record.sequence}`).toEqual(graph);
        expect(until.last).toBe(record);
      }
    }
  });

  it('reads no record behind the bound, and shows each applied one', async () => {
    const records = randomLog(1);
    const read: number[] = [];
    const shown: number[] = [];
    const counted = (function* () {
      for (const record of records) {
        read.push(record.sequence);
        yield record;
      }
    })();
    await replay(iterate(counted), { until: { sequence: 3 }, onRecord: (record) => shown.push(record.sequence) });
    expect([read, shown]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
  });

  it('stops before a bound that lies in a gap', async () => {
    const records = randomLog(2).filter((record) => record.sequence !== 3);
    expect((await replay(iterate(records), { until: { sequence: 3 } })).last?.sequence).toBe(2);
  });

  it('says where a finding lies', async () => {
    const { findings } = await replay(iterate(recordsOf([job, finished('a', 0)])));
    expect(findings).toEqual([
      {
        code: 'FINISH_WITHOUT_INIT',
        severity: 'error',
        message: 'a#0 finished, but no event initialized this vertex',
        segment: '00000000000000000000-1.log',
        offset: 164,
        sequence: 1,
        bytesLost: 0,
      },
    ]);
  });

  it('of nothing is the empty graph', async () => {
    expect(await replay(iterate([]))).toEqual({
      graph: createExecutionGraph(),
      findings: [],
      last: null,
      droppedEvents: [],
    });
  });
});
