// Flink's replay step by step: the old place of a second finish, resets, the dropped tail, what makes replay fail, and
// which partitions a JobMaster had given up.
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import type { LogRecord } from '../../../src/model/job-log.ts';
import { planFlinkRecovery } from '../../../src/replay/flink-recovery.ts';
import { type FlinkReplay, replayFlink } from '../../../src/replay/flink-replay.ts';
import { allSurvive } from '../../../src/replay/survivors.ts';

const [src, map, data] = ['a'.repeat(32), 'b'.repeat(32), 'd'.repeat(32)];

const job: FlinkJob = {
  source: 'job-graph',
  jobId: null,
  name: null,
  vertices: [
    { id: src, name: 'src', parallelism: null, coordinators: [{ operatorId: src, sourceClass: null }] },
    { id: map, name: 'map', parallelism: null, coordinators: [] },
  ],
  edges: [{ producerVertexId: src, consumerVertexId: map, datasetId: data, distribution: null }],
  config: {},
  subtasks: [],
};

const init = (vertexId: string, parallelism: number): JobEvent => ({
  type: 'job-vertex-initialized',
  vertexId,
  parallelism,
  maxParallelism: null,
  inputs:
    vertexId === map
      ? [
          {
            datasetId: data,
            ranges: Array.from({ length: parallelism }, () => ({ partitions: [0, 1], subpartitions: [0, 0] })),
          },
        ]
      : [],
});

/** `snapshot`: operators that gave bytes; null: none was taken. */
const finish = (vertexId: string, subtask: number, snapshot: readonly string[] | null, graph = 'g1'): JobEvent => ({
  type: 'execution-vertex-finished',
  vertexId,
  subtask,
  attempt: 0,
  epoch: 0,
  workerId: 'w',
  partitions: [],
  parts: [],
  metrics: { recordsIn: 1, recordsOut: 1, bytesIn: 1, bytesOut: 1, durationMs: 1 },
  flink: {
    executionGraphId: graph,
    snapshot:
      snapshot === null
        ? null
        : {
            coordinators: snapshot.map((operatorId) => ({ operatorId, bytes: 7 })),
            shuffleMaster: { bytes: 1, incremental: false },
          },
  },
});

const reset = (vertexId: string, ...subtasks: number[]): JobEvent => ({
  type: 'execution-vertex-reset',
  vertexId,
  subtasks,
});

async function replayed(...events: JobEvent[]): Promise<FlinkReplay> {
  async function* records(): AsyncGenerator<LogRecord> {
    for (const [sequence, event] of events.entries()) {
      yield { sequence, timeMicros: null, epoch: null, segment: 'events.0', offset: sequence, bytes: 1, event };
    }
  }
  return replayFlink(records(), { job });
}

const dropped = ({ droppedEvents }: FlinkReplay) => droppedEvents.map((event) => event.sequence);

describe('what Flink drops', () => {
  it('drops the tail without a snapshot', async () => {
    const result = await replayed(init(src, 3), finish(src, 0, [src]), finish(src, 1, null), finish(src, 2, null));
    expect(dropped(result)).toEqual([2, 3]);
    expect(result.graph.vertices.get(src)?.tasks.map((task) => task.state)).toEqual(['FINISHED', 'CREATED', 'CREATED']);
    expect(result.recorded.vertices.get(src)?.tasks.every((task) => task.state === 'FINISHED')).toBe(true);
  });

  it('leaves a second finish in its old place, so that its snapshot saves nothing behind it', async () => {
    const result = await replayed(
      init(src, 2),
      finish(src, 0, null),
      finish(src, 1, null),
      finish(src, 0, [src], 'g2'),
    );
    expect(dropped(result)).toEqual([2]);
  });

  it('forgets the place of a task that was reset', async () => {
    const result = await replayed(
      init(src, 2),
      finish(src, 0, null),
      finish(src, 1, null),
      reset(src, 0),
      finish(src, 0, [src]),
    );
    expect(dropped(result)).toEqual([]);
  });
});

describe('what makes replay fail', () => {
  const whole = [init(src, 2), finish(src, 0, [src]), finish(src, 1, [src])];
  it.each<[string, JobEvent[], number | null]>([
    ['nothing', whole, null],
    ['a finish without initialization', [finish(src, 0, [src])], 0],
    ['a finish beyond the parallelism', [init(src, 1), finish(src, 1, [src])], 1],
    ['nothing, where that finish is dropped', [init(src, 1), finish(src, 0, [src]), finish(map, 0, null)], null],
    ['a second initialization', [...whole, init(src, 2)], 3],
    ['a consumer without its producer', [init(map, 1)], 0],
    ['a vertex that the job does not have', [init('e'.repeat(32), 1)], 0],
    ['a snapshot of an operator that nobody has', [init(src, 1), finish(src, 0, [map])], 1],
  ])('%s', async (_title, events, sequence) => {
    expect((await replayed(...events)).failure?.sequence ?? null).toBe(sequence);
  });
});

describe('partitions given up', () => {
  const first = [init(src, 2), finish(src, 0, [src]), finish(src, 1, [src]), init(map, 2)];
  const released = async (...events: JobEvent[]) => [...(await replayed(...first, ...events)).graph.released].sort();

  it('when all consumers had finished, not before', async () => {
    expect(await released(finish(map, 0, []))).toEqual([]);
    expect(await released(finish(map, 0, []), finish(map, 1, []))).toEqual([`${data}#0`, `${data}#1`]);
  });

  it('and are there again once produced again', async () => {
    const again = [finish(map, 0, []), finish(map, 1, []), reset(src, 0), finish(src, 0, [src])];
    expect(await released(...again)).toEqual([`${data}#1`]);
  });

  it('not by a JobMaster that took over with some consumers finished', async () => {
    expect(await released(finish(map, 0, []), finish(map, 1, [], 'g2'))).toEqual([]);
  });

  it('make their producers run again when a consumer is dropped', async () => {
    const result = await replayed(...first, finish(map, 0, []), finish(map, 1, null));
    const plan = planFlinkRecovery(result, allSurvive(), { failure: null, snapshotMinPause: '3 min' });
    expect(plan.rerun.map(({ vertexId, subtask, reasons }) => [vertexId[0], subtask, reasons[0]?.code])).toEqual([
      ['a', 0, 'partition-released'],
      ['a', 1, 'partition-released'],
      ['b', 0, 'downstream-of-rerun'],
      ['b', 1, 'finish-not-durable'],
    ]);
    expect(plan.verdict).toBe('restart-from-scratch');
  });
});

describe('sources without batch snapshots', () => {
  it('are told by a snapshot that lacks them', async () => {
    const support = async (...events: JobEvent[]) =>
      (await replayed(...events)).graph.vertices.get(src)?.coordinator?.supportsBatchSnapshot;
    expect(await support(init(src, 2), finish(src, 0, [src]))).toBe(true);
    expect(await support(init(src, 2), finish(src, 0, []))).toBe(false);
    expect(await support(init(src, 2), finish(src, 0, null))).toBeNull();
  });
});
