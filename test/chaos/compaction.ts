// `jobrec compact` on the store of a job that stands still, killed as soon as it has touched the store, some times over:
// replay must say the same before and after, however far it came.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, runCli, startCli } from '../e2e/cli.ts';
import { type Random, seeded } from '../replay/random.ts';
import type { ChaosRun } from './chaos-run.ts';
import { signal, untilGone } from './job-processes.ts';

/** How many compactions were killed half-way. */
export async function killCompactions(run: ChaosRun, jobFolder: string, choice: number): Promise<number> {
  const store = join(jobFolder, 'job-events');
  const random = seeded(choice);
  const before = await replayed(store);
  // Killed before the first event was recorded: there is nothing to compact.
  if (before === null) return 0;
  let killed = 0;
  for (let round = 1 + random.below(2); round > 0; round -= 1) {
    if (await killOne(run, store, random)) killed += 1;
    await expectSame(store, before);
  }
  if (random.chance(0.6)) {
    const result = await runCli(['compact', store, '--json']);
    if (result.code !== 0) throw new Error(`compact ended with exit ${result.code}: ${result.stdout}`);
    await expectSame(store, before);
    run.note('compacted');
  }
  return killed;
}

async function killOne(run: ChaosRun, store: string, random: Random): Promise<boolean> {
  const untouched = await listing(store);
  const compaction = startCli(['compact', store, '--json']);
  let ended = false;
  void compaction.result.then(() => {
    ended = true;
  });
  while (!ended && (await listing(store)) === untouched) await pause(0);
  await pause(random.below(12));
  const hit = !ended && signal(compaction.pid, 'SIGKILL');
  await untilGone([compaction.pid]);
  const { signal: killedBy } = await compaction.result;
  run.note(`compact ${compaction.pid} ${killedBy === 'SIGKILL' ? 'killed' : 'ended'}: ${await listing(store)}`);
  return hit && killedBy === 'SIGKILL';
}

async function listing(store: string): Promise<string> {
  const names = (await readdir(store)).sort();
  const sizes = await Promise.all(names.map((name) => stat(join(store, name)).catch(() => null)));
  return names.map((name, index) => `${name} ${sizes[index]?.size}`).join(', ');
}

async function expectSame(store: string, before: string): Promise<void> {
  const after = await replayed(store);
  if (after !== before) throw new Error(`replay differs after a compaction:\n${before}\n${after}`);
}

/** What replay says but for the place where it stands; null where there is no store yet. */
async function replayed(store: string): Promise<string | null> {
  const { code, stdout } = await runCli(['replay', store, '--json']);
  if (code === 4) return null;
  if (code !== 0) throw new Error(`replay ended with exit ${code}: ${stdout}`);
  const { job, vertices, edges, coordinators, shuffleMaster } = JSON.parse(stdout);
  return JSON.stringify({ job, vertices, edges, coordinators, shuffleMaster });
}
