// Carries one strike out: kills with SIGKILL, stops with SIGSTOP and lets go on with SIGCONT, damages files. Where a
// JobMaster was among the killed, everything can be held back until `diff` has been asked what the next one will do.

import { join } from 'node:path';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { ValidateReport } from '../../src/services/validate-report.ts';
import { parseJson, pause, runCli } from '../e2e/cli.ts';
import { seeded } from '../replay/random.ts';
import type { Action, Damage, Strike, Victims } from './chaos-plan.ts';
import type { ChaosRun } from './chaos-run.ts';
import { killCompactions } from './compaction.ts';
import { inflict } from './damage.ts';
import { type JobProcess, processesOf, signal, untilGone } from './job-processes.ts';

/** What a strike hit. */
export interface Blow {
  readonly kind: 'kill' | 'stop' | 'damage';
  /** Numbers of processes. */
  readonly clients: number;
  readonly jobMasters: number;
  readonly taskManagers: number;
  readonly shuffleServices: number;
  readonly damages: number;
  /** Compactions that were killed half-way. */
  readonly compactions: number;
}

/** null where the job had ended before anything was hit. */
export async function perform(run: ChaosRun, strike: Strike): Promise<Blow | null> {
  const { action } = strike;
  await run.disturb();
  switch (action.kind) {
    case 'kill':
      return action.predicts && action.victims.jobMaster
        ? killAndPredict(run, strike, action)
        : killAtOnce(run, action);
    case 'stop':
      return stopAWhile(run, action);
    case 'damage':
      return damageLive(run, strike, action.damages);
  }
}

/** Kills and lets whoever is left react at once. */
async function killAtOnce(run: ChaosRun, action: Extract<Action, { kind: 'kill' }>): Promise<Blow | null> {
  const victims = chosen(await processesOf(run.job.folder), action.victims);
  const ended = await run.hasEnded();
  for (const { pid } of victims) signal(pid, 'SIGKILL');
  run.note(`SIGKILL ${describe(victims)}${ended ? ' (too late)' : ''}`);
  await untilGone(victims.map(({ pid }) => pid));
  await run.watch.remember();
  if (victims.some(({ role }) => role === 'client')) run.startClient();
  return ended || victims.length === 0 ? null : blowOf('kill', victims);
}

async function killAndPredict(
  run: ChaosRun,
  strike: Strike,
  action: Extract<Action, { kind: 'kill' }>,
): Promise<Blow | null> {
  // First of all the client: it would start the next JobMaster.
  const client = run.clientPid;
  if (client !== null) signal(client, action.victims.client ? 'SIGKILL' : 'SIGSTOP');
  const ended = await run.hasEnded();
  const killed = await killRest(run, action.victims);
  if (client !== null && action.victims.client) await untilGone([client]);
  await run.watch.remember();
  let compactions = 0;
  const folder = await run.watch.jobFolder();
  if (folder !== null && !ended && killed.some(({ role }) => role === 'job-master')) {
    await damageAll(run, strike, action.damages);
    if (action.compacts) compactions = await killCompactions(run, folder, strike.choice);
    await predict(run, folder);
  }
  if (action.victims.client) run.startClient();
  else if (client !== null) signal(client, 'SIGCONT');
  if (ended || killed.length === 0) return null;
  const clients = action.victims.client && client !== null ? 1 : 0;
  return { ...blowOf('kill', killed), clients, compactions, damages: action.damages.length };
}

/** Kills JobMaster and workers until no JobMaster is left: one may have been on its way when the list was made. */
async function killRest(run: ChaosRun, victims: Victims): Promise<JobProcess[]> {
  const killed: JobProcess[] = [];
  for (;;) {
    const found = await processesOf(run.job.folder);
    const engine = found.filter(({ role }) => role !== 'client' && role !== 'other');
    const isLater = killed.length > 0;
    // In later rounds only what the first could not see: workers that were chosen by number are chosen once.
    const wanted = isLater && victims.workers !== 'all' ? { ...victims, workers: [] } : victims;
    const now = chosen(engine, { ...wanted, client: false });
    if (now.length === 0) return killed;
    for (const { pid } of now) signal(pid, 'SIGKILL');
    run.note(`SIGKILL ${describe(now)}`);
    await untilGone(now.map(({ pid }) => pid));
    killed.push(...now);
  }
}

async function predict(run: ChaosRun, folder: string): Promise<void> {
  const store = join(folder, 'job-events');
  const validated = await runCli(['validate', store, '--json']);
  // Killed before the first event was recorded: there is nothing to predict from.
  if (validated.code === 4) return;
  const { findings } = parseJson<ValidateReport>(validated);
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(`the store is damaged after a kill: ${JSON.stringify(errors)}`);
  const report = parseJson<DiffReport>(await runCli(['diff', store, '--json']));
  const { sequence } = report.at;
  if (sequence === null) return;
  const { finished, kept, rerun } = report.summary;
  run.note(`diff at ${sequence}: ${finished} finished, ${kept} kept, ${rerun} rerun`);
  run.predictions.push({ report, sequence, jobFolder: folder, comparison: null });
}

async function stopAWhile(run: ChaosRun, action: Extract<Action, { kind: 'stop' }>): Promise<Blow | null> {
  const victims = chosen(await processesOf(run.job.folder), action.victims);
  const ended = await run.hasEnded();
  for (const { pid } of victims) signal(pid, 'SIGSTOP');
  run.note(`SIGSTOP ${describe(victims)} for ${action.durationMs} ms`);
  const masters = (await processesOf(run.job.folder)).filter(({ role }) => role === 'job-master');
  // Only then nobody writes what may count no more.
  if (masters.every(({ state }) => state === 'T')) await run.watch.remember();
  const deadlineMs = performance.now() + action.durationMs;
  while (performance.now() < deadlineMs && !(await run.hasEnded())) await pause(5);
  for (const { pid } of victims) signal(pid, 'SIGCONT');
  run.note(`SIGCONT ${describe(victims)}`);
  return ended || victims.length === 0 ? null : blowOf('stop', victims);
}

async function damageLive(run: ChaosRun, strike: Strike, damages: readonly Damage[]): Promise<Blow | null> {
  const done = await damageAll(run, strike, damages);
  return done === 0 ? null : { ...blowOf('damage', []), damages: done };
}

/** How many of them hit something. */
async function damageAll(run: ChaosRun, strike: Strike, damages: readonly Damage[]): Promise<number> {
  const folder = await run.watch.jobFolder();
  const records = await run.watch.look();
  // From here on a part that is gone is the job's end, and it says so: that is another test's.
  const committing = records.some(({ event }) => event.type === 'commit-started');
  if (folder === null || committing) return 0;
  const random = seeded(strike.choice);
  let done = 0;
  for (const damage of damages) {
    const what = await inflict(damage, run.job, folder, random);
    if (what === null) continue;
    run.note(what);
    done += 1;
  }
  return done;
}

function chosen(processes: readonly JobProcess[], victims: Victims): JobProcess[] {
  const of = (role: JobProcess['role']) => processes.filter((process) => process.role === role);
  const workers = of('task-manager').sort((a, b) => a.commandLine.localeCompare(b.commandLine));
  const hit = victims.workers === 'all' ? workers : victims.workers.flatMap((at) => workers[at % workers.length] ?? []);
  const service = victims.shuffleService ? of('shuffle-service') : [];
  return [
    ...(victims.client ? of('client') : []),
    ...(victims.jobMaster ? of('job-master') : []),
    ...service,
    ...new Set(hit),
  ];
}

function blowOf(kind: Blow['kind'], victims: readonly JobProcess[]): Blow {
  const count = (role: JobProcess['role']) => victims.filter((victim) => victim.role === role).length;
  return {
    kind,
    clients: count('client'),
    jobMasters: count('job-master'),
    taskManagers: count('task-manager'),
    shuffleServices: count('shuffle-service'),
    damages: 0,
    compactions: 0,
  };
}

function describe(processes: readonly JobProcess[]): string {
  return processes.length === 0 ? 'nobody' : processes.map(({ role, pid }) => `${role} ${pid}`).join(', ');
}
