// The commit of the sinks (invariant 6): a durable commit-started event lists the parts; from there every step can be
// done again by a later JobMaster and only moves forward: the old success marker goes, replaced files go, staged parts
// are renamed, the new marker comes last. Reruns never duplicate or mix rows.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import type { CommitStarted } from '../../model/job-events.ts';
import type { JobGraph, SinkSpec } from '../../model/job-graph.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { replaceFile, syncFolder } from '../../store/atomic-file.ts';
import { isStagingOf, partName, stagedPartKey, stagingFolder, stagingPrefixOf, successFile } from './sink-folders.ts';
import { readSuccessMarker, type SuccessMarker } from './success-marker.ts';

type SinkCommit = CommitStarted['sinks'][number];

export interface SinkRun {
  readonly jobGraph: JobGraph;
  readonly jobId: string;
  readonly epoch: number;
}

/** Makes each sink's staging folder of this epoch: takes over what earlier epochs of this job id staged. */
export async function openStaging(run: SinkRun): Promise<void> {
  for (const sink of run.jobGraph.sinks) {
    const target = stagingFolder(sink, run.jobGraph.name, run.jobId, run.epoch);
    await mkdir(sink.path, { recursive: true });
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
        const { size } = await stat(join(sink.path, folder, file));
        found.add(stagedPartKey({ sink: sink.name, file, bytes: size }));
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
  const before = await readSuccessMarker(sink.path);
  if (before?.jobId === run.jobId) return dropStaging({ ...run.jobGraph, sinks: [sink] }, run.jobId);
  await rm(join(sink.path, successFile), { force: true });
  for (const name of entry.removes) await rm(join(sink.path, name), { force: true });
  for (const part of entry.parts) await commitPart(sink, staging, part);
  await rm(staging, { recursive: true, force: true });
  await syncFolder(sink.path);
  await replaceFile(join(sink.path, successFile), `${JSON.stringify(markerOf(sink, entry, run, before), null, 1)}\n`);
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
  const marker = await readSuccessMarker(sink.path);
  return marker?.job === jobName ? [...marker.files] : [];
}

/** What lies in a sink's folder that is not this job's own: names that make a run refuse the folder. */
export async function foreignEntries(sink: SinkSpec, jobName: string): Promise<string[]> {
  const marker = await readSuccessMarker(sink.path);
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
