// inspect --events: what each filter keeps, and positions as both ends.
import { beforeAll, describe, expect, it } from 'vitest';
import { type EventLinesOptions, eventLines } from '../../src/services/event-lines.ts';
import type { EventLine } from '../../src/services/inspect-report.ts';
import { vertexId } from '../replay/job-builder.ts';
import { sampleEvents, writeSampleStore } from '../support/sample-store.ts';

describe('event lines', () => {
  let location = '';
  beforeAll(async () => {
    location = await writeSampleStore();
  });

  const lines = async (options: Partial<EventLinesOptions> = {}): Promise<EventLine[]> => {
    const all = { location, topology: [], types: null, vertex: null, from: null, until: null, limit: null, raw: false };
    const found = await eventLines({ ...all, ...options });
    const collected: EventLine[] = [];
    for await (const line of found.lines) collected.push(line);
    expect(await found.damage()).toBeNull();
    return collected;
  };

  const sequences = async (options: Partial<EventLinesOptions>) => (await lines(options)).map((line) => line.sequence);

  it('are all events, in order, with their own fields', async () => {
    const all = await lines();
    expect(all.map((line) => line.type)).toEqual(sampleEvents.map((event) => event.type));
    expect(all).toMatchObject(sampleEvents);
    expect(all[8]).toMatchObject({
      vertexName: 'scan',
      vertexId: vertexId('scan'),
      subtask: 0,
      attempt: 0,
      workerId: 'w1',
    });
    expect(all[1]).toMatchObject({ vertexName: null, vertexId: null, subtask: null, attempt: null, workerId: null });
  });

  it.each([
    [{ types: ['worker-registered', 'execution-failed'] }, [2, 3, 12]],
    [{ vertex: 'scan' }, [4, 5, 6, 7, 8, 9]],
    [{ vertex: vertexId('totals'), types: ['execution-vertex-finished'] }, [11]],
    [{ limit: 3 }, [0, 1, 2]],
    [{ limit: 2, types: ['execution-deployed'] }, [5, 6]],
    [{ from: '12' }, [12, 13, 14]],
    [{ from: '3', until: '5' }, [3, 4, 5]],
    [{ from: '-2s' }, [12, 13, 14]],
    [{ from: '-2500ms' }, [12, 13, 14]],
    [{ from: '-10m' }, sampleEvents.map((_, index) => index)],
    [{ from: '2020-01-01', until: '2026-01-31T12:00:01Z' }, [0, 1]],
    [{ from: '2026-01-31T12:00:12.5Z' }, [13, 14]],
    [{ from: 'finished:totals#0', until: '-2s' }, [11, 12]],
    [{ from: '9', until: '3' }, []],
  ] as const)('%j keeps %j', async (options, expected) => {
    expect(await sequences(options)).toEqual(expected);
  });

  it('carry the bytes of their frame on request, as the file has them', async () => {
    const [line] = await lines({ raw: true, limit: 1 });
    expect(line?.raw).toHaveLength((line?.bytes ?? 0) * 2);
    expect(Buffer.from(line?.raw ?? '', 'hex').toString('latin1')).toContain('delays');
  });
});
