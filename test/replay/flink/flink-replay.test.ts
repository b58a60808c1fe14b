// Flink's replay step by step: the old place of a second finish, resets, the dropped tail, what makes replay fail, and
// which partitions a JobMaster had given up.
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import type { ExecutionVertexFinished, JobEvent, JobVertexInitialized } from '../../../src/model/job-events.ts';
import type { Distribution } from '../../../src/model/job-graph.ts';
import type { LogRecord } from '../../../src/model/job-log.ts';
import type { FinishedTask } from '../../../src/replay/flink-evidence.ts';
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

async function* recordsOf(events: readonly JobEvent[]): AsyncGenerator<LogRecord> {
  for (const [sequence, event] of events.entries()) {
    yield { sequence, timeMicros: null, epoch: null, segment: 'events.0', offset: sequence, bytes: 1, event };
  }
}

async function replayed(...events: JobEvent[]): Promise<FlinkReplay> {
  return replayFlink(recordsOf(events), { job });
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

describe('what happened and was not read', () => {
  const sink = 'c'.repeat(32);
  const toSink = 'f'.repeat(32);
  const longer: FlinkJob = {
    ...job,
    vertices: [...job.vertices, { id: sink, name: 'sink', parallelism: null, coordinators: [] }],
    edges: [...job.edges, { producerVertexId: map, consumerVertexId: sink, datasetId: toSink, distribution: null }],
  };
  const initSink: JobEvent = {
    ...(init(src, 1) as JobVertexInitialized),
    vertexId: sink,
    inputs: [{ datasetId: toSink, ranges: [{ partitions: [0, 1], subpartitions: [0, 0] }] }],
  };
  const read = [init(src, 2), finish(src, 0, [src]), finish(src, 1, [src]), init(map, 2)];
  const given = [`${data}#0`, `${data}#1`];

  /** `unread` lie behind all that was read. */
  async function released(unread: readonly JobEvent[], finishedNow: readonly FinishedTask[] = [], of = longer) {
    async function* behind() {
      for (const event of unread) yield { after: read.length, event };
    }
    const result = await replayFlink(recordsOf(read), { job: of, unread: behind(), finishedNow });
    expect(result.recorded.vertices.get(map)?.tasks.map(({ state }) => state)).toEqual(['CREATED', 'CREATED']);
    return [...result.graph.released].sort();
  }

  it('had released what it read', async () => {
    expect(await released([finish(map, 0, []), finish(map, 1, [])])).toEqual(given);
    expect(await released([finish(map, 0, [])])).toEqual([]);
  });

  it('is followed from what proves it: a task that finished had its inputs', async () => {
    expect(await released([initSink, finish(sink, 0, [])])).toEqual([...given, `${toSink}#0`, `${toSink}#1`]);
  });

  it('is followed from a vertex that was initialized when its inputs were whole', async () => {
    expect(await released([initSink])).toEqual(given);
    const fixed = { ...longer, vertices: longer.vertices.map((vertex) => ({ ...vertex, parallelism: 1 })) };
    expect(await released([initSink], [], fixed)).toEqual([]);
  });

  it('is told by a running cluster', async () => {
    const tasks = [0, 1].map((subtask) => ({ vertexId: map, subtask }));
    expect(await released([], tasks)).toEqual(given);
    expect(await released([], tasks.slice(1))).toEqual([]);
  });
});

describe('snapshots of the ShuffleMaster and of coordinators', () => {
  const shuffle = (subtask: number, bytes: number, incremental: boolean): JobEvent => {
    const event = finish(src, subtask, [src]) as ExecutionVertexFinished;
    const coordinators = [{ operatorId: src, bytes }];
    return {
      ...event,
      flink: { executionGraphId: 'g1', snapshot: { coordinators, shuffleMaster: { bytes, incremental } } },
    };
  };

  it('a full one replaces, an incremental one adds', async () => {
    const master = async (...events: JobEvent[]) => (await replayed(init(src, 4), ...events)).graph.shuffleMaster;
    expect(await master(finish(src, 0, null))).toBeNull();
    expect(await master(shuffle(0, 80, false), shuffle(1, 90, false))).toMatchObject({ bytes: 90, incremental: false });
    expect(await master(shuffle(0, 80, false), shuffle(1, 5, true), shuffle(2, 6, true))).toMatchObject({
      bytes: 91,
      incremental: true,
    });
    expect(await master(shuffle(0, 5, true), shuffle(1, 80, false))).toMatchObject({ bytes: 80, incremental: false });
  });

  it('the last one in the order of the replay counts, not the last one written', async () => {
    const { graph } = await replayed(init(src, 2), shuffle(0, 1, false), shuffle(1, 2, false), shuffle(0, 3, false));
    expect(graph.vertices.get(src)?.coordinator?.operators.get(src)?.bytes).toBe(2);
    expect(graph.shuffleMaster?.bytes).toBe(2);
  });

  it('what was reset or is dropped counts no more', async () => {
    const { graph } = await replayed(init(src, 2), shuffle(0, 1, false), shuffle(1, 2, false), reset(src, 1));
    expect(graph.shuffleMaster?.bytes).toBe(1);
  });
});

describe('inputs', () => {
  it('of an all-to-all edge are whole, also where a task reads a part', async () => {
    const ranges = [0, 1].map((index) => ({ partitions: [index, index] as const, subpartitions: [0, 1] as const }));
    const partly: JobEvent = { ...(init(map, 2) as JobVertexInitialized), inputs: [{ datasetId: data, ranges }] };
    const as = (distribution: Distribution) => ({
      ...job,
      edges: job.edges.map((edge) => ({ ...edge, distribution })),
    });
    const events = [init(src, 2), finish(src, 0, [src]), finish(src, 1, [src]), partly, finish(map, 0, [])];
    const rerun = async (of: FlinkJob) => {
      const result = await replayFlink(recordsOf(events), { job: of });
      const survivors = {
        ...allSurvive(),
        has: ({ partitionIndex }: { partitionIndex: number }) => partitionIndex === 0,
      };
      const plan = planFlinkRecovery(result, survivors, { failure: null, snapshotMinPause: null });
      return plan.rerun.map(({ vertexId, subtask }) => `${vertexId[0]}${subtask}`);
    };
    // The lost partition 1 takes its reader along, which by its ranges reads partition 0 alone.
    expect(await rerun(as('ALL_TO_ALL'))).toEqual(['a1', 'b0']);
    expect(await rerun(as('POINTWISE'))).toEqual(['a1']);
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
