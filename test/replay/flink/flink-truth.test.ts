// Flink's rules against what real Flink did: every captured failover, predicted with the job graph, with the plan alone,
// and with the events alone.
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import { planFlinkRecovery } from '../../../src/replay/flink-recovery.ts';
import { replayFlink } from '../../../src/replay/flink-replay.ts';
import type { RecoveryPlan } from '../../../src/replay/recovery-plan.ts';
import { survivorsOnWorkers } from '../../../src/replay/survivors.ts';
import {
  allFailovers,
  asPlan,
  type Failover,
  inStore,
  printedJob,
  printedRecords,
  truthOf,
} from '../../support/flink-capture.ts';

async function predict(failover: Failover, job: FlinkJob | null): Promise<RecoveryPlan> {
  const replayed = await replayFlink(printedRecords(failover), { job });
  const survivors = survivorsOnWorkers(truthOf(failover).survivingTaskManagers);
  return planFlinkRecovery(replayed, survivors, { failure: replayed.failure, snapshotMinPause: null });
}

const rerunOf = (plan: RecoveryPlan) => plan.rerun.map((task) => `${task.vertexId}#${task.subtask}`).sort();

/** The race of rule 12 is not predictable; nothing crashed in s00. */
const unpredictable = new Set(['2.3.0/x01-late-report-race', '1.20.3/s00-happy']);

describe.each(allFailovers().filter(({ name }) => !unpredictable.has(name)))('$name', (failover) => {
  const truth = truthOf(failover);
  const jobs = { 'job graph': printedJob(failover), plan: asPlan(printedJob(failover)), 'events alone': null };
  it.each(Object.entries(jobs))('with the %s', async (_basis, job) => {
    const plan = await predict(failover, job);
    expect(rerunOf(plan)).toEqual(inStore(truth.reruns));
    expect(plan.verdict === 'would-hang').toBe(truth.jobResult?.startsWith('HUNG') ?? false);
  });
});
