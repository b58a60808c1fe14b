// What a JobManager's log says about tasks: which finished, which were deployed, and how the recovery went. Attempt
// numbers are left aside on purpose: they do not tell whether a task ran again (a dropped one starts anew at the same).
import { readFile } from 'node:fs/promises';

export interface MasterLog {
  /** Tasks deployed, as `vertexId#subtask`. */
  readonly deployed: ReadonlySet<string>;
  /** Tasks that finished, in this JobManager's time or in what it replayed. */
  readonly finished: ReadonlySet<string>;
  /** Tasks that the replay of the store's events left finished: before reconciliation, without what it dropped. */
  readonly restored: ReadonlySet<string>;
  /** Partitions that no worker reported though the recovery needed them, as `datasetId#index`. */
  readonly missing: ReadonlySet<string>;
  /** Whether the job was taken up again and runs. */
  readonly recovered: boolean;
  /** FINISHED, FAILED, … once the job has ended. */
  readonly jobResult: string | null;
  /** A worker's partition report came after the reconciliation: the run says nothing. */
  readonly lateReports: number;
  /** Workers that this JobManager gave up, by resource id. */
  readonly lostWorkers: ReadonlySet<string>;
  /** Tasks that failed after the recovery, one line each. */
  readonly failures: readonly string[];
}

const deployment = / Deploying .* with attempt id \S+ and vertex id ([0-9a-f]{32})_(\d+) to /;
const transition = /_([0-9a-f]{32})_(\d+)_\d+\) switched from \w+ to (FINISHED|FAILED)/;
const restoration = /_([0-9a-f]{32})_(\d+)_\d+\) switched from CREATED to FINISHED/;
const missedPartitions = /missed partitions: \[([^\]]*)\]/;
const lostWorker = /TaskManager with id ([^\s(]+)(?:\([^)]*\))? (?:timed out|is no longer reachable)/;
const jobEnd = / - Job .* switched from state \w+ to (FINISHED|FAILED|CANCELED)\.?/;
const jobRuns = / - Job .* switched from state (?:RECONCILING|CREATED|RESTARTING) to RUNNING/;

export async function readMasterLog(file: string): Promise<MasterLog> {
  return parseMasterLog(await readFile(file, 'utf8').catch(() => ''));
}

export function parseMasterLog(text: string): MasterLog {
  const lines = text.split('\n');
  const ends = lines.flatMap((line) => jobEnd.exec(line)?.[1] ?? []);
  return {
    deployed: new Set(lines.flatMap((line) => taskIn(deployment.exec(line)))),
    finished: new Set(lines.flatMap((line) => taskIn(transition.exec(line), 'FINISHED'))),
    restored: new Set(lines.flatMap((line) => taskIn(restoration.exec(line)))),
    missing: new Set(lines.flatMap((line) => missedPartitions.exec(line)?.[1]?.match(/[0-9a-f]{32}#\d+(?=@)/g) ?? [])),
    recovered: lines.some((line) => jobRuns.test(line)),
    jobResult: ends.at(-1) ?? null,
    lateReports: lines.filter((line) => line.includes('Received late report of partition metrics')).length,
    lostWorkers: new Set(lines.flatMap((line) => lostWorker.exec(line)?.[1] ?? [])),
    failures: lines.filter((line) => transition.exec(line)?.[3] === 'FAILED').map((line) => line.slice(0, 300)),
  };
}

function taskIn(match: RegExpExecArray | null, state?: string): string[] {
  return match && match[3] === state ? [`${match[1]}#${match[2]}`] : [];
}
