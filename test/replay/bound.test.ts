// Positions: every kind of the contract, and every way in which one can name no event.
import { describe, expect, it } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import type { LogRecord } from '../../src/model/job-log.ts';
import { parsePosition, resolvePosition } from '../../src/replay/bound.ts';
import { formatTime } from '../../src/replay/time-text.ts';
import { finished, initialized, iterate, jobGraphOf, recordsOf, reset, submitted, vertexId } from './job-builder.ts';

const job = jobGraphOf([
  { name: 'scan' },
  { name: 'late -> partial#x', reads: { scan: 'forward' } },
  { name: 'totals', reads: { scan: 'hash' } },
]);
const events = [
  submitted(job), // 0, at 12:00:00
  initialized('scan', 3), // 1
  finished('scan', 0), // 2
  finished('scan', 1), // 3
  reset('scan', 1), // 4
  finished('scan', 1, { attempt: 1 }), // 5
  initialized('late -> partial#x', 1), // 6
  finished('late -> partial#x', 0), // 7, at 12:00:07
];
const records = recordsOf(events);

async function resolve(text: string, from: readonly LogRecord[] = records): Promise<number> {
  return (await resolvePosition(parsePosition(text), iterate(from))).sequence;
}

async function messageFor(text: string, from: readonly LogRecord[] = records): Promise<string> {
  const error = await resolve(text, from).then(
    (sequence) => new Error(`resolved to ${sequence}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(JobrecError);
  expect((error as JobrecError).code).toBe('POSITION_INVALID');
  expect((error as JobrecError).message).not.toContain('\n');
  return (error as JobrecError).message;
}

describe('a position names an event', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['2026-01-31T12:00:03Z', 3],
    ['2026-01-31T12:00:03.999999Z', 3],
    ['2026-01-31T12:00:04.000000Z', 4],
    ['2026-01-31 12:00:03', 3],
    ['2026-01-31T12:00', 0],
    ['2026-01-31T13:00:03+01:00', 3],
    ['2026-01-31T06:30:03-0530', 3],
    ['2026-02-01', 7],
    ['-0s', 7],
    ['-2s', 5],
    ['-1500ms', 5],
    ['-2.5s', 4],
    ['-7s', 0],
    ['finished:scan#0', 2],
    ['finished:scan#1', 5],
    [`finished:${vertexId('scan')}#1`, 5],
    ['finished:late -> partial#x#0', 7],
    ['initialized:scan', 1],
    ['initialized:late -> partial#x', 6],
  ])('%s', async (text, sequence) => {
    expect(await resolve(text)).toBe(sequence);
  });

  it('by minutes, hours and days before the last event', async () => {
    const spread = records.map((record, at) => ({ ...record, timeMicros: 1e15 + at * 3_600e6 }));
    expect([await resolve('-59m', spread), await resolve('-60min', spread)]).toEqual([6, 6]);
    expect([await resolve('-2h', spread), await resolve('-0.25d', spread)]).toEqual([5, 1]);
  });

  it('by the time that its event is printed with', async () => {
    const odd = records.map((record, at) => ({ ...record, timeMicros: 1_769_860_800_123_456 + at }));
    for (const record of odd) expect(await resolve(formatTime(record.timeMicros), odd)).toBe(record.sequence);
  });

  it('the last event at or before a time, though a clock went back', async () => {
    const back = records.map((record, at) => ({ ...record, timeMicros: [0, 5, 9, 3, 4, 20, 21, 22][at] ?? 0 }));
    expect(await resolve('1970-01-01T00:00:00.000006Z', back)).toBe(4);
  });

  it('the only event of a log', async () => {
    expect(await resolve('-0ms', records.slice(0, 1))).toBe(0);
  });
});

describe('text that is no position', () => {
  it.each([
    '',
    'now',
    '1.5',
    '-10',
    '-10x',
    '10m',
    '+1',
    'finished:scan',
    'finished:#1',
    'finished:scan#',
    'initialized:',
    '2026-13-01',
    '2026-02-30',
    '2026-01-31T25:00',
    '2026-01-31T12:00:03+25:00',
    'submitted:scan',
    '0x10',
  ])('%j', (text) => {
    expect(() => parsePosition(text)).toThrow(
      expect.objectContaining({
        code: 'POSITION_INVALID',
        message: expect.stringMatching(/is not a position; .*-10m.*finished:/),
      }),
    );
  });
});

describe('a position that names no event', () => {
  it.each([
    ['8', 'position 8 lies beyond the last event (sequence 7)'],
    ['99999999999999999999', 'position 99999999999999999999 lies beyond the last event (sequence 7)'],
    [
      '2026-01-31T11:59:59Z',
      "position 2026-01-31T11:59:59Z lies before the first event; the store's events are from " +
        '2026-01-31T12:00:00.000000Z to 2026-01-31T12:00:07.000000Z',
    ],
    [
      '-8s',
      "position -8s lies before the first event; the store's events are from " +
        '2026-01-31T12:00:00.000000Z to 2026-01-31T12:00:07.000000Z',
    ],
    ['finished:scan#2', 'position finished:scan#2: scan#2 has not finished; finished: #0, #1'],
    ['finished:scan#3', 'position finished:scan#3: scan has 3 tasks (#0 to #2)'],
    ['finished:totals#0', 'position finished:totals#0: no task of totals has finished, and it was never initialized'],
    ['initialized:totals', 'position initialized:totals: totals was never initialized'],
    [
      'initialized:scam',
      'position initialized:scam: no vertex "scam"; there are: "scan", "late -> partial#x", "totals"',
    ],
  ])('%s', async (text, message) => {
    expect(await messageFor(text)).toBe(message);
  });

  it('before the first event that a compacted store holds', async () => {
    expect(await messageFor('2', records.slice(4))).toMatch(/before the first event .* \(sequence 4\)/);
  });

  it('inside a gap', async () => {
    const gap = records.filter((record) => record.sequence !== 3);
    expect(await messageFor('3', gap)).toBe('the store holds no event with sequence 3; the next one is 4');
  });

  it('in an empty store', async () => {
    for (const text of ['0', '-1s', '2026-01-31']) expect(await messageFor(text, [])).toMatch(/holds no events/);
    expect(await messageFor('initialized:scan', [])).toMatch(/the store names none/);
  });

  it('by time in a store without times, where sequence numbers and events still work', async () => {
    const untimed = recordsOf(events, { timed: false });
    expect(await messageFor('-1s', untimed)).toMatch(/records no times; give a sequence number or an event/);
    expect(await messageFor('2026-01-31', untimed)).toMatch(/records no times/);
    expect([await resolve('3', untimed), await resolve('finished:scan#1', untimed)]).toEqual([3, 5]);
  });

  it('by a name that two vertices have', async () => {
    const [first, second] = job.vertices;
    const twins = { ...job, vertices: [first, { ...second, name: 'scan' }] } as typeof job;
    const message = await messageFor('initialized:scan', recordsOf([submitted(twins)]));
    expect(message).toBe(
      `position initialized:scan: 2 vertices are named "scan"; give an id: ${first?.id}, ${second?.id}`,
    );
  });
});

describe('resolving a sequence number', () => {
  it('reads no further than the event', async () => {
    let read = 0;
    const counted = (function* () {
      for (const record of records) {
        read += 1;
        yield record;
      }
    })();
    await resolvePosition(parsePosition('2'), iterate(counted));
    expect(read).toBe(3);
  });
});
