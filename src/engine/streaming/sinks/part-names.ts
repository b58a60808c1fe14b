// Names of a file sink's parts. A visible part says which job, which checkpoint and which subtask it is of, so that a
// commit that is done twice writes the same name, and a job that falls back to an earlier checkpoint knows what to
// take back. Staged files are hidden from readers that list a folder.

/** `part-<first 8 digits of the job id>-<checkpoint>-<subtask>.json` */
export function partName(jobId: string, checkpointId: number, subtask: number): string {
  return `part-${jobId.slice(0, 8)}-${String(checkpointId).padStart(8, '0')}-${subtask}.json`;
}

/** The checkpoint of a visible part of this job (null: of any); null: not one. */
export function checkpointOfPart(name: string, jobId: string | null): number | null {
  const match = /^part-([0-9a-f]{8})-(\d{8,})-\d+\.json$/.exec(name);
  if (!match) return null;
  return jobId === null || match[1] === jobId.slice(0, 8) ? Number(match[2]) : null;
}

/** Whether a file is a part of any streaming job. */
export function isPart(name: string): boolean {
  return /^part-[0-9a-f]{8}-\d{8,}-\d+\.json$/.test(name);
}

export interface StagingTask {
  readonly jobId: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly sinkName: string;
  readonly subtask: number;
}

/** Unique in the sink's folder: epoch and attempt tell two incarnations of a task apart. */
export function stagedName({ jobId, epoch, attempt, sinkName, subtask }: StagingTask, serial: number): string {
  const sink = encodeURIComponent(sinkName).replaceAll('%', '~');
  return `${stagedPrefix(jobId)}${sink}-${epoch}-${attempt}-${subtask}-${serial}`;
}

/** Begin of the names of everything that a job (null: any) has staged. */
export function stagedPrefix(jobId: string | null): string {
  return jobId === null ? '.staged-' : `.staged-${jobId.slice(0, 8)}-`;
}

/** Says whose job a sink's folder is. */
export const ownerFileName = '.jobrec-sink.json';
