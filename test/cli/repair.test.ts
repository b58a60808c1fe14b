// validate --repair as a user runs it, on the store of a real Flink: what it says, and how it ends.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { takeGeneration } from '../../src/store/generation.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { capturesFolder } from '../support/flink-capture.ts';
import { folderHash } from '../support/folder-hash.ts';
import { writeSampleStore } from '../support/sample-store.ts';

let job = '';
let store = '';
beforeEach(() => {
  job = mkdtempSync(join(tmpdir(), 'jobrec-repair-cli-'));
  store = join(job, 'job-events');
  cpSync(join(capturesFolder, '2.3.0/r13-random/store'), store, { recursive: true });
});
afterEach(() => rmSync(job, { recursive: true }));

const validate = (...flags: string[]) => runCli(['validate', job, ...flags]);

/** No Flink knows the type of its first event any more. */
function damage(name: string): void {
  const bytes = readFileSync(join(store, name));
  bytes.writeInt32BE(9, 0);
  writeFileSync(join(store, name), bytes);
}

describe('validate --repair', () => {
  it('says on a dry run what it would do, and changes nothing', async () => {
    damage('events.1');
    const before = folderHash(job);
    const result = await validate('--repair', '--dry-run');
    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(/^repair {4}dry run, nothing was changed: event \d+ of \d+ bytes does not decode/m);
    expect(result.stdout).toMatch(/^gives up {2}\d+ events, \d+ finished tasks, [\d.]+ kB$/m);
    expect(result.stdout).toContain('Stop the JobManager first');
    expect(folderHash(job)).toBe(before);
  });

  it('repairs; afterwards the job folder still holds one store, a sound one', async () => {
    damage('events.1');
    expect((await validate()).code).toBe(3);
    const result = await validate('--repair', '--yes', '--json');
    expect(result.code).toBe(0);
    expect(jsonOf(result)).toMatchObject({
      ok: true,
      damage: null,
      checked: { segments: 1 },
      repair: { applied: true, kept: { segments: 1 }, wrote: [], movedAside: expect.any(Array) },
    });
    expect((await validate()).code).toBe(0);
    const again = await validate('--repair', '--yes');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('there is nothing to repair');
  });

  it('leaves a torn tail alone: it stays a warning, and Flink does not mind it', async () => {
    const last = join(store, 'events.0');
    for (const name of ['events.1', 'events.2', 'events.3', 'events.4']) rmSync(join(store, name), { force: true });
    truncateSync(last, readFileSync(last).length - 5);
    const before = folderHash(job);
    const result = await validate('--repair', '--yes');
    expect(result.stdout).toContain('repair    none: a torn tail needs no repair');
    expect(result.code).toBe(3);
    expect(folderHash(job)).toBe(before);
  });

  it('starts Flink anew where nothing can be kept', async () => {
    damage('events.0');
    const result = await validate('--repair', '--yes', '--json');
    expect(result.code).toBe(0);
    expect(jsonOf(result)).toMatchObject({ verdict: 'restart-from-scratch', repair: { kept: { events: 0 } } });
    expect(existsSync(join(store, 'events.0'))).toBe(false);
    // An empty folder with the originals beside it: sound, and nothing more to do.
    expect((await validate()).code).toBe(0);
    const again = await validate('--repair', '--yes', '--json');
    expect([again.code, jsonOf(again)]).toMatchObject([0, { ok: true, repair: { needed: false, applied: false } }]);
  });

  it("repairs jobrec's own stores, and refuses one that a process holds", async () => {
    const own = await writeSampleStore();
    const [segment = ''] = readdirSync(own).filter((name) => name.endsWith('.seg'));
    const bytes = readFileSync(join(own, segment));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 200) ^ 1, bytes.length - 200);
    writeFileSync(join(own, segment), bytes);
    expect((await runCli(['validate', own])).code).toBe(3);
    const planned = await runCli(['validate', own, '--repair', '--dry-run']);
    expect(planned.code).toBe(3);
    expect(planned.stdout).toMatch(/^gives up {2}\d+ events?, \d+ finished tasks?, /m);
    expect(planned.stdout).toContain('To do it: --repair --yes.');
    const done = await runCli(['validate', own, '--repair', '--json']);
    expect(done.code).toBe(0);
    expect(jsonOf(done)).toMatchObject({ ok: true, damage: null, repair: { applied: true, needed: true } });
    expect((await runCli(['validate', own])).code).toBe(0);
    await takeGeneration(join(own, '..', 'epochs'), 2);
    const held = await runCli(['validate', own, '--repair', '--json']);
    expect([held.code, jsonOf(held)]).toMatchObject([5, { error: { code: 'JOB_HELD' } }]);
  });

  it('refuses flags that mean nothing alone', async () => {
    expect((await validate('--yes')).code).toBe(2);
    expect((await validate('--dry-run')).code).toBe(2);
    expect((await validate('--repair', '--yes', '--dry-run')).code).toBe(2);
  });

  it('takes a terminal for a person, also where only the answer goes to a file', () => {
    const stream = (isTTY: boolean) => Object.assign(new Writable(), { isTTY });
    const isInteractive = (stdout: boolean, stderr: boolean) =>
      new Output({ stdout: stream(stdout), stderr: stream(stderr), env: {} }, { json: true, noColor: true })
        .isInteractive;
    expect([isInteractive(true, true), isInteractive(false, true), isInteractive(false, false)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
