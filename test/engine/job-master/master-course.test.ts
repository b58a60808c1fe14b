// How a JobMaster ends, step by step in their order, for every kind of end: the record first, then processes and files;
// where another one leads, nothing of it is touched.
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/engine/job-master/cluster.ts';
import { MasterCourse } from '../../../src/engine/job-master/master-course.ts';
import type { MasterEnd } from '../../../src/engine/job-master/master-end.ts';
import type { Mastership } from '../../../src/engine/job-master/mastership.ts';
import { JobrecError } from '../../../src/model/errors.ts';
import type { JobStatusChanged } from '../../../src/model/job-events.ts';
import type { JobState } from '../../../src/model/states.ts';

/** `refuses`: what the store answers when the end is to be recorded. */
function scene({ state = 'RUNNING' as JobState, refuses = null as Error | null } = {}) {
  const steps: string[] = [];
  const step = (what: string) => void steps.push(what);
  const later = async (what: string) => step(what);
  const graph = { state, stateReason: 'as recorded' };
  let poison: (end: MasterEnd) => void = () => {};
  const mastership = {
    epoch: 2,
    recorder: {
      graph,
      record: async (event: JobStatusChanged) => {
        if (refuses) throw refuses;
        graph.state = event.state;
        step(`record ${event.state}`);
      },
    },
    onPoisoned: (handle: typeof poison) => {
      poison = handle;
    },
    onNotice: () => {},
    endOf: async (error: Error): Promise<MasterEnd> => ({ kind: 'poisoned', reason: error.message }),
    close: (sealed: boolean) => later(sealed ? 'seal the store' : 'close the store'),
  };
  const cluster = {
    clients: { notice: () => {}, status: (told: JobState) => step(`tell ${told}`) },
    stop: () => step('stop looking after processes'),
    endProcesses: () => later('end processes'),
    removeProcessList: () => later('remove the list'),
    close: () => step('close the door'),
  };
  const course = new MasterCourse(mastership as unknown as Mastership, cluster as unknown as Cluster);
  const run = (lead: () => Promise<MasterEnd> = () => course.ended) =>
    course.run({ lead, settle: () => later('settle'), deleteFiles: () => later('delete files') });
  return { course, run, steps, poison: (end: MasterEnd) => poison(end) };
}

const settled = ['stop looking after processes', 'settle'];
const left = ['end processes', 'remove the list'];

describe('the end of a JobMaster', () => {
  it.each([
    ['finished', ['record FINISHED', 'seal the store'], 'FINISHED'],
    ['failed', ['record FAILED', 'seal the store'], 'FAILED'],
    ['canceled', ['record CANCELED', 'seal the store'], 'CANCELED'],
  ] as const)('%s: recorded for good, and what nobody needs is deleted', async (kind, recorded, told) => {
    const { course, run, steps } = scene();
    course.end({ kind, reason: null });
    expect(await run()).toEqual({ kind, reason: null });
    const after = ['end processes', 'delete files', 'remove the list', `tell ${told}`, 'close the door'];
    expect(steps).toEqual([...settled, ...recorded, ...after]);
  });

  it('suspended: recorded, and everything is kept', async () => {
    const { course, run, steps } = scene();
    course.suspend('asked to');
    await run();
    const recorded = ['record SUSPENDED', 'close the store'];
    expect(steps).toEqual([...settled, ...recorded, ...left, 'tell SUSPENDED', 'close the door']);
  });

  it('poisoned: nothing more is recorded', async () => {
    const { run, steps, poison } = scene();
    poison({ kind: 'poisoned', reason: 'no space' });
    await run();
    expect(steps).toEqual([...settled, ...left, 'tell SUSPENDED', 'close the door']);
  });

  it('fenced: processes and their list belong to the successor', async () => {
    const { run, steps, poison } = scene();
    poison({ kind: 'fenced', reason: 'epoch 2 is over' });
    await run();
    expect(steps).toEqual([...settled, 'tell SUSPENDED', 'close the door']);
  });

  it('is poisoned where the store does not take it: nothing is deleted', async () => {
    const { course, run, steps } = scene({ refuses: new Error('no space') });
    course.end({ kind: 'finished', reason: null });
    expect(await run()).toEqual({ kind: 'poisoned', reason: 'no space' });
    expect(steps).toEqual([...settled, ...left, 'tell SUSPENDED', 'close the door']);
  });
});

it('the first end counts, and an error is one', async () => {
  const first = scene();
  first.course.control('cancel', 'by the user');
  first.course.hopeless(new JobrecError('JOB_SUSPENDED', 'no worker starts'));
  expect(await first.run()).toEqual({ kind: 'canceled', reason: 'by the user' });
  const thrown = scene();
  expect(await thrown.run(() => Promise.reject(new Error('broken')))).toEqual({ kind: 'poisoned', reason: 'broken' });
  expect(thrown.course.isEnding).toBe(true);
});

it.each(['FINISHED', 'FAILED', 'CANCELED'] as const)(
  'a job that the record says is %s is not led again, but what was left of it goes',
  async (state) => {
    const { run, steps } = scene({ state });
    const end = await run(() => Promise.reject(new Error('led')));
    expect(end).toEqual({ kind: state.toLowerCase(), reason: 'as recorded' });
    const after = ['end processes', 'delete files', 'remove the list', `tell ${state}`, 'close the door'];
    expect(steps).toEqual([...settled, 'seal the store', ...after]);
  },
);
