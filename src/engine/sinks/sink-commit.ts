// The commit of the sinks (invariant 6): a durable commit-started event lists the parts; from there every step can be
// done again by a later JobMaster and only moves forward: the old success marker goes, replaced files go, staged parts
// are renamed, the new marker comes last. Reruns never duplicate or mix rows. Every step is a rename into or out of the
// staging folder, which a successor has renamed: so a JobMaster that was replaced fails at its next step, whatever it
// believes, and half-written files never stand among the parts.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import type { CommitStarted } from '../../model/job-events.ts';
import type { JobGraph, SinkSpec } from '../../model/job-graph.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { makeFolder, syncFolder, writeSynced } from '../../store/atomic-file.ts';
import { isStagingOf, partName, stagedPartKey, stagingFolder, stagingPrefixOf, successFile } from './sink-folders.ts';
import { readSuccessMarker, type SuccessMarker } from './success-marker.ts';

type SinkCommit = CommitStarted['sinks'][number];

/** Names inside the staging folder of what is no part. */
const replacedPrefix = 'replaced-';
const newMarkerPrefix = 'new-';

export interface SinkRun {
  readonly jobGraph: JobGraph;
  readonly jobId: string;
  readonly epoch: number;
}

/** Makes each sink's staging folder of this epoch: takes over what earlier epochs of this job id staged. */
export async function openStaging(run: SinkRun): Promise<void> {
  for (const sink of run.jobGraph.sinks) {
    const target = stagingFolder(sink, run.jobGraph.name, run.jobId, run.epoch);
    await makeFolder(sink.path);
    for (const name of await stagingNames(sink, run.jobGraph.name)) {
      const path = join(sink.path, name);
      if (!isStagingOf(name, run.jobGraph.name, run.jobId)) await rm(path, { recursive: true, force: true });
      else if (path !== target) await rename(path, target);
    }
    await mkdir(target, { recursive: true });
    await syncFolder(sink.path);
  }
}

/** Removes what this job id staged; for a job that was canceled or failed. */
export async function dropStaging(jobGraph: JobGraph, jobId: string): Promise<void> {
  for (const sink of jobGraph.sinks) {
    for (const name of await stagingNames(sink, jobGraph.name)) {
      if (isStagingOf(name, jobGraph.name, jobId)) await rm(join(sink.path, name), { recursive: true, force: true });
    }
  }
}

/** The staged files of each sink that are there now, whatever epoch staged them, as their `stagedPartKey`s. */
export async function stagedFiles(jobGraph: JobGraph, jobId: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const sink of jobGraph.sinks) {
    for (const folder of await stagingNames(sink, jobGraph.name)) {
      if (!isStagingOf(folder, jobGraph.name, jobId)) continue;
      for (const file of await namesIn(join(sink.path, folder))) {
        // A live job may have renamed it meanwhile.
        const at = await stat(join(sink.path, folder, file)).catch(() => null);
        if (at) found.add(stagedPartKey({ sink: sink.name, file, bytes: at.size }));
      }
    }
  }
  return found;
}

/** What the commit will do, from the parts that the finished tasks staged. */
export async function planCommit(graph: ExecutionGraph, run: SinkRun): Promise<CommitStarted> {
  const sinks: SinkCommit[] = [];
  for (const sink of run.jobGraph.sinks) {
    const parts = stagedParts(graph, run, sink);
    const kept = new Set(parts.map((part) => part.final));
    const removes = (await replacedFiles(sink, run.jobGraph.name)).filter((name) => !kept.has(name));
    sinks.push({ sink: sink.name, parts, removes });
  }
  return { type: 'commit-started', sinks };
}

/** Does what `commit` says, or what is left of it. */
export async function rollForward(commit: CommitStarted, run: SinkRun): Promise<void> {
  for (const entry of commit.sinks) {
    const sink = run.jobGraph.sinks.find((candidate) => candidate.name === entry.sink);
    if (sink) await commitSink(sink, entry, run);
  }
}

async function commitSink(sink: SinkSpec, entry: SinkCommit, run: SinkRun): Promise<void> {
  const staging = stagingFolder(sink, run.jobGraph.name, run.jobId, run.epoch);
  const committed = await readSuccessMarker(join(sink.path, successFile));
  if (committed?.jobId === run.jobId) return dropStaging({ ...run.jobGraph, sinks: [sink] }, run.jobId);
  for (const name of [successFile, ...entry.removes]) await moveAside(join(sink.path, name), staging);
  const before = await readSuccessMarker(join(staging, `${replacedPrefix}${successFile}`));
  for (const part of entry.parts) await commitPart(sink, staging, part);
  await syncFolder(sink.path);
  const marker = `${JSON.stringify(markerOf(sink, entry, run, before), null, 1)}\n`;
  await publishMarker(sink, staging, marker);
  await rm(staging, { recursive: true, force: true });
}

/** Out of the sink's folder: it goes with the staging folder. */
async function moveAside(path: string, staging: string): Promise<void> {
  await rename(path, join(staging, `${replacedPrefix}${basename(path)}`)).catch(
    async (error: NodeJS.ErrnoException) => {
      // Gone already, by an earlier try; unless it is the staging folder that is gone.
      if (error.code !== 'ENOENT') throw error;
      await stat(staging);
    },
  );
}

async function publishMarker(sink: SinkSpec, staging: string, content: string): Promise<void> {
  const staged = join(staging, `${newMarkerPrefix}${successFile}`);
  // What an earlier try wrote.
  await rm(staged, { force: true });
  await writeSynced(staged, content);
  await rename(staged, join(sink.path, successFile));
  await syncFolder(sink.path);
}

async function commitPart(sink: SinkSpec, staging: string, part: SinkCommit['parts'][number]): Promise<void> {
  const staged = join(staging, part.staged);
  const final = join(sink.path, part.final);
  if (await hasLength(staged, part.bytes)) return rename(staged, final);
  // Renamed before a crash: then the final file is this part. Anything else has been lost behind our back.
  if (await hasLength(final, part.bytes)) return;
  const message = `sink ${sink.name}: the staged part ${part.staged} was lost or damaged during the commit`;
  throw new JobrecError('JOB_FAILED', message, {
    data: { sink: sink.name, part: part.staged, path: sink.path },
    hint: 'run the job again',
  });
}

async function hasLength(path: string, bytes: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.size === bytes;
}

function markerOf(sink: SinkSpec, entry: SinkCommit, run: SinkRun, before: SuccessMarker | null): SuccessMarker {
  const files = entry.parts.map((part) => part.final);
  const appendedTo = sink.mode === 'append' && before?.job === run.jobGraph.name ? before.files : [];
  const rows = entry.parts.reduce((sum, part) => sum + part.rows, 0);
  return { job: run.jobGraph.name, jobId: run.jobId, rows, files: [...appendedTo, ...files] };
}

function stagedParts(graph: ExecutionGraph, run: SinkRun, sink: SinkSpec): SinkCommit['parts'] {
  return [...graph.vertices.values()].flatMap((vertex) =>
    vertex.tasks.flatMap((task) =>
      task.parts
        .filter((part) => part.sink === sink.name)
        .map((part) => ({
          staged: part.file,
          final: part.file.startsWith('part-')
            ? partName(sink, run.jobId, task.subtask, extname(part.file).slice(1))
            : part.file,
          rows: part.rows,
          bytes: part.bytes,
        })),
    ),
  );
}

/** Files that the new parts replace: this job's last committed run; in overwrite mode all files of the folder. */
async function replacedFiles(sink: SinkSpec, jobName: string): Promise<string[]> {
  if (sink.mode === 'append') return [];
  if (sink.mode === 'overwrite') return (await namesIn(sink.path)).filter((name) => name !== successFile);
  const marker = await readSuccessMarker(join(sink.path, successFile));
  return marker?.job === jobName ? [...marker.files] : [];
}

/** What lies in a sink's folder that is not this job's own: names that make a run refuse the folder. */
export async function foreignEntries(sink: SinkSpec, jobName: string): Promise<string[]> {
  const marker = await readSuccessMarker(join(sink.path, successFile));
  const own = new Set(marker?.job === jobName ? [successFile, ...marker.files] : []);
  const prefix = stagingPrefixOf(jobName);
  const entries = await readdir(sink.path).catch(() => []);
  return entries.filter((name) => !own.has(name) && !name.startsWith(prefix));
}

async function stagingNames(sink: SinkSpec, jobName: string): Promise<string[]> {
  const entries = await readdir(sink.path).catch(() => []);
  return entries.filter((name) => name.startsWith(stagingPrefixOf(jobName)));
}

/** Names of the regular files directly in a folder; none where it does not exist. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}
