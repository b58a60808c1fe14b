// Judges one failover when it is over: the prediction against the truth, and the same asked of less. One thing no
// reader of a store can know: which partitions the old JobManager had released because of finishes that never reached
// the store. Where finishes were lost, the prediction is asked again with what the workers really had; if that is
// right, the failover was not predictable; if not, it is a disagreement.
import { join } from 'node:path';
import type { DiffReport } from '../../src/services/diff-report.ts';
import { type Comparison, compare, lostFinishes, type Observation, realReport } from './comparison.ts';
import { type Captured, writeJson } from './evidence.ts';
import { predict, type Question } from './prediction.ts';

export interface JudgedFailover extends Comparison {
  readonly verdict: DiffReport['verdict'];
  /** Why nobody could have predicted this one from the store, or null. */
  readonly unpredictable: string | null;
  /** Whether a prediction from less agrees as well; null where it could not be made. */
  readonly withPlanAlone: boolean | null;
  readonly withStoreAlone: boolean | null;
}

export interface FailoverCase {
  readonly question: Question;
  readonly captured: Captured & { readonly store: string };
  readonly predicted: DiffReport;
  readonly observed: Observation;
}

export async function judge(failover: FailoverCase): Promise<JudgedFailover> {
  const { predicted, observed, captured } = failover;
  const comparison = compare(predicted, observed);
  const unpredictable = comparison.disagreements.length === 0 ? null : await whyUnpredictable(failover);
  return {
    ...comparison,
    disagreements: unpredictable === null ? comparison.disagreements : [],
    verdict: predicted.verdict,
    unpredictable,
    withPlanAlone: await agreesWith(failover, { location: captured.store, topology: captured.plan }),
    withStoreAlone: await agreesWith(failover, { location: captured.store }),
  };
}

async function whyUnpredictable(failover: FailoverCase): Promise<string | null> {
  const { question, captured, predicted, observed } = failover;
  const lost = lostFinishes(predicted, observed);
  if (lost.length === 0) return null;
  const report = join(captured.folder, 'partitions.json');
  await writeJson(report, realReport(predicted, question.living, observed.missing));
  const isRight = await agreesWith(failover, { report });
  return isRight ? `${lost.length} finishes were lost, and with them that their inputs had been released` : null;
}

async function agreesWith({ question, observed }: FailoverCase, other: Partial<Question>): Promise<boolean | null> {
  const predicted = await predict({ ...question, ...other }).catch(() => null);
  return predicted && compare(predicted, observed).disagreements.length === 0;
}
