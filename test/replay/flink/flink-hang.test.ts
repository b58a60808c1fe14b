// The end that a repair gives a hanging history, against trying every shorter one: random finishes, again and again, with
// and without snapshots, and resets, of a vertex behind which another is to come.
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import type { LogRecord } from '../../../src/model/job-log.ts';
import { eventsThatGoOn } from '../../../src/replay/flink-hang.ts';
import { planFlinkRecovery } from '../../../src/replay/flink-recovery.ts';
import { replayFlink } from '../../../src/replay/flink-replay.ts';
import { allSurvive } from '../../../src/replay/survivors.ts';
import { type Random, seeded } from '../random.ts';

const [src, next, data] = ['a'.repeat(32), 'b'.repeat(32), 'd'.repeat(32)];
const tasks = 3;

const job: FlinkJob = {
  source: 'job-graph',
  jobId: null,
  name: null,
  vertices: [src, next].map((id) => ({ id, name: id, parallelism: null, coordinators: [] })),
  edges: [{ producerVertexId: src, consumerVertexId: next, datasetId: data, distribution: null }],
  config: {},
  subtasks: [],
};

const initialized: JobEvent = {
  type: 'job-vertex-initialized',
  vertexId: src,
  parallelism: tasks,
  maxParallelism: null,
  inputs: [],
};

function finish(subtask: number, hasSnapshot: boolean): JobEvent {
  const snapshot = { coordinators: [], shuffleMaster: { bytes: 1, incremental: false } };
  return {
    type: 'execution-vertex-finished',
    vertexId: src,
    subtask,
    attempt: 0,
    epoch: null,
    workerId: 'w',
    partitions: [],
    parts: [],
    metrics: { recordsIn: 1, recordsOut: 1, bytesIn: 1, bytesOut: 1, durationMs: 1 },
    flink: { executionGraphId: 'g', snapshot: hasSnapshot ? snapshot : null },
  };
}

function randomEvents(random: Random): JobEvent[] {
  const events = Array.from({ length: random.below(12) }, (): JobEvent => {
    const subtask = random.below(tasks);
    if (random.chance(0.15)) return { type: 'execution-vertex-reset', vertexId: src, subtasks: [subtask] };
    return finish(subtask, random.chance(0.6));
  });
  return [initialized, ...events];
}

async function* recordsOf(events: readonly JobEvent[]): AsyncGenerator<LogRecord> {
  for (const [sequence, event] of events.entries())
    yield { sequence, timeMicros: null, epoch: null, segment: 'events.0', offset: sequence, bytes: 1, event };
}

async function lookAt(events: readonly JobEvent[]) {
  const replayed = await replayFlink(recordsOf(events), { job });
  const { verdict } = planFlinkRecovery(replayed, allSurvive(), { failure: null, snapshotMinPause: null });
  return { hangs: verdict === 'would-hang', history: replayed.history };
}

describe('eventsThatGoOn', () => {
  it('is the longest beginning that does not hang', async () => {
    let seen = 0;
    let longer = 0;
    for (let seed = 1; seed <= 1000; seed += 1) {
      const events = randomEvents(seeded(seed));
      const { hangs, history } = await lookAt(events);
      if (!hangs) continue;
      let longest = events.length - 1;
      while (longest > 0 && (await lookAt(events.slice(0, longest))).hangs) longest -= 1;
      expect(eventsThatGoOn(history), `seed ${seed}`).toBe(longest);
      seen += 1;
      if (longest < events.length - 1) longer += 1;
    }
    expect(seen).toBeGreaterThan(100);
    expect(longer).toBeGreaterThan(15);
  });
});
