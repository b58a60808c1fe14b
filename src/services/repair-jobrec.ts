// validate --repair of jobrec's own stores: the log ends where recovery succeeds, by a cut in a new segment as every
// take-over makes it; where a snapshot holds more than the events can still say, it is written anew and the events go.
// What is no longer part of the store is put aside first. Crash-safe: until the new manifest the store is as damaged as it
// was, and the same command completes it. Spec: docs/commands.md "validate", docs/format.md "Repair".
import { basename, join } from 'node:path';
import { writeGraph } from '../engine/job-master/take-snapshot.ts';
import { JobrecError, messageOf } from '../model/errors.ts';
import { isGloballyTerminal } from '../model/states.ts';
import { createExecutionGraph, type ExecutionGraph } from '../replay/execution-graph.ts';
import { graphOfSnapshot } from '../replay/graph-snapshot.ts';
import { planRecovery } from '../replay/reconcile.ts';
import { jobrecRecoveryRules } from '../replay/recovery-plan.ts';
import { replay } from '../replay/replay.ts';
import { syncFolder, temporaryPath } from '../store/atomic-file.ts';
import { manifestName, segmentName, snapshotName } from '../store/format.ts';
import { readLayout, type StoreLayout } from '../store/layout.ts';
import type { ManifestSnapshot } from '../store/manifest.ts';
import { type MovedAside, planMovedAside, putAside } from '../store/put-aside.ts';
import { type RepairCandidate, type RepairCandidates, repairCandidates } from '../store/repair-candidates.ts';
import { localStorage } from '../store/storage-port.ts';
import { endLogAt } from '../store/store-start.ts';
import type { RepairOptions } from './repair.ts';
import { holdStore, refuseLive } from './store-hold.ts';
import type { OpenedStore } from './store-input.ts';
import { streamOutlook } from './stream-outlook.ts';
import { chooseSurvivors } from './survivor-choice.ts';
import { examineStore, validateStore } from './validate.ts';
import type { RepairReport, ValidateReport } from './validate-report.ts';

/** Errors: JOB_HELD, FORMAT_TOO_NEW for a store with events of a newer jobrec, STORE_UNREADABLE where the disk refuses. */
export async function repairJobrecStore(options: RepairOptions, store: OpenedStore): Promise<ValidateReport> {
  const { location } = store.log;
  await refuseLive(location);
  const { report: before, wrongSnapshots } = await examineStore(store);
  const layout = await readLayout(location);
  const target = await targetOf(layout, wrongSnapshots);
  const repair = await planRepair(store, layout, target, before);
  if (options.dryRun || !repair.needed) return { ...before, repair };
  try {
    await carryOut(layout, target, repair.movedAside, options.beforeStep ?? (() => {}));
  } catch (error) {
    throw refusal(location, error);
  }
  return { ...(await validateStore(options)), repair: { ...repair, applied: true } };
}

/** What the store is to hold. */
interface Target {
  readonly found: RepairCandidates;
  /** null: nothing can be kept, and the job starts anew. */
  readonly kept: RepairCandidate | null;
  readonly graph: ExecutionGraph;
  /** Files that stay part of the store. */
  readonly names: ReadonlySet<string>;
}

/** `wrong`: names of snapshots that are not what the events say. */
async function targetOf(layout: StoreLayout, wrong: ReadonlySet<string>): Promise<Target> {
  const found = await repairCandidates(layout);
  const newer = found.ends.flatMap(({ findings }) => findings.filter(({ code }) => code === 'UNKNOWN_TYPE'))[0];
  if (newer !== undefined) throw tooNew(layout.folder, newer.message);
  for (const candidate of found.candidates) {
    if (candidate.nextSequence === 0 || wrong.has(candidate.snapshot?.name ?? '')) continue;
    const graph = await graphOf(found, candidate);
    if (graph === null) continue;
    const names = (await namesOf(found, candidate)).filter((name) => !wrong.has(name));
    return { found, kept: candidate, graph, names: new Set(names) };
  }
  return { found, kept: null, graph: createExecutionGraph(), names: new Set() };
}

/** null where the snapshot is none, for all its checksums. */
async function graphOf(found: RepairCandidates, { snapshot, nextSequence }: RepairCandidate) {
  const start = snapshot === null ? createExecutionGraph() : await graphOfSnapshot(snapshot);
  if (typeof start === 'string') return null;
  const records = found.log.records(snapshot ?? undefined);
  const { graph } = await replay(records, { graph: start, until: { sequence: nextSequence - 1 } });
  return graph.lastSequence === nextSequence - 1 ? graph : null;
}

async function namesOf({ log }: RepairCandidates, { snapshot, links }: RepairCandidate): Promise<string[]> {
  // A snapshot that says more than the events is written anew where the log now ends.
  if (snapshot !== null) return [];
  const snapshots = await log.snapshots();
  return [...links, ...snapshots].map(({ name }) => name);
}

async function planRepair(
  { log }: OpenedStore,
  layout: StoreLayout,
  { found, kept, graph, names }: Target,
  before: ValidateReport,
): Promise<RepairReport> {
  const isDamaged = before.findings.some(({ code, severity }) => severity !== 'info' && physicalCodes.has(code));
  const gone = isDamaged ? filesOf(layout).filter((name) => !names.has(name)) : [];
  const isManifestGood = layout.manifest.kind === 'good' || layout.manifest.kind === 'absent';
  const aside = [...gone, ...(isDamaged && !isManifestGood ? [manifestName] : [])];
  const { survivors } = await chooseSurvivors({ kind: 'default' }, log, graph);
  const plan = planRecovery(graph, survivors, jobrecRecoveryRules);
  const { verdict, why } = (await streamOutlook(graph)) ?? plan;
  const sizes = new Map(before.findings.length === 0 ? [] : sizesOf(layout));
  const tail = kept?.snapshot === null && kept.previous !== null ? kept.previous : null;
  if (tail !== null) sizes.set(segmentName(tail), tail.length);
  const keptBytes = [...names].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const isWhole = !isDamaged;
  const events = isWhole ? before.checked.events : kept === null || kept.snapshot !== null ? 0 : kept.nextSequence;
  const known = Math.max(0, found.endKnown - found.log.firstSequence);
  return {
    applied: false,
    needed: isDamaged,
    format: 'jobrec',
    why: whyOf(isDamaged, kept, before),
    outlook: { verdict, why, kept: plan.summary.kept, rerun: plan.summary.rerun },
    kept: {
      segments: isWhole ? before.checked.segments : kept?.snapshot === null ? kept.links.length : 0,
      events,
      bytes: isWhole ? before.checked.bytes : keptBytes,
      finishedTasks: plan.summary.finished,
    },
    givenUp: isWhole
      ? { events: 0, bytes: 0, finishedTasks: 0 }
      : {
          events: Math.max(0, known - events),
          bytes: before.checked.bytes - keptBytes,
          finishedTasks: lostTasks(found, kept?.nextSequence ?? 0, graph),
        },
    movedAside: await planMovedAside(layout.folder, aside),
    wrote: isDamaged ? [manifestName] : [],
  };
}

/** Tasks that had finished by what is given up, and have not by what is kept. */
function lostTasks({ finishes }: RepairCandidates, from: number, graph: ExecutionGraph): number {
  const lost = finishes.filter(({ sequence, vertexId, subtask }) => {
    return sequence >= from && graph.vertices.get(vertexId)?.tasks[subtask]?.state !== 'FINISHED';
  });
  return new Set(lost.map(({ vertexId, subtask }) => `${vertexId}#${subtask}`)).size;
}

const physicalCodes: ReadonlySet<string> = new Set([
  'TORN_TAIL',
  'CHECKSUM_MISMATCH',
  'BAD_LENGTH',
  'SEQUENCE_GAP',
  'SEGMENT_GAP',
  'MANIFEST_MISMATCH',
  'SNAPSHOT_MISMATCH',
]);

function filesOf({ files, snapshots }: StoreLayout): string[] {
  return sizesOf({ files, snapshots }).map(([name]) => name);
}

function sizesOf({ files, snapshots }: Pick<StoreLayout, 'files' | 'snapshots'>): [string, number][] {
  const segments = files.map(({ key, size }): [string, number] => [segmentName(key), size]);
  return [...segments, ...snapshots.map(({ key, size }): [string, number] => [snapshotName(key), size])];
}

function whyOf(isDamaged: boolean, kept: RepairCandidate | null, { findings }: ValidateReport): string {
  if (!isDamaged) return 'recovery succeeds from the whole store: there is nothing to repair';
  const worst =
    findings.find(({ severity }) => severity === 'error') ?? findings.find(({ severity }) => severity === 'warning');
  const what = worst?.message ?? 'the store is damaged';
  if (kept === null) return `${what}; nothing of the job can be kept: it starts anew`;
  if (kept.snapshot === null) return `${what}; the log now ends with sequence ${kept.nextSequence - 1}`;
  return `${what}; a snapshot holds the state up to sequence ${kept.nextSequence - 1}, and the events before it go`;
}

async function carryOut(
  layout: StoreLayout,
  { found, kept, graph, names }: Target,
  movedAside: readonly MovedAside[],
  beforeStep: (step: string) => void,
): Promise<void> {
  const { folder } = layout;
  const epochs = [...layout.files, ...layout.snapshots].map(({ key }) => key.epoch);
  const manifest = layout.manifest.kind === 'good' ? layout.manifest.manifest : null;
  beforeStep('take an epoch');
  const { epoch, isFenced } = await holdStore(folder, 'repair', Math.max(0, manifest?.epoch ?? 0, ...epochs));
  await putAside(folder, movedAside, changedMeanwhile, beforeStep);
  const jobId = jobIdOf(layout, graph);
  const buffers = { flushIntervalMs: 0, writeBufferSizeBytes: 1 };
  beforeStep('write the snapshot');
  const snapshots = await snapshotsOf(folder, epoch, { found, kept, graph, names });
  beforeStep('end the log');
  const log = {
    links: kept?.snapshot === null ? kept.links : [],
    previous: kept?.previous ?? null,
    nextSequence: kept?.nextSequence ?? 0,
    timeMicros: kept?.timeMicros ?? 0,
    snapshots,
  };
  await endLogAt({ folder, jobId, epoch, isFenced, ...buffers }, log, isGloballyTerminal(graph.state));
  for (const { from } of movedAside) {
    if (basename(from) === manifestName) continue;
    beforeStep(`remove ${basename(from)}`);
    await localStorage.remove(from);
  }
  await syncFolder(folder);
}

/** Those that stay; where a snapshot says more than the events, a new one at the log's end. */
async function snapshotsOf(
  folder: string,
  epoch: number,
  { found, kept, graph, names }: Target,
): Promise<readonly ManifestSnapshot[]> {
  if (kept === null) return [];
  if (kept.snapshot === null) {
    const stay = (await found.log.snapshots()).filter(({ name }) => names.has(name)).toReversed();
    return stay.map(({ name, sequence, epoch, bytes }) => ({ name, baseSequence: sequence + 1, epoch, bytes }));
  }
  if (kept.previous === null) return [];
  const { previous, nextSequence, timeMicros } = kept;
  const { length: offset, ...segment } = previous;
  const position = { segment, offset, sequence: nextSequence - 1, timeMicros };
  const temporary = temporaryPath(join(folder, 'snapshot'));
  const written = await writeGraph(graph, position, { folder, epoch, temporary, storage: localStorage });
  return written === null ? [] : [written];
}

function jobIdOf({ manifest, files, snapshots }: StoreLayout, graph: ExecutionGraph): string {
  if (graph.jobId !== null) return graph.jobId;
  if (manifest.kind === 'good') return manifest.manifest.jobId;
  for (const { header } of [...files, ...snapshots]) if (header.kind === 'good') return header.header.jobId;
  return '0'.repeat(32);
}

function changedMeanwhile(file: string): JobrecError {
  return new JobrecError('JOB_HELD', `${file} changed while it was put aside: a process is writing the store`, {
    data: { path: file },
  });
}

function tooNew(folder: string, what: string): JobrecError {
  const message = `${folder} holds events of a newer jobrec, which a repair would cut off: ${what}`;
  return new JobrecError('FORMAT_TOO_NEW', message, { data: { folder }, hint: 'repair it with the newer one' });
}

function refusal(folder: string, error: unknown): unknown {
  if (error instanceof JobrecError || !(error instanceof Error && 'code' in error)) return error;
  const message = `${folder} cannot be repaired: ${messageOf(error)}`;
  const hint = 'its originals are all there; make the folder and the one above it writable, or repair a copy';
  return new JobrecError('STORE_UNREADABLE', message, { data: { location: folder }, hint, cause: error });
}
