// The proof that comes before a retirement: the snapshot, read back from its file, says field by field what the events say,
// and the recovery that it leads to is the same. Only then may the events go (design, invariant 5).
import { isDeepStrictEqual } from 'node:util';
import { InvariantViolation } from '../model/errors.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { graphDifference } from '../replay/graph-difference.ts';
import { graphOfSnapshot } from '../replay/graph-snapshot.ts';
import { planRecovery } from '../replay/reconcile.ts';
import { jobrecRecoveryRules } from '../replay/recovery-plan.ts';
import type { ManifestSnapshot } from '../store/manifest.ts';
import { chooseSurvivors } from './survivor-choice.ts';

/** `log` holds the snapshot, `recorded` is the graph of its events. Throws an InvariantViolation unless both agree. */
export async function proveSnapshot(log: JobLog, { name }: ManifestSnapshot, recorded: ExecutionGraph): Promise<void> {
  const snapshot = (await log.snapshots()).find((each) => each.name === name);
  if (snapshot === undefined) throw new InvariantViolation(`the snapshot ${name} was written and cannot be read`);
  const graph = await graphOfSnapshot(snapshot);
  if (typeof graph === 'string') throw new InvariantViolation(`the snapshot ${name} was written wrong: ${graph}`);
  const difference = graphDifference(graph, recorded);
  if (difference !== null) throw new InvariantViolation(`the snapshot ${name} is not what was replayed: ${difference}`);
  const { survivors } = await chooseSurvivors({ kind: 'default' }, log, recorded);
  const [before, after] = [recorded, graph].map((each) => planRecovery(each, survivors, jobrecRecoveryRules));
  if (!isDeepStrictEqual(before, after))
    throw new InvariantViolation(`a recovery from the snapshot ${name} would differ from one from the events`);
}
