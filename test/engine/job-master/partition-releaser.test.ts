// Recorded first, deleted after: no deletion before the record is acknowledged, none when it is refused, and none of a
// partition that some finished task vouches for.
import { expect, it } from 'vitest';
import { PartitionReleaser } from '../../../src/engine/job-master/partition-releaser.ts';
import { PartitionTracker } from '../../../src/engine/job-master/partition-tracker.ts';
import type { RegisteredWorker } from '../../../src/engine/job-master/worker-pool.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import { applyEvent } from '../../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../../src/replay/execution-graph.ts';
import { jobFolderAt } from '../../../src/store/job-folder.ts';
import {
  datasetId,
  finished,
  initialized,
  jobGraphOf,
  recordsOf,
  submitted,
  vertexId,
} from '../../replay/job-builder.ts';

const data = datasetId('a', 'hash');

/** `a` (two tasks) is read whole by `b` (one task); all have finished on w1 in epoch 1. */
function releaser(sent: unknown[]) {
  const graph = createExecutionGraph();
  const events: JobEvent[] = [
    submitted(jobGraphOf([{ name: 'a' }, { name: 'b', reads: { a: 'hash' } }])),
    initialized('a', 2),
    initialized('b', 1),
    ...[0, 1].map((subtask) => finished('a', subtask, { outputs: [data], workerId: 'w1', epoch: 1 })),
    finished('b', 0, { workerId: 'w1', epoch: 1 }),
  ];
  for (const record of recordsOf(events)) applyEvent(graph, record, record.event);
  const tracker = new PartitionTracker();
  const whole = [0, 1].map((partitionIndex) => ({ datasetId: data, partitionIndex, attempt: 0, epoch: 1, bytes: 1 }));
  tracker.report('w1', whole);
  const recorded: JobEvent[] = [];
  let resolve = () => {};
  let reject = (_: Error) => {};
  const acknowledged = new Promise<void>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  const record = (event: JobEvent) => {
    recorded.push(event);
    return acknowledged;
  };
  const connection = { send: (message: unknown) => void sent.push(message) };
  const subject = new PartitionReleaser({
    folder: jobFolderAt('/nowhere'),
    epoch: 7,
    recorder: { graph, record },
    pool: { workers: new Map([['w1', { connection } as unknown as RegisteredWorker]]) },
    tracker,
    shuffle: null,
    isConfigured: () => true,
    beforeRelease: () => recorded.push({ type: 'job-status-changed', state: 'RUNNING', reason: 'before' }),
    onNotice: () => {},
  });
  return { subject, tracker, recorded, acknowledgement: { resolve, reject } };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('deletes only what is recorded and acknowledged', async () => {
  const sent: unknown[] = [];
  const { subject, recorded, acknowledgement } = releaser(sent);
  subject.taskFinished(vertexId('b'), 0);
  await turn();
  const partitions = [0, 1].map((partitionIndex) => ({ datasetId: data, partitionIndex }));
  expect(recorded).toEqual([
    expect.objectContaining({ reason: 'before' }),
    { type: 'partitions-released', partitions },
  ]);
  expect(sent).toEqual([]);
  acknowledgement.resolve();
  await turn();
  const named = partitions.map((partition) => ({ ...partition, attempt: 0, epoch: 1 }));
  expect(sent).toEqual([{ type: 'release-partitions', epoch: 7, partitions: named }]);
});

it('deletes nothing when the record is refused', async () => {
  const sent: unknown[] = [];
  const { subject, tracker, acknowledgement } = releaser(sent);
  subject.taskFinished(vertexId('b'), 0);
  acknowledgement.reject(new Error('fenced'));
  await turn();
  expect(sent).toEqual([]);
  expect(tracker.allCopies()).toHaveLength(2);
});

it('deletes what a worker holds of attempts that never counted, and nothing that is recorded', () => {
  const sent: unknown[] = [];
  const { subject, tracker } = releaser(sent);
  const stale = [
    { datasetId: data, partitionIndex: 0, attempt: 1, epoch: 1 },
    { datasetId: data, partitionIndex: 0, attempt: 0, epoch: 2 },
    { datasetId: data, partitionIndex: 5, attempt: 0, epoch: 1 },
    { datasetId: 'unknown', partitionIndex: 0, attempt: 0, epoch: 1 },
  ];
  const good = [0, 1].map((partitionIndex) => ({ datasetId: data, partitionIndex, attempt: 0, epoch: 1 }));
  tracker.report(
    'w1',
    [...good, ...stale].map((each) => ({ ...each, bytes: 1 })),
  );
  subject.deleteUnwanted('w1');
  expect(sent).toEqual([{ type: 'release-partitions', epoch: 7, partitions: expect.arrayContaining(stale) }]);
  expect(tracker.allCopies().map(({ attempt, epoch }) => [attempt, epoch])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});
