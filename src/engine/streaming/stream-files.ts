// Where a streaming job's files lie beside its store, and which of them outlive it.
import { join } from 'node:path';
import type { JobState } from '../../model/states.ts';
import type { StreamingOptions } from '../../model/streaming-options.ts';
import type { StreamingPlan } from '../../model/streaming-plan.ts';
import type { CompletedCheckpoint } from '../../replay/execution-graph.ts';
import { CheckpointStorage, readMetadata } from '../../store/checkpoint/checkpoint-storage.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import { commitParts, dropStaged } from './sinks/part-commit.ts';

/** The job's checkpoints: `<execution.checkpointing.dir>/<jobId>`, else in the job's own folder. */
export function checkpointStorage(
  folder: JobFolder,
  jobId: string,
  { checkpointFolder }: Pick<StreamingOptions, 'checkpointFolder'>,
): CheckpointStorage {
  const root = checkpointFolder === null ? join(folder.root, 'checkpoints') : join(checkpointFolder, jobId);
  return new CheckpointStorage(root);
}

export interface FileSinkFolder {
  readonly sink: string;
  readonly path: string;
}

export function fileSinksOf(plan: StreamingPlan): FileSinkFolder[] {
  return plan.vertices.flatMap(({ operators }) =>
    operators.flatMap(({ name, spec }) =>
      spec.kind === 'sink' && spec.connector.kind === 'file' ? { sink: name, path: spec.connector.path } : [],
    ),
  );
}

export interface EndedStream {
  readonly folder: JobFolder;
  readonly plan: StreamingPlan;
  readonly jobId: string;
  readonly options: StreamingOptions;
  /** FINISHED, FAILED or CANCELED. */
  readonly state: JobState;
  /** Those that are recorded, oldest first. */
  readonly checkpoints: readonly CompletedCheckpoint[];
}

/**
 * Removes what was staged, and the job's own checkpoints unless they are to be retained. Can be done twice. The parts of the
 * newest checkpoint appear first: whoever recorded it may have been killed before, and a job may begin from it.
 */
export async function deleteStreamFiles(ended: EndedStream): Promise<void> {
  const { folder, plan, jobId, options, state, checkpoints } = ended;
  const folders = fileSinksOf(plan).map(({ path }) => path);
  const newest = checkpoints.at(-1);
  const read = newest ? await readMetadata(newest.location) : null;
  if (read?.kind === 'metadata') await commitParts(read.metadata.parts);
  await dropStaged(folders, jobId);
  if (!isRetained(options.retention, state)) await checkpointStorage(folder, jobId, options).removeAll();
}

/** As in Flink: a job that finished needs no checkpoint; of one that failed they are kept unless nothing is wanted. */
export function isRetained(retention: StreamingOptions['retention'], state: JobState): boolean {
  if (state === 'CANCELED') return retention === 'RETAIN_ON_CANCELLATION';
  return state === 'FAILED' && retention !== 'NO_EXTERNALIZED_CHECKPOINTS';
}
