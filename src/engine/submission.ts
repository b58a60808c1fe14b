// plan.json: the job as the client submitted it, before the store's first event can be written. The client writes it
// once, whole and synced; the first JobMaster records it in the store, which is what counts from then on.
import * as v from 'valibot';
import { JobrecError } from '../model/errors.ts';
import type { Fingerprint } from '../model/job-events.ts';
import type { JobGraph } from '../model/job-graph.ts';
import { readJsonFile, replaceFile } from '../store/atomic-file.ts';
import type { JobFolder } from '../store/job-folder.ts';

export interface Submission {
  readonly jobId: string;
  readonly name: string;
  readonly submittedAtMs: number;
  readonly graph: JobGraph;
  readonly config: Readonly<Record<string, string>>;
  readonly fingerprint: Fingerprint;
}

const submissionSchema = v.object({
  jobId: v.string(),
  name: v.string(),
  submittedAtMs: v.number(),
  // Written by this program, whole or not at all: its shape is the planner's.
  graph: v.custom<JobGraph>((value) => typeof value === 'object' && value !== null),
  config: v.record(v.string(), v.string()),
  fingerprint: v.object({ plan: v.string(), functions: v.string(), inputs: v.string() }),
});

export async function writeSubmission(folder: JobFolder, submission: Submission): Promise<void> {
  await replaceFile(folder.planFile, `${JSON.stringify(submission)}\n`);
}

/** Throws STORE_UNREADABLE where the folder holds no whole submission. */
export async function readSubmission(folder: JobFolder): Promise<Submission> {
  const submission = await findSubmission(folder);
  if (submission) return submission;
  throw new JobrecError('STORE_UNREADABLE', `${folder.planFile} is missing or not a job's plan`, {
    data: { path: folder.planFile },
    hint: 'run the job with --fresh',
  });
}

/** null where there is none: a client killed before it had written it never started the job. */
export async function findSubmission(folder: JobFolder): Promise<Submission | null> {
  const parsed = v.safeParse(submissionSchema, await readJsonFile(folder.planFile));
  return parsed.success ? parsed.output : null;
}
