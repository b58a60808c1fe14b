// Names inside a sink's folder: the staging folder of a job's epoch, the committed parts, the success marker. The
// staging folder lies inside the sink's folder, so that a commit is a rename on one file system, and carries the
// epoch, so that a fenced JobMaster's tasks find it gone (invariant 6).
import { join } from 'node:path';
import { derivedId } from '../../model/ids.ts';
import type { SinkSpec } from '../../model/job-graph.ts';

export const successFile = '_SUCCESS';

const stagingPrefix = '.jobrec-staging-';

/** All staging folders of a job begin with this, whatever its id: what an abandoned run left is its own. */
export function stagingPrefixOf(jobName: string): string {
  return `${stagingPrefix}${derivedId('job-name', jobName).slice(0, 8)}-`;
}

export function stagingFolder(sink: SinkSpec, jobName: string, jobId: string, epoch: number): string {
  return join(sink.path, `${stagingPrefixOf(jobName)}${jobId}-e${epoch}`);
}

/** Whether `name` is a staging folder of this job id, of any epoch. */
export function isStagingOf(name: string, jobName: string, jobId: string): boolean {
  return name.startsWith(`${stagingPrefixOf(jobName)}${jobId}-e`);
}

/** Identifies a staged file with its length: one that was cut short is not the one that was recorded. */
export function stagedPartKey(part: { readonly sink: string; readonly file: string; readonly bytes: number }): string {
  return `${part.sink}/${part.file} ${part.bytes}`;
}

/** Final name of a part: `part-<subtask>.<extension>`; in append mode with the job id, so that runs do not collide. */
export function partName(sink: SinkSpec, jobId: string, subtask: number, extension: string): string {
  const run = sink.mode === 'append' ? `-${jobId.slice(0, 8)}` : '';
  return `part${run}-${subtask}.${extension}`;
}
