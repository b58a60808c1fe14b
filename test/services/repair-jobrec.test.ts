// validate --repair of jobrec's own stores, on random lives of random jobs, damaged in every way that it is for. Afterwards
// the store is sound, its graph is one that the job really had, and a writer goes on. Seeds are printed on failure.
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { takeSnapshot } from '../../src/engine/job-master/take-snapshot.ts';
import { compactStore } from '../../src/services/compact.ts';
import { type RepairOptions, repairStore } from '../../src/services/repair.ts';
import { validateStore } from '../../src/services/validate.ts';
import { temporaryPath } from '../../src/store/atomic-file.ts';
import { takeGeneration } from '../../src/store/generation.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { finished } from '../replay/job-builder.ts';
import { type Random, seeded } from '../replay/random.ts';
import { filesOf, optionsFor } from '../store/sample-store.ts';
import { folderHash } from '../support/folder-hash.ts';
import { historyOf, stateOf } from './graph-history.ts';
import { forgeSnapshot, graphsOf, type LongStore, longJobId, writeLongStore } from './long-store.ts';

const made: string[] = [];
afterAll(async () => {
  for (const root of made) await rm(root, { recursive: true, force: true });
});

async function longStore(options: Parameters<typeof writeLongStore>[0]): Promise<LongStore> {
  const store = await writeLongStore(options);
  made.push(store.root);
  return store;
}

const repair = (location: string, options: Partial<RepairOptions> = {}) =>
  repairStore({ location, topology: [], dryRun: false, ...options });

async function expectRepaired(folder: string, history: ReadonlySet<string>, message: string): Promise<void> {
  const validated = await validateStore({ location: folder, topology: [] });
  const physical = validated.findings.filter(
    ({ code, severity }) => severity !== 'info' && !/FINISH|RESET|PARTITION|PAYLOAD/.test(code),
  );
  expect(physical, message).toEqual([]);
  for (const graph of await graphsOf(folder))
    expect(history.has(stateOf(graph)), `${message}: a state of the job`).toBe(true);
  const [graph] = await graphsOf(folder);
  const before = folderHash(folder);
  const again = await repair(folder);
  expect(again.repair, message).toMatchObject({ needed: false, applied: false });
  expect(folderHash(folder), message).toBe(before);
  const { writer } = await StoreWriter.resume(optionsFor(folder, { epoch: 50, jobId: longJobId }));
  const { sequence } = writer.append(finished('a', 0));
  await writer.close();
  expect(sequence, message).toBe((graph.lastSequence ?? -1) + 1);
}

type Damage = (folder: string, random: Random) => Promise<void>;

const flip = async (folder: string, name: string, place: number) => {
  const bytes = (await filesOf(folder)).get(name) as Buffer;
  const at = place % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x11, at);
  await writeFile(path.join(folder, name), bytes);
};
const named = async (folder: string, ending: string) =>
  (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();

const damages: Readonly<Record<string, Damage>> = {
  'a flipped byte in a segment': async (folder, random) => {
    const name = random.pick(await named(folder, '.seg'));
    await flip(folder, name, random.below((await filesOf(folder)).get(name)?.length ?? 1));
  },
  'a missing segment': async (folder, random) => rm(path.join(folder, random.pick(await named(folder, '.seg')))),
  'a segment cut short': async (folder, random) => {
    const name = random.pick(await named(folder, '.seg'));
    const bytes = (await filesOf(folder)).get(name) as Buffer;
    await writeFile(path.join(folder, name), bytes.subarray(0, random.below(bytes.length)));
  },
  'garbage for a header': async (folder, random) => {
    const name = random.pick(await named(folder, '.seg'));
    const bytes = (await filesOf(folder)).get(name) as Buffer;
    await writeFile(path.join(folder, name), Buffer.concat([Buffer.alloc(80, 0xee), bytes.subarray(80)]));
  },
  'no manifest': async (folder) => rm(path.join(folder, 'MANIFEST')),
  'a damaged manifest': async (folder, random) => flip(folder, 'MANIFEST', 30 + random.below(300)),
  'a damaged snapshot': async (folder, random) => {
    const names = await named(folder, '.snap');
    if (names.length > 0) await flip(folder, random.pick(names), random.below(300));
  },
  'a snapshot that says something else': async (folder) => void (await forgeSnapshot(folder)),
  'two segments and a snapshot damaged': async (folder, random) => {
    for (let count = 0; count < 2; count++)
      await flip(folder, random.pick(await named(folder, '.seg')), random.below(200));
    const names = await named(folder, '.snap');
    if (names.length > 0) await flip(folder, names.at(-1) as string, random.below(300));
  },
};

describe('validate --repair', () => {
  test.each(Object.entries(damages))('of %s', { timeout: 60_000 }, async (what, damage) => {
    let repaired = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const { folder } = await longStore({ seed, ends: seed % 4 === 0 });
      const history = await historyOf(folder);
      if (seed === 3) await compactStore({ location: folder, dryRun: false });
      await damage(folder, seeded(seed));
      const message = `${what}, seed ${seed}`;
      const { repair: report } = await repair(folder);
      if (report?.applied) repaired += 1;
      await expectRepaired(folder, history, message);
    }
    expect(repaired).toBeGreaterThan(0);
  });

  test('takes a snapshot out that is not what the events say, and no event with it', async () => {
    const { folder, events } = await longStore({ seed: 5 });
    const [expected] = await graphsOf(folder);
    const name = await forgeSnapshot(folder);
    const [, misled] = await graphsOf(folder);
    expect(misled.stateReason).not.toBe(expected.stateReason);
    const { ok, findings } = await validateStore({ location: folder, topology: [] });
    const wrong = findings.filter(({ code }) => code === 'SNAPSHOT_MISMATCH');
    expect([ok, wrong]).toMatchObject([false, [{ segment: name, severity: 'error', bytesLost: 0 }]]);
    const { repair: done } = await repair(folder);
    expect(done).toMatchObject({ applied: true, kept: { events: events.length }, givenUp: { events: 0 } });
    expect(done?.movedAside.map(({ from }) => path.basename(from))).toEqual([name]);
    const repaired = await graphsOf(folder);
    expect(repaired.map(({ stateReason }) => stateReason)).toEqual([expected.stateReason, expected.stateReason]);
  });

  test('holds a later snapshot against an earlier one where the events before it were retired', async () => {
    const { folder } = await longStore({ seed: 4 });
    await compactStore({ location: folder, dryRun: false });
    const { writer, log } = await StoreWriter.resume(optionsFor(folder, { epoch: 60, jobId: longJobId }));
    writer.append({ type: 'job-status-changed', state: 'RUNNING', reason: null });
    await writer.flush();
    const temporary = temporaryPath(path.join(folder, 'snapshot'));
    const { sequence } = writer.acknowledged;
    expect(log.firstSequence).toBeGreaterThan(0);
    const taken = await takeSnapshot(await openJobLog(folder), sequence, { folder, epoch: 60, temporary });
    await writer.close();
    const mismatches = async () =>
      (await validateStore({ location: folder, topology: [] })).findings.filter(({ code }) => code.startsWith('SNAP'));
    expect(await mismatches()).toEqual([]);
    expect(await forgeSnapshot(folder)).toBe(taken?.name);
    expect(await mismatches()).toMatchObject([{ segment: taken?.name, severity: 'error' }]);
  });

  test('puts what it takes out aside, whole, under its hash; a dry run changes nothing', async () => {
    const { root, folder } = await longStore({ seed: 4, snapshots: false });
    const [, second = ''] = await named(folder, '.seg');
    await flip(folder, second, 100);
    const before = folderHash(root);
    const files = await filesOf(folder);
    const planned = await repair(folder, { dryRun: true });
    expect(folderHash(root)).toBe(before);
    expect(planned.repair).toMatchObject({ applied: false, needed: true });
    const { repair: done } = await repair(folder);
    expect(done).toEqual({ ...planned.repair, applied: true });
    expect(done?.movedAside.length).toBeGreaterThan(0);
    const aside = await filesOf(`${folder}.damaged`);
    for (const { from, to, sha256 } of done?.movedAside ?? []) {
      expect(path.basename(to)).toBe(`${path.basename(from)}.${sha256.slice(0, 12)}`);
      expect(aside.get(path.basename(to))).toEqual(files.get(path.basename(from)));
      expect((await readdir(folder)).includes(path.basename(from))).toBe(false);
    }
    expect(done?.givenUp.events).toBeGreaterThan(0);
  });

  test('loses no state where a snapshot holds it', async () => {
    const { folder } = await longStore({ seed: 6 });
    const [graph] = await graphsOf(folder);
    const [snapshot] = await (await openJobLog(folder)).snapshots();
    expect(snapshot?.sequence).toBeGreaterThan(5);
    await rm(path.join(folder, (await named(folder, '.seg'))[0] as string));
    const { repair: done } = await repair(folder);
    expect(done).toMatchObject({ applied: true, givenUp: { finishedTasks: 0 } });
    for (const each of await graphsOf(folder)) expect(each).toEqual(graph);
  });

  test('that ends before any of its steps is completed by the next', { timeout: 60_000 }, async () => {
    for (const seed of [4, 6]) {
      for (let stopAt = 1; ; stopAt++) {
        const { folder } = await longStore({ seed });
        const history = await historyOf(folder);
        await flip(folder, (await named(folder, '.seg'))[1] as string, 90);
        let steps = 0;
        const beforeStep = (step: string) => {
          if (++steps === stopAt) throw new Error(`stopped before: ${step}`);
        };
        const stopped = await repair(folder, { beforeStep }).then(
          () => false,
          () => true,
        );
        if (!stopped) break;
        await repair(folder);
        await expectRepaired(folder, history, `seed ${seed}, stopped before step ${stopAt}`);
      }
    }
  });

  test('refuses a live store, and leaves a sound one alone', async () => {
    const { root, folder } = await longStore({ seed: 10 });
    const before = folderHash(root);
    expect((await repair(folder)).repair).toMatchObject({ needed: false, applied: false, movedAside: [] });
    expect(folderHash(root)).toBe(before);
    await takeGeneration(path.join(root, 'epochs'), 0);
    await expect(repair(folder)).rejects.toMatchObject({ code: 'JOB_HELD' });
  });
});
