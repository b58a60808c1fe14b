// Where the time of a run went, from the times in its store: each phase ends with an event that the store records.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readSubmission } from '../src/engine/submission.ts';
import type { JobEvent } from '../src/model/job-events.ts';
import { replay } from '../src/replay/replay.ts';
import { jobFolderAt, jobsFolder } from '../src/store/job-folder.ts';
import { openJobLog } from '../src/store/open-log.ts';

/** Phase → milliseconds, in order of time. */
export type Phases = Readonly<Record<string, number>>;

/** The phases of the only run in `home`, whose client was started and had ended at these wall-clock times. */
export async function phasesOf(home: string, startedAtMs: number, endedAtMs: number): Promise<Phases> {
  const [job = ''] = await readdir(jobsFolder(home));
  const folder = jobFolderAt(join(jobsFolder(home), job));
  const { submittedAtMs } = await readSubmission(folder);
  const times = await eventTimes(folder.jobEvents);
  const points: [string, number][] = [
    ['client: start and planning', submittedAtMs],
    ['JobMaster: start, until its first event', times.first],
    ['TaskManagers: start, until the first task is deployed', times.firstDeployed],
    ['tasks, from the first deployed to the last finished', times.lastFinished],
    ['sinks: commit', times.ended],
    ['end: partitions deleted, processes gone', endedAtMs],
  ];
  let from = startedAtMs;
  return Object.fromEntries(
    points.map(([phase, at]) => {
      const tookMs = at - from;
      from = at;
      return [phase, tookMs];
    }),
  );
}

interface EventTimes {
  first: number;
  firstDeployed: number;
  lastFinished: number;
  ended: number;
}

async function eventTimes(store: string): Promise<EventTimes> {
  const times: EventTimes = { first: 0, firstDeployed: 0, lastFinished: 0, ended: 0 };
  await replay((await openJobLog(store)).records(), {
    onRecord: ({ event, timeMicros }) => note(times, event, (timeMicros ?? 0) / 1000),
  });
  return times;
}

function note(times: EventTimes, event: JobEvent, atMs: number): void {
  times.first ||= atMs;
  if (event.type === 'execution-deployed') times.firstDeployed ||= atMs;
  if (event.type === 'execution-vertex-finished') times.lastFinished = atMs;
  if (event.type === 'job-status-changed') times.ended = atMs;
}
