// validate --repair on stores of real Flink, damaged in every way that Flink minds: afterwards the store is sound and
// predicts what its kept beginning predicted, every original byte is still there, and a crash at any step leaves the old
// store or the new one, which the next repair finishes.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import { diffStore } from '../../src/services/diff.ts';
import { repairStore } from '../../src/services/repair.ts';
import { validateStore } from '../../src/services/validate.ts';
import type { ValidateReport } from '../../src/services/validate-report.ts';
import { captures } from '../store/flink/captures.ts';

/** The files of a store by name. */
type Files = Map<string, Buffer>;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A job's folder as Flink keeps it, with its own copy of the capture's store and the submitted job above it. */
function jobFolder(capture: string): { readonly store: string; readonly files: Files } {
  const folder = mkdtempSync(join(tmpdir(), 'jobrec-repair-'));
  folders.push(folder);
  const store = join(folder, 'job-events');
  cpSync(join(capture, 'store'), store, { recursive: true });
  for (const name of readdirSync(join(capture, 'ha-files')))
    cpSync(join(capture, 'ha-files', name), join(folder, name));
  return { store, files: readAll(store) };
}

function readAll(folder: string): Files {
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
}

function replaceAll(folder: string, files: Files): void {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
}

/** Offset of each frame. */
function frameOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readInt32BE(at + 4)) offsets.push(at);
  return offsets;
}

function changed(files: Files, name: string, change: (bytes: Buffer) => Buffer): Files {
  return new Map([...files].map(([each, bytes]) => [each, each === name ? change(Buffer.from(bytes)) : bytes]));
}

function numberAt(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeInt32BE(value, at);
  return bytes;
}

const middleOf = (bytes: Buffer) => {
  const offsets = frameOffsets(bytes);
  return offsets[Math.floor(offsets.length / 2)] ?? 0;
};

const lastName = (files: Files) => [...files.keys()].at(-1) ?? '';

/** What may happen to a store; null where the store has no place for it. */
const damages: Readonly<Record<string, (files: Files) => Files | null>> = {
  'unknown type': (files) => changed(files, 'events.0', (bytes) => numberAt(bytes, middleOf(bytes), 9)),
  'unknown type in the last file': (files) =>
    changed(files, lastName(files), (bytes) => numberAt(bytes, middleOf(bytes), 9)),
  'negative length': (files) => changed(files, 'events.0', (bytes) => numberAt(bytes, middleOf(bytes) + 4, -5)),
  'length beyond the file': (files) => changed(files, 'events.0', (bytes) => numberAt(bytes, 4, bytes.length * 2)),
  'no Java stream': (files) => changed(files, 'events.0', (bytes) => numberAt(bytes, middleOf(bytes) + 12, 0)),
  'gap in the numbers': (files) => (files.size < 3 ? null : without(files, 'events.1')),
  'first file missing': (files) => (files.size < 2 ? null : without(files, 'events.0')),
  'older file cut in a frame': (files) =>
    files.size < 2 ? null : changed(files, 'events.0', (bytes) => bytes.subarray(0, middleOf(bytes) + 20)),
  'first file empty': (files) => changed(files, 'events.0', () => Buffer.alloc(0)),
  'nothing but an empty file': () => new Map([['events.0', Buffer.alloc(0)]]),
  'finish without initialize': (files) =>
    changed(files, 'events.0', (bytes) => bytes.subarray(frameOffsets(bytes)[1] ?? 0)),
  'initialized twice': (files) =>
    changed(files, lastName(files), (bytes) => {
      const first = files.get('events.0') ?? Buffer.alloc(0);
      return Buffer.concat([bytes, first.subarray(0, frameOffsets(first)[1])]);
    }),
};

function without(files: Files, name: string): Files {
  return new Map([...files].filter(([each]) => each !== name));
}

const input = (location: string) => ({ location, topology: [] });
const repaired = (store: string) => repairStore({ ...input(store), dryRun: false });

/** The answer of `diff` without its place and its basis' words. */
async function prediction(location: string, until: string | null) {
  const report = await diffStore({
    ...input(location),
    until,
    survivors: { kind: 'default' },
    flinkRest: null,
    sourcesWithoutSnapshot: [],
    flinkOnlyFlags: [],
  });
  const { rerun, kept, pending, partitions, summary, verdict } = report;
  return { rerun, kept, pending, partitions, summary, verdict };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Every file of the damaged store is in place, or aside under its hash. */
function expectNothingLost(store: string, damaged: Files, report: ValidateReport): void {
  for (const [name, bytes] of damaged) {
    const moved = report.repair?.movedAside.find(({ from }) => basename(from) === name);
    expect(readFileSync(moved?.to ?? join(store, name)).equals(bytes)).toBe(true);
    if (moved)
      expect(moved).toMatchObject({ sha256: sha256(bytes), to: expect.stringContaining(sha256(bytes).slice(0, 12)) });
  }
}

async function expectSound(store: string): Promise<void> {
  const report = await validateStore(input(store));
  expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(report.damage).toBeNull();
  expect(report.verdict).not.toBe('would-hang');
  expect((await repaired(store)).repair).toMatchObject({ applied: false, needed: false, movedAside: [], wrote: [] });
}

/** Damages, repairs, and checks all that a repair promises. */
async function expectRepairs(capture: string, damaged: Files): Promise<ValidateReport> {
  const { store } = jobFolder(capture);
  replaceAll(store, damaged);
  const planned = await repairStore({ ...input(store), dryRun: true });
  expect(readAll(store)).toEqual(damaged);
  const { kept } = planned.repair ?? { kept: { events: 0, bytes: 0 } };
  const before = kept.events === 0 ? null : await prediction(store, String(kept.events - 1));
  const report = await repaired(store);
  expect({ ...report.repair, applied: false }).toEqual(planned.repair);
  expectNothingLost(store, damaged, report);
  const left = readAll(store);
  expect([...left.values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBe(kept.bytes);
  expect([...left.keys()].sort()).toEqual([...left.keys()].map((_, index) => `events.${index}`).sort());
  if (before === null) expect(left.size).toBe(0);
  else expect(await prediction(store, null)).toEqual(before);
  await expectSound(store);
  return report;
}

const chosen = captures().filter(([name]) => /s06b|r13/.test(name));

describe.each(chosen)('%s', (_, capture) => {
  it.each(Object.entries(damages))('%s', async (_name, damage) => {
    const damaged = damage(jobFolder(capture).files);
    if (damaged !== null) await expectRepairs(capture, damaged);
  });
});

describe('any byte', () => {
  it.each(captures())('%s, flipped or cut', async (_, capture) => {
    const { files } = jobFolder(capture);
    const names = [...files.keys()];
    for (let sample = 0; sample < 2; sample++) {
      const name = names[(sample * 7) % names.length] ?? '';
      const at = Math.floor(((files.get(name)?.length ?? 0) * ((sample * 37 + 5) % 100)) / 100);
      const flip = (bytes: Buffer) => {
        bytes[at] = (bytes[at] ?? 0) ^ (1 << sample);
        return bytes;
      };
      await expectRepairs(capture, changed(files, name, sample % 2 === 1 ? (bytes) => bytes.subarray(0, at) : flip));
    }
  });
});

const [, sample = ''] = captures().find(([name]) => name.includes('s06b')) ?? [];

describe('a repair', () => {
  it('leaves a sound store and a torn tail alone, and says so', async () => {
    const { store, files } = jobFolder(sample);
    expect((await repaired(store)).repair).toMatchObject({ needed: false, applied: false, wrote: [] });
    replaceAll(
      store,
      changed(files, lastName(files), (bytes) => Buffer.concat([bytes, bytes.subarray(0, 30)])),
    );
    const torn = await repaired(store);
    expect(torn.repair?.why).toContain('a torn tail needs no repair');
    expect(torn.findings.map(({ code }) => code)).toContain('TORN_TAIL');
    expect(existsSync(`${store}.damaged`)).toBe(false);
  });

  it('counts what it gives up, also behind bytes that cannot be read', async () => {
    const { files } = jobFolder(sample);
    const all = [...files.values()].flatMap(frameOffsets).length;
    const first = frameOffsets(files.get('events.0') ?? Buffer.alloc(0));
    for (const type of [9, 0x7fffffff]) {
      const damaged = changed(files, 'events.0', (bytes) => numberAt(bytes, first[2] ?? 0, type));
      const { repair } = await expectRepairs(sample, damaged);
      expect(repair?.kept.events).toBe(2);
      expect(repair?.givenUp.events).toBe(all - 2);
      expect(repair?.givenUp.finishedTasks).toBeGreaterThan(0);
    }
  });

  it('takes back the finish behind which a recovered job would hang', async () => {
    const hanging = captures().filter(([, folder]) => /HUNG/.test(readFileSync(join(folder, 'truth.json'), 'utf8')));
    expect(hanging.length).toBeGreaterThan(0);
    for (const [, capture] of hanging) {
      const { store, files } = jobFolder(capture);
      const before = await validateStore(input(store));
      expect(before.verdict).toBe('would-hang');
      const report = await expectRepairs(capture, files);
      expect(report.repair?.why).toMatch(/would hang|wait for ever/);
    }
  });

  it('of everything leaves an empty store, which Flink starts anew', async () => {
    const [, capture = ''] = captures().find(([name]) => name.includes('s08-nothing')) ?? [];
    const { store, files } = jobFolder(capture);
    const empty = await expectRepairs(capture, files);
    expect(empty).toMatchObject({ ok: true, verdict: 'restart-from-scratch', checked: { segments: 0, events: 0 } });
    await repaired(store);
    expect(await validateStore(input(store))).toEqual({ ...empty, location: store, repair: undefined });
    expect(await prediction(store, null)).toMatchObject({ verdict: 'restart-from-scratch', rerun: [] });
    // An empty folder of which nobody knows anything is none.
    rmSync(`${store}.damaged`, { recursive: true });
    await expect(validateStore(input(store))).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });

  it('tells what runs again because its input was released after the kept events', async () => {
    const [, capture = ''] = captures().find(([name]) => name.endsWith('2.3.0/r13-random')) ?? [];
    const damaged = changed(jobFolder(capture).files, 'events.0', (bytes) =>
      numberAt(bytes, frameOffsets(bytes).at(-1) ?? 0, 9),
    );
    const { verdict, repair } = await expectRepairs(capture, damaged);
    expect(verdict).toBe('recoverable');
    expect(repair?.outlook).toMatchObject({ verdict: 'restart-from-scratch', kept: 0, rerun: 3 });
    expect(repair?.outlook.why).toContain('the old JobManager had released results');
  });

  it('refuses a store that is being written', async () => {
    const { store, files } = jobFolder(sample);
    const damaged = damages['unknown type']?.(files) ?? files;
    replaceAll(store, damaged);
    const grown = Buffer.concat([damaged.get('events.0') ?? Buffer.alloc(0), Buffer.alloc(8)]);
    const beforeStep = (step: string) => {
      if (step.startsWith('put events.0')) writeFileSync(join(store, 'events.0'), grown);
    };
    await expect(repairStore({ ...input(store), dryRun: false, beforeStep })).rejects.toMatchObject({
      code: 'JOB_HELD',
    });
    expect(readFileSync(join(store, 'events.0')).equals(grown)).toBe(true);
    expect(readAll(store).size).toBe(damaged.size);
  });

  it.each([
    ['EROFS', 'read-only file system'],
    ['EACCES', 'permission denied'],
  ])('says in one line that the disk refuses (%s)', async (code, text) => {
    const { store, files } = jobFolder(sample);
    const damaged = damages['unknown type']?.(files) ?? files;
    replaceAll(store, damaged);
    const beforeStep = () => {
      throw Object.assign(new Error(code), { code, syscall: 'mkdir' });
    };
    const refused = await repairStore({ ...input(store), dryRun: false, beforeStep }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(JobrecError);
    expect(refused).toMatchObject({ code: 'STORE_UNREADABLE', message: `${store} cannot be repaired: ${text}` });
    expect(readAll(store)).toEqual(damaged);
  });
});

class Crash extends Error {}

/** Steps of a whole repair. */
async function stepsOf(damaged: Files): Promise<string[]> {
  const { store } = jobFolder(sample);
  replaceAll(store, damaged);
  const steps: string[] = [];
  await repairStore({ ...input(store), dryRun: false, beforeStep: (step) => steps.push(step) });
  return steps;
}

describe('a crash', () => {
  const damaged = () => damages['unknown type']?.(jobFolder(sample).files) ?? new Map<string, Buffer>();

  it('before any step leaves events without a gap, and the next repair ends the same', async () => {
    const steps = await stepsOf(damaged());
    expect(steps.length).toBeGreaterThan(8);
    const whole = jobFolder(sample);
    replaceAll(whole.store, damaged());
    const { repair } = await repaired(whole.store);
    const wanted = readAll(whole.store);
    for (const [index] of steps.entries()) {
      const { store } = jobFolder(sample);
      replaceAll(store, damaged());
      let at = 0;
      const beforeStep = () => {
        if (at++ === index) throw new Crash();
      };
      await expect(repairStore({ ...input(store), dryRun: false, beforeStep })).rejects.toBeInstanceOf(Crash);
      const between = [...readAll(store).keys()].filter((name) => /^events\.\d+$/.test(name)).sort();
      expect(between).toEqual(between.map((_, number) => `events.${number}`));
      expect((await validateStore(input(store))).checked.events).toBe(repair?.kept.events);
      // What a killed process leaves behind, too.
      writeFileSync(join(store, '.tmp-events.0-999999999-0123456789ab'), 'left');
      await repaired(store);
      const isDone = steps[index] === 'sync';
      expect(readAll(store)).toEqual(isDone ? new Map([...wanted, ...leftover]) : wanted);
      for (const { to } of repair?.movedAside ?? [])
        expect(existsSync(join(`${store}.damaged`, basename(to)))).toBe(true);
    }
  });

  /** Nothing was left to repair, so nothing was cleaned either. */
  const leftover: readonly [string, Buffer][] = [['.tmp-events.0-999999999-0123456789ab', Buffer.from('left')]];
});
