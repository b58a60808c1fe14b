// validate: every frame, header and checksum of a store, then whether the events make sense together, and what a
// recovery from exactly these bytes would do. Reads only. Spec: docs/commands.md "validate".
import type { Finding, StoreSummary } from '../model/job-log.ts';
import type { Verdict } from '../replay/recovery-plan.ts';
import { SnapshotCheck } from '../replay/snapshot-check.ts';
import { type ReplayedStore, replayOpened } from './replayed-store.ts';
import { type OpenedStore, openStore, type StoreInputOptions } from './store-input.ts';
import { streamOutlook } from './stream-outlook.ts';
import { chooseSurvivors } from './survivor-choice.ts';
import type { ValidateReport } from './validate-report.ts';

export async function validateStore(options: StoreInputOptions): Promise<ValidateReport> {
  return (await examineStore(await openStore(options))).report;
}

export interface ExaminedStore {
  readonly report: ValidateReport;
  /** Names of whole snapshots that are not what the events say. */
  readonly wrongSnapshots: ReadonlySet<string>;
}

/** The report of a store, all of it: the snapshots are looked at while its events are replayed. */
export async function examineStore(store: OpenedStore): Promise<ExaminedStore> {
  const check = await SnapshotCheck.of(store.log);
  const replayed = await replayOpened(store, { evenIfLost: true, onRecord: check.onRecord });
  const wrong = await check.findings();
  const wrongSnapshots = new Set(wrong.map(({ segment }) => segment ?? ''));
  return { report: await reportOf(store, replayed, wrong), wrongSnapshots };
}

/** The report of a store that was replayed whole. */
export async function reportOf(
  store: OpenedStore,
  replayed: ReplayedStore,
  ofSnapshots: readonly Finding[] = [],
): Promise<ValidateReport> {
  const { summary } = replayed;
  const known = [...summary.findings, ...replayed.findings];
  // A snapshot that the replay itself met is not named twice.
  const messages = new Set(known.map(({ message }) => message));
  const more = ofSnapshots.filter(({ message }) => !messages.has(message));
  const findings = inLogOrder([...known, ...more], summary);
  const outlook = await recoveryOutlook(store, replayed);
  return {
    ok: findings.every((finding) => finding.severity === 'info'),
    location: summary.location,
    findings,
    checked: { segments: summary.segments.length, events: summary.events, bytes: summary.bytes },
    ...outlook,
    damage: summary.damage,
  };
}

/** By segment and offset; findings about the store as a whole come first. */
function inLogOrder(findings: readonly Finding[], summary: StoreSummary): Finding[] {
  const places = new Map(summary.segments.map((segment, index) => [segment.name, index]));
  const placeOf = (finding: Finding) => (finding.segment === null ? -1 : (places.get(finding.segment) ?? -1));
  return findings.toSorted(
    (left, right) => placeOf(left) - placeOf(right) || (left.offset ?? -1) - (right.offset ?? -1),
  );
}

interface Outlook {
  readonly verdict: Verdict;
  readonly why: string;
}

async function recoveryOutlook(
  { log }: OpenedStore,
  { graph, damage, refused, snapshot, plan }: ReplayedStore,
): Promise<Outlook> {
  const { survivors } = await chooseSurvivors({ kind: 'default' }, log, graph);
  const { summary, ...planned } = plan(survivors);
  const streamed = await streamOutlook(graph);
  const { verdict, why } = streamed ?? planned;
  // Flink's plan already is what Flink makes of the damaged bytes.
  if (damage === null || log.format === 'flink') return { verdict, why };
  if (refused === null)
    return { verdict, why: `${why}; it starts from ${snapshot?.name ?? 'a snapshot'}, behind the damage` };
  const where = damage.segment === '' ? '' : ` in ${damage.segment} at byte ${damage.offset}`;
  const place = `${damage.code}${where}`;
  const prefix = streamed
    ? `of its good prefix alone: ${why}`
    : `its good prefix alone would keep ${summary.kept} of ${summary.finished} finished tasks`;
  return { verdict: 'restart-from-scratch', why: `the store is damaged (${place}) and recovery refuses it; ${prefix}` };
}
