// Random lives of one small job: events of every kind in any order, sense or not, as the laws of replay must hold for all.
import { type JobEvent, recoveryCauses } from '../../src/model/job-events.ts';
import type { LogRecord } from '../../src/model/job-log.ts';
import { encodePlacements } from '../../src/model/shuffle-placements.ts';
import { jobStates } from '../../src/model/states.ts';
import { finished, initialized, jobGraphOf, recordsOf, reset, submitted, vertexId } from './job-builder.ts';
import type { Random } from './random.ts';
import { seeded } from './random.ts';

const names = ['a', 'b', 'c'];
export const job = submitted(
  jobGraphOf([{ name: 'a' }, { name: 'b', reads: { a: 'hash' } }, { name: 'c', reads: { b: 'forward' } }]),
);

function randomEvent(random: Random): JobEvent {
  const name = random.pick(names);
  const id = vertexId(name);
  const subtask = random.below(4);
  const attempt = random.below(3);
  const workerId = `w${random.below(3)}`;
  switch (random.below(15)) {
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
    case 8:
      return randomEnumeration(random, id);
    case 9:
      return randomLifeEvent(random);
    case 10:
      return { type: 'shuffle-master-snapshot', incremental: random.chance(0.7), state: randomPlacements(random) };
    default:
      return finished(name, subtask, { attempt, workerId, outputs: random.chance(0.5) ? [id] : [] });
  }
}

function randomEnumeration(random: Random, vertexId: string): JobEvent {
  const index = random.below(9);
  const file = random.chance(0.5) ? { path: `/in/${index}`, bytes: 10, modifiedMs: 1.5 } : null;
  const rows = random.chance(0.3) ? ([0, 7] as const) : null;
  const split = { id: `split-${index}`, file, rows, data: random.chance(0.5) ? '{"n":1}' : null };
  return {
    type: 'coordinator-snapshot',
    vertexId,
    operatorId: 'user',
    incremental: random.chance(0.8),
    assigned: [index, random.below(4)],
    finished: [],
    supportsBatchSnapshot: true,
    enumerator: { splits: [{ index, split }], state: random.chance(0.5) ? `"${index}"` : null },
  };
}

function randomPlacements(random: Random): Uint8Array {
  const placement = { holderId: 'shuffle-service', partitionIndex: random.below(4), attempt: 0, epoch: 1 };
  return encodePlacements([{ ...placement, datasetId: vertexId(random.pick(names)) }]);
}

function randomLifeEvent(random: Random): JobEvent {
  const number = random.below(9);
  const checkpoint = { checkpointId: number, location: `/c/${number}`, stateBytes: 5, durationMs: 1.5, sinks: [] };
  switch (random.below(5)) {
    case 0:
      return { type: 'job-status-changed', state: random.pick(jobStates), reason: random.chance(0.5) ? 'x' : null };
    case 1: {
      const parts = [{ staged: `s/${number}`, final: 'part-0', rows: 3, bytes: 44 }];
      return { type: 'commit-started', sinks: [{ sink: 'out', parts, removes: ['old'] }] };
    }
    case 2: {
      const cause = random.pick(recoveryCauses);
      return { type: 'recovery-completed', epoch: 2, cause, kept: number, rerun: 1, durationMs: 12.5 };
    }
    case 3:
      return { type: 'checkpoint-completed', ...checkpoint };
    default:
      return { type: 'savepoint-completed', ...checkpoint, sinks: [{ sink: 'out', rows: number }] };
  }
}

export function randomLog(seed: number): LogRecord[] {
  const random = seeded(seed);
  const events = [job, ...Array.from({ length: 5 + random.below(60) }, () => randomEvent(random))];
  const newMasterEvery = 5 + random.below(40);
  return recordsOf(events).map((record, at) => ({ ...record, epoch: 1 + Math.floor(at / newMasterEvery) }));
}
