// When a JobMaster takes snapshots of its own, against a thread that answers when the test says so.
import { describe, expect, test } from 'vitest';
import {
  type SnapshotAnswer,
  type SnapshotRequest,
  SnapshotTaker,
} from '../../../src/engine/job-master/snapshot-taker.ts';

function taker(intervalBytes: number, bytesBehind = 0) {
  const requests: SnapshotRequest[] = [];
  const told: string[] = [];
  let answer: (answer: SnapshotAnswer) => void = () => {};
  let acknowledged = { sequence: -1, bytes: 0 };
  let stops = 0;
  const snapshots = new SnapshotTaker({
    folder: '/job-events',
    epoch: 3,
    intervalBytes,
    bytesBehind,
    acknowledged: () => acknowledged,
    onTaken: ({ name }) => told.push(`taken ${name}`),
    onFailed: (reason) => told.push(`failed: ${reason}`),
    start: (request) => {
      requests.push(request);
      const promise = new Promise<SnapshotAnswer>((resolve) => {
        answer = resolve;
      });
      const stop = async () => {
        stops += 1;
      };
      return { answer: promise, stop };
    },
  });
  return {
    requests,
    told,
    stops: () => stops,
    stop: () => snapshots.stop(),
    poll(sequence: number, bytes: number): void {
      acknowledged = { sequence, bytes };
      snapshots.poll();
    },
    async taken(bytes: number): Promise<void> {
      answer({ taken: { name: `s${requests.length}`, baseSequence: 1, epoch: 3, bytes } });
      await new Promise((resolve) => setImmediate(resolve));
    },
    async failed(): Promise<void> {
      answer({ failed: 'no space' });
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('a snapshot is taken', () => {
  test('when as many bytes were acknowledged as the setting says, one at a time', async () => {
    const master = taker(1000);
    master.poll(5, 999);
    expect(master.requests).toEqual([]);
    master.poll(9, 1000);
    expect(master.requests).toMatchObject([{ folder: '/job-events', epoch: 3, sequence: 9 }]);
    master.poll(50, 9000);
    expect(master.requests).toHaveLength(1);
    await master.taken(10);
    expect(master.told).toEqual(['taken s1']);
    // counted from what the snapshot holds, not from when it was ready
    master.poll(51, 9001);
    expect(master.requests).toHaveLength(2);
  });

  test('no earlier than the snapshot before is large: the work stays in proportion to the events', async () => {
    const master = taker(1000);
    master.poll(9, 1000);
    await master.taken(5000);
    master.poll(20, 5999);
    expect(master.requests).toHaveLength(1);
    master.poll(21, 6000);
    expect(master.requests).toHaveLength(2);
  });

  test('counting what lay behind the newest one when the master took over, but not before it recorded anything', () => {
    const master = taker(1000, 990);
    master.poll(3, 0);
    master.poll(4, 9);
    expect(master.requests).toEqual([]);
    master.poll(5, 10);
    expect(master.requests).toHaveLength(1);
  });

  test('never where the setting is 0', () => {
    const master = taker(0);
    master.poll(9, 1e9);
    expect(master.requests).toEqual([]);
  });
});

describe('a snapshot that is not taken', () => {
  test('is told, and tried again after as many bytes more', async () => {
    const master = taker(1000);
    master.poll(9, 1000);
    await master.failed();
    expect(master.told).toEqual(['failed: no space']);
    master.poll(10, 1999);
    expect(master.requests).toHaveLength(1);
    master.poll(11, 2000);
    expect(master.requests).toHaveLength(2);
  });

  test('because the master ends is ended with it, and told to nobody', async () => {
    const master = taker(1000);
    master.poll(9, 1000);
    await master.stop();
    expect(master.stops()).toBe(1);
    await master.taken(10);
    expect(master.told).toEqual([]);
    master.poll(90, 9000);
    expect(master.requests).toHaveLength(1);
  });
});
