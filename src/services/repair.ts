// validate --repair: a Flink store cut to the longest beginning from which Flink recovers, the originals put aside, and
// what was given up (jobrec's own: repair-jobrec.ts). A dry run reads only. Spec: docs/commands.md "validate", docs/flink.md "Repair".
import { eventsUpTo, type LostBytes, type LostEvent, lostEvents } from '../store/flink/lost-events.ts';
import { changedMeanwhile, repairOnDisk, storeFingerprint } from '../store/flink/repair-files.ts';
import { type FileRepair, isChanged, type KeptEnd, planFileRepairs } from '../store/flink/repair-plan.ts';
import { planMovedAside } from '../store/put-aside.ts';
import { outlookOf } from './repair-outlook.ts';
import { longestRecoverablePrefix, type RecoverablePrefix } from './repair-prefix.ts';
import { type ReplayedStore, replayOpened } from './replayed-store.ts';
import { type OpenedStore, openStore, type StoreInputOptions } from './store-input.ts';
import { chooseSurvivors } from './survivor-choice.ts';
import { reportOf, validateStore } from './validate.ts';
import type { RepairReport, ValidateReport } from './validate-report.ts';

export interface RepairOptions extends StoreInputOptions {
  readonly dryRun: boolean;
  /** Called before each change of the disk. */
  readonly beforeStep?: (step: string) => void;
}

/**
 * Repairs the store, or says what a repair would do. The report's other fields are of the store afterwards. Errors:
 * JOB_HELD where it changes meanwhile or a process holds it, STORE_UNREADABLE where the disk refuses.
 */
export async function repairStore(options: RepairOptions): Promise<ValidateReport> {
  const store = await openStore(options);
  const { log } = store;
  if (log.format !== 'flink') return (await import('./repair-jobrec.ts')).repairJobrecStore(options, store);
  const before = await storeFingerprint(log.location);
  const whole = await replayOpened(store);
  const { files, repair } = await planRepair(store, whole);
  if (options.dryRun || !repair.needed) return { ...(await reportOf(store, whole)), repair };
  if ((await storeFingerprint(log.location)) !== before) throw changedMeanwhile(log.location);
  const { movedAside } = repair;
  const { beforeStep } = options;
  await repairOnDisk({ folder: log.location, files, movedAside, ...(beforeStep === undefined ? {} : { beforeStep }) });
  return { ...(await validateStore(options)), repair: { ...repair, applied: true } };
}

interface PlannedRepair {
  readonly files: readonly FileRepair[];
  /** As long as nothing was applied. */
  readonly repair: RepairReport;
}

async function planRepair(store: OpenedStore, whole: ReplayedStore): Promise<PlannedRepair> {
  const { location } = store.log;
  const prefix = await longestRecoverablePrefix(store, whole);
  const files = planFileRepairs(whole.summary.segments, endOf(prefix));
  const lost: LostEvent[] = [];
  for await (const event of lostEvents(location, bytesGivenUp(files, whole, prefix))) lost.push(event);
  const needed = files.some(isChanged);
  const repair = {
    applied: false,
    needed,
    format: 'flink' as const,
    why: needed ? neededWhy(prefix) + (await unrepairedNote(store, whole, prefix)) : soundWhy(whole),
    outlook: await outlookOf(store, prefix, lost),
    ...balanceOf(files, prefix, lost),
    movedAside: await planMovedAside(
      location,
      files.filter(isChanged).map(({ name }) => name),
    ),
    wrote: files.filter((file) => file.keptBytes !== null && isChanged(file)).map(({ name }) => name),
  };
  return { files, repair };
}

function bytesGivenUp(
  files: readonly FileRepair[],
  { summary }: ReplayedStore,
  { events }: RecoverablePrefix,
): LostBytes[] {
  return files.flatMap(({ name, size, keptBytes }, index) => {
    const after = Math.min(events, eventsUpTo(summary.segments, index));
    return isChanged({ name, size, keptBytes }) ? [{ name, size, from: keptBytes ?? 0, after }] : [];
  });
}

function endOf({ replayed, isWhole }: RecoverablePrefix): KeptEnd | null {
  const last = replayed?.last ?? null;
  return last && { segment: last.segment, bytes: last.offset + last.bytes, isWhole };
}

function neededWhy({ why }: RecoverablePrefix): string {
  return why ?? 'an older file ends in a write that never ended; without it the same events are left';
}

/** Where Flink silently reads on behind missing events it may keep more, but of no state that the job was ever in. */
async function unrepairedNote(
  { log }: OpenedStore,
  whole: ReplayedStore,
  { plan }: RecoverablePrefix,
): Promise<string> {
  const { survivors } = await chooseSurvivors({ kind: 'default' }, log, whole.graph);
  const unrepaired = whole.plan(survivors);
  const { kept } = unrepaired.summary;
  if (unrepaired.verdict === 'would-hang' || kept <= (plan?.summary.kept ?? 0)) return '';
  return `; as it is, Flink would keep ${kept} finished tasks, of a state that the job was never in`;
}

function soundWhy({ summary }: ReplayedStore): string {
  const isTorn = summary.findings.some(({ code }) => code === 'TORN_TAIL');
  if (isTorn) return 'a torn tail needs no repair: Flink takes it for the end of the file and goes on from there';
  return 'Flink recovers from the whole store: there is nothing to repair';
}

type Balance = Pick<RepairReport, 'kept' | 'givenUp'>;

function balanceOf(
  files: readonly FileRepair[],
  { events, replayed, plan }: RecoverablePrefix,
  lost: readonly LostEvent[],
): Balance {
  const kept = files.filter(({ keptBytes }) => keptBytes !== null);
  const bytes = sum(kept.map((file) => file.keptBytes ?? 0));
  const bytesBefore = sum(files.map(({ size }) => size));
  return {
    kept: { segments: kept.length, events, bytes, finishedTasks: plan?.summary.finished ?? 0 },
    givenUp: { events: lost.length, bytes: bytesBefore - bytes, finishedTasks: lostTasks(lost, replayed) },
  };
}

/** Tasks that had finished by what is given up, and have not by what is kept. */
function lostTasks(lost: readonly LostEvent[], replayed: ReplayedStore | null): number {
  const tasks = new Set<string>();
  for (const { event } of lost) {
    if (event.type !== 'execution-vertex-finished') continue;
    const { vertexId, subtask } = event;
    const isKept = replayed?.recorded.vertices.get(vertexId)?.tasks[subtask]?.state === 'FINISHED';
    if (!isKept) tasks.add(`${vertexId}#${subtask}`);
  }
  return tasks.size;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
