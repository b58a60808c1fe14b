// The options of a job that is resumed: those of the command that resumes it, so that an operator can raise a timeout or
// change a restart strategy without starting over. What was decided under the old ones is recorded and stays.
// Doc: docs/recovery.md "Settings, and the test that shows each".
import { type Submission, writeSubmission } from '../engine/submission.ts';
import type { PlannedJob } from '../plan/plan-job.ts';
import type { JobEntry } from './job-home.ts';

/** What is recorded depends on it, so it stays what it was. */
const fixedOption = 'execution.batch.job-recovery.enabled';

/** Names of the options that the command gives otherwise than the job has them. */
export function changedOptions({ config }: Submission, planned: PlannedJob): string[] {
  const names = new Set([...Object.keys(config), ...Object.keys(planned.config)]);
  return [...names].filter((name) => name !== fixedOption && config[name] !== planned.config[name]);
}

/** The submission with the command's options, written down for the JobMaster that will lead. */
export async function withOptionsOf(
  planned: PlannedJob,
  { folder, submission }: JobEntry,
  notice: (line: string) => void,
): Promise<Submission> {
  const changed = changedOptions(submission, planned);
  if (changed.length === 0) return submission;
  notice(`with other options than before: ${changed.join(', ')}`);
  const { [fixedOption]: _, ...config } = planned.config;
  const enabled = submission.config[fixedOption];
  const current = { ...submission, config: enabled === undefined ? config : { ...config, [fixedOption]: enabled } };
  await writeSubmission(folder, current);
  return current;
}
