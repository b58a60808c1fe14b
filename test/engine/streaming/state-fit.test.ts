// Every way in which the state of a savepoint can miss the operators of a job is named; what merely moved fits.
import { describe, expect, it } from 'vitest';
import { stateMisfits } from '../../../src/engine/streaming/coordinator/state-fit.ts';
import type { OperatorSpec, StreamingPlan } from '../../../src/model/streaming-plan.ts';
import { stateShapeOf } from '../../../src/model/streaming-plan.ts';
import type { CheckpointMetadata, OperatorState } from '../../../src/store/checkpoint/own-metadata.ts';

const sum: OperatorSpec = { kind: 'sum', field: 'count', keyBy: ['word'], window: null };
const window = { sizeMs: 60_000, time: 'at', latenessMs: 0 };
const inline = { kind: 'inline', bytes: new Uint8Array([1]) } as const;
const keyed = { subtask: 0, keyed: { state: inline, blocks: [{ keyGroup: 3, length: 1 }] }, operator: null };
const empty = { subtask: 0, keyed: null, operator: null };

function saved(spec: OperatorSpec, over: Partial<OperatorState> = {}): CheckpointMetadata {
  const shape = stateShapeOf(spec);
  const head = { operatorId: 'a', uid: 'Sum', name: 'counts', parallelism: 1, maxParallelism: 128, subtasks: [keyed] };
  const operators = [{ ...head, ...(shape === null ? {} : { shape }), ...over }];
  const job = { jobId: 'j', jobName: 'words', epoch: 1, timestampMs: 0 };
  return { kind: 'savepoint', checkpointId: 1, ...job, operators, parts: [], sinkRows: [] };
}

function plan(spec: OperatorSpec, operatorId = 'a', maxParallelism = 128): StreamingPlan {
  const operators = [{ name: 'renamed', uid: 'Sum', operatorId, input: null, spec }];
  return {
    maxParallelism,
    vertices: [{ vertexId: 'v', name: 'v', parallelism: 4, operators, inputs: [], outputs: [] }],
  };
}

const reduce: OperatorSpec = {
  kind: 'reduce',
  function: { module: 'm', exportName: 'f' },
  keyBy: ['word'],
  window: null,
};

describe('state of a savepoint', () => {
  it.each<[string, CheckpointMetadata, StreamingPlan, string[]]>([
    ['the same operator under another name and parallelism', saved(sum), plan(sum), []],
    ['reduce for sum', saved(sum), plan(reduce), []],
    ['no operator of that id', saved(sum), plan(sum, 'b'), ['unclaimed']],
    ['no operator of that id, and no state either', saved(sum, { subtasks: [empty] }), plan(sum, 'b'), []],
    ['other keys', saved(sum), plan({ ...sum, keyBy: ['letter'] }), ['other-shape']],
    ['more keys', saved(sum), plan({ ...sum, keyBy: ['word', 'letter'] }), ['other-shape']],
    ['a window', saved(sum), plan({ ...sum, window }), ['other-shape']],
    ['a longer window', saved({ ...sum, window }), plan({ ...sum, window: { ...window, sizeMs: 1 } }), ['other-shape']],
    ['more lateness', saved({ ...sum, window }), plan({ ...sum, window: { ...window, latenessMs: 9 } }), []],
    ['a stage without state', saved(sum), plan({ ...reduce, kind: 'map' }), ['other-shape']],
    ['fewer key groups', saved(sum), plan(sum, 'a', 64), ['other-key-groups']],
    [
      'other key groups, but no keys',
      saved(sum, { subtasks: [{ ...empty, operator: inline }] }),
      plan(sum, 'a', 64),
      [],
    ],
  ])('%s', (_, metadata, job, expected) => {
    expect(stateMisfits(metadata, job).map(({ kind }) => kind)).toEqual(expected);
  });
});
