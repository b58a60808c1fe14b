// Reading commands change nothing and need no lock: the folder is the same to the last byte and timestamp, a folder
// without write permission is enough, and a store that a writer is appending to is read as far as it goes.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StoreWriter } from '../../src/store/writer.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { folderHash } from '../support/folder-hash.ts';
import { sampleEvents, sampleJobId, temporaryFolder, writeSampleStore } from '../support/sample-store.ts';

const readers: readonly (readonly string[])[] = [
  ['inspect'],
  ['inspect', '--events', '--raw'],
  ['validate'],
  ['replay', '--until', '-5s'],
  ['diff'],
  ['diff', '--lost-worker', 'w1'],
];

const withStore = ([command = '', ...flags]: readonly string[], store: string) => [command, store, ...flags, '--json'];

describe('reading commands', () => {
  it.each(readers.map((args) => [args.join(' '), args] as const))('%s changes nothing', async (_, args) => {
    const job = temporaryFolder();
    await writeSampleStore(job);
    // With what makes it a job's folder, so that diff looks into the workers' folders.
    mkdirSync(join(job, 'workers', 'w1'), { recursive: true });
    const before = folderHash(job);
    expect((await runCli(withStore(args, join(job, 'job-events')))).code).toBe(0);
    expect(folderHash(job)).toBe(before);
  });

  it.each(readers.map((args) => [args.join(' '), args] as const))('%s reads a read-only folder', async (_, args) => {
    const job = temporaryFolder();
    const store = await writeSampleStore(job);
    chmodSync(store, 0o555);
    chmodSync(job, 0o555);
    expect((await runCli(withStore(args, store))).code).toBe(0);
  });

  it('works on a store that is being written, and sees a prefix of it', async () => {
    const store = join(temporaryFolder(), 'job-events');
    const writer = await StoreWriter.create({
      folder: store,
      jobId: sampleJobId,
      epoch: 1,
      flushIntervalMs: 0,
      writeBufferSizeBytes: 256,
      segmentSizeBytesMax: 8192,
      isFenced: async () => false,
    });
    for (const event of sampleEvents) await writer.append(event).durable;
    let writing = true;
    const appended = (async () => {
      while (writing) await writer.append({ type: 'job-status-changed', state: 'RUNNING', reason: null }).durable;
    })();
    const seen: number[] = [];
    for (let round = 0; round < 4; round++) {
      const { code, stdout } = await runCli(['inspect', store, '--events', '--json']);
      const sequences = stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
      expect(code).toBe(0);
      expect(sequences).toEqual(sequences.map((_, index) => index));
      seen.push(sequences.length);
    }
    const validated = await runCli(['replay', store, '--json']);
    expect(validated.code).toBe(0);
    expect(jsonOf(validated)).toMatchObject({ damage: null, job: { name: 'delays' } });
    writing = false;
    await appended;
    await writer.close();
    expect(seen).toEqual(seen.toSorted((left, right) => left - right));
    expect(seen[0]).toBeGreaterThanOrEqual(sampleEvents.length);
  });
});
