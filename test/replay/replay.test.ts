// The laws of replay, on random lives of random jobs: deterministic, a prefix and the rest give the whole, and `until`
// is the fold of the events up to it. Seeds are printed on failure.
import { describe, expect, it } from 'vitest';
import { applyEvent } from '../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../src/replay/execution-graph.ts';
import { replay } from '../../src/replay/replay.ts';
import { finished, iterate, recordsOf } from './job-builder.ts';
import { seeded } from './random.ts';
import { job, randomLog } from './random-log.ts';

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
