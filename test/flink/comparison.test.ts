// A judge that cannot say no is none: every way in which prediction and truth can differ is told.
import { describe, expect, it } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import { compare, type Observation } from './comparison.ts';

const vertexId = 'a'.repeat(32);
const task = (subtask: number) => ({ vertexId, vertexName: null, subtask });
const key = (subtask: number) => `${vertexId}#${subtask}`;
const keys = (...subtasks: number[]) => new Set(subtasks.map(key));

interface Parts {
  readonly rerun?: readonly number[];
  readonly kept?: readonly number[];
  readonly verdict?: DiffReport['verdict'];
}

function predicted(parts: Parts): DiffReport {
  const rerun = (parts.rerun ?? []).map((subtask) => ({ ...task(subtask), attempt: 0, reasons: [], cost: null }));
  const kept = (parts.kept ?? []).map(task);
  return { rerun, kept, verdict: parts.verdict ?? 'recoverable-with-loss', why: 'because' } as unknown as DiffReport;
}

/** Tasks 0 and 1 had finished, 0 ran again, 2 ran for the first time. */
const truth: Observation = {
  finished: keys(0, 1),
  finishedIsExact: true,
  restored: keys(0, 1),
  missing: new Set(),
  ranAgain: keys(0, 2),
  hangs: false,
};

describe('comparison of a prediction with the truth', () => {
  it('agrees where the same finished tasks ran again', () => {
    expect(compare(predicted({ rerun: [0], kept: [1] }), truth)).toEqual({ rerun: 1, kept: 1, disagreements: [] });
  });

  const ways: readonly (readonly [string, Parts, Observation, readonly number[]])[] = [
    ['ran again, predicted as kept', { kept: [0, 1] }, truth, [0]],
    ['predicted to run again, was kept', { rerun: [0, 1] }, truth, [1]],
    ['both kept and to run again', { rerun: [0], kept: [0, 1] }, truth, [0]],
    ['finished by the store, not by Flink', { rerun: [0, 3], kept: [1] }, { ...truth, ranAgain: keys(0, 3) }, [3]],
    ['finished, unknown to the prediction', { rerun: [0] }, { ...truth, restored: keys() }, [1]],
    ['restored by Flink, unknown to the prediction', { rerun: [0] }, { ...truth, finishedIsExact: false }, [1]],
  ];
  it.each(ways)('tells: %s', (what, parts, observed, tasks) => {
    const { disagreements } = compare(predicted(parts), observed);
    expect(disagreements).toEqual([`${what}: ${tasks.map(key).join(' ')}`]);
  });

  it('tells a hang that was not predicted, and one that was and did not come', () => {
    const kept = { kept: [0, 1] };
    const still = { ...truth, ranAgain: keys(2) };
    expect(compare(predicted(kept), { ...still, hangs: true }).disagreements).toHaveLength(1);
    expect(compare(predicted({ ...kept, verdict: 'would-hang' }), still).disagreements).toHaveLength(1);
    expect(compare(predicted({ ...kept, verdict: 'would-hang' }), { ...still, hangs: true }).disagreements).toEqual([]);
  });
});
