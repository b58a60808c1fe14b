// The ShuffleMaster: a finish waits for the service's answer, whatever happens to the service meanwhile; what it records
// places exactly what is held.
import { describe, expect, it } from 'vitest';
import type { ToShuffleService } from '../../../src/engine/protocol/messages.ts';
import { ShuffleMaster } from '../../../src/engine/shuffle-service/shuffle-master.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import { decodePlacements } from '../../../src/model/shuffle-placements.ts';
import { applyEvent } from '../../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../../src/replay/execution-graph.ts';
import {
  datasetId,
  finished,
  initialized,
  jobGraphOf,
  recordsOf,
  reset,
  submitted,
  vertexId,
} from '../../replay/job-builder.ts';

const output = datasetId('scan', 'hash');
const shape = jobGraphOf([{ name: 'scan' }, { name: 'totals', reads: { scan: 'hash' } }]);
const produced = (partitionIndex: number) => [
  { datasetId: output, partitionIndex, bytes: 1, rows: 1, subpartitionRows: null },
];
const execution = (subtask: number, attempt = 0) => ({ vertexId: vertexId('scan'), subtask, attempt });
const named = (partitionIndex: number, attempt = 0) => ({ datasetId: output, partitionIndex, attempt, epoch: 1 });

function setUp() {
  const graph = createExecutionGraph();
  const sent: ToShuffleService[] = [];
  const heard: string[] = [];
  const events: JobEvent[] = [];
  let settled = 0;
  const record = async (event: JobEvent) => {
    events.push(event);
    const sequence = (graph.lastSequence ?? -1) + 1;
    applyEvent(graph, { sequence, timeMicros: null, epoch: 1 }, event);
  };
  for (const { event } of recordsOf([submitted({ ...shape, shuffle: 'service' }), initialized('scan', 3)]))
    void record(event);
  const master = new ShuffleMaster({
    serviceId: 'shuffle-service',
    epoch: 1,
    graph,
    record,
    send: (message) => sent.push(message),
    onSettled: () => {
      settled += 1;
    },
  });
  const listener = (label: string) => ({
    taken: () => heard.push(`${label} taken`),
    refused: (missing: boolean, message: string) => heard.push(`${label} refused ${missing} ${message}`),
  });
  /** As the FinishRecorder does it. */
  const finish = (subtask: number, attempt = 0) => {
    for (const event of master.increments(execution(subtask, attempt), produced(subtask))) void record(event);
    void record(finished('scan', subtask, { outputs: [output], attempt }));
  };
  return { master, graph, sent, heard, events, record, listener, finish, settled: () => settled };
}

const held = (event: JobEvent | undefined) =>
  event?.type === 'shuffle-master-snapshot' ? decodePlacements(event.state) : null;

describe('a hand-over', () => {
  it('is asked for at once, and finishes behind the answer', () => {
    const { master, sent, heard, listener } = setUp();
    master.handOver('worker-1', execution(0), produced(0), listener('a'));
    expect(sent).toEqual([
      { type: 'take-partitions', epoch: 1, handOver: 1, workerId: 'worker-1', partitions: [named(0)] },
    ]);
    expect(heard).toEqual([]);
    expect(master.isHandingOver(named(0))).toBe(true);
    master.answered({ type: 'partitions-taken', epoch: 1, handOver: 1 });
    master.answered({ type: 'partitions-taken', epoch: 1, handOver: 1 });
    expect(heard).toEqual(['a taken']);
    expect(master.isHandingOver(named(0))).toBe(false);
  });

  it('is asked for again when another service has registered, and only while it is open', () => {
    const { master, sent, listener } = setUp();
    master.handOver('worker-1', execution(0), produced(0), listener('a'));
    master.handOver('worker-2', execution(1), produced(1), listener('b'));
    master.answered({ type: 'partitions-taken', epoch: 1, handOver: 1 });
    sent.length = 0;
    master.registered();
    expect(sent).toMatchObject([{ type: 'take-partitions', handOver: 2, workerId: 'worker-2' }]);
  });

  it('that is refused is given up: what was taken of it is deleted', () => {
    const { master, sent, heard, listener } = setUp();
    master.handOver('worker-1', execution(0), produced(0), listener('a'));
    const answer = { type: 'partitions-refused', epoch: 1, handOver: 1, missing: true, message: 'gone' } as const;
    master.answered(answer);
    master.answered(answer);
    expect(heard).toEqual(['a refused true gone']);
    expect(sent.at(-1)).toEqual({ type: 'release-partitions', epoch: 1, partitions: [named(0)] });
  });

  it('that is canceled hears nothing any more', () => {
    const { master, sent, heard, listener } = setUp();
    master.handOver('worker-1', execution(0), produced(0), listener('a'));
    expect(master.cancel(() => false)).toEqual([]);
    expect(master.cancel(({ subtask }) => subtask === 0)).toEqual([{ execution: execution(0), workerId: 'worker-1' }]);
    master.answered({ type: 'partitions-taken', epoch: 1, handOver: 1 });
    expect(heard).toEqual([]);
    expect(sent.at(-1)).toMatchObject({ type: 'release-partitions', partitions: [named(0)] });
  });

  it('of an answer to another epoch is still open', () => {
    const { master, heard, listener } = setUp();
    master.handOver('worker-1', execution(0), produced(0), listener('a'));
    master.answered({ type: 'partitions-taken', epoch: 2, handOver: 1 });
    expect(heard).toEqual([]);
  });
});

describe('snapshots', () => {
  it('are an increment with each finish, and the whole where the state settles', async () => {
    const { master, events, finish, record, settled } = setUp();
    for (const subtask of [0, 1, 2]) finish(subtask);
    expect(events.map(held).filter(Boolean)).toEqual([0, 1, 2].map((index) => [expect.objectContaining(named(index))]));
    await record(reset('scan', 1));
    await record({ type: 'partitions-released', partitions: [{ datasetId: output, partitionIndex: 2 }] });
    master.settle();
    expect(events.at(-1)).toMatchObject({ type: 'shuffle-master-snapshot', incremental: false });
    expect(held(events.at(-1))).toEqual([{ ...named(0), holderId: 'shuffle-service' }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled()).toBe(1);
  });

  it('do not grow with attempts', () => {
    const { master, events, finish, record } = setUp();
    for (let attempt = 0; attempt < 50; attempt += 1) {
      finish(0, attempt);
      void record(reset('scan', 0));
    }
    finish(0, 50);
    master.settle();
    expect(held(events.at(-1))).toEqual([{ ...named(0, 50), holderId: 'shuffle-service' }]);
  });
});
