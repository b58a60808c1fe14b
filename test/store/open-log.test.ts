import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeHeader, manifestName, segmentName } from '../../src/store/format.ts';
import { takeGeneration } from '../../src/store/generation.ts';
import { jobFolderAt, jobsFolder } from '../../src/store/job-folder.ts';
import { encodeManifest } from '../../src/store/manifest.ts';
import { findStore, openJobLog } from '../../src/store/open-log.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { filesOf, jobId, optionsFor, recordsOf, smallSubmitted, temporaryFolder, writeGroups } from './sample-store.ts';

async function writeStore(folder: string): Promise<string> {
  const writer = await StoreWriter.create(optionsFor(folder));
  await writeGroups(writer, [[smallSubmitted]]);
  await writer.close();
  return folder;
}

describe('a store location', () => {
  test('is the store itself, or a folder above it that holds one', async () => {
    const home = await temporaryFolder();
    const job = jobFolderAt(path.join(jobsFolder(home), 'a'));
    await writeStore(job.jobEvents);
    for (const location of [job.jobEvents, job.root, jobsFolder(home), home]) {
      expect((await openJobLog(location)).location).toBe(job.jobEvents);
    }
  });

  test('may be a symbolic link, but links below it are not followed', async () => {
    const root = await temporaryFolder();
    const store = await writeStore(path.join(root, 'real', 'job-events'));
    await symlink(store, path.join(root, 'link'));
    await symlink(root, path.join(root, 'real', 'circle'));
    expect((await openJobLog(path.join(root, 'link'))).location).toBe(store);
    expect((await openJobLog(root)).location).toBe(store);
  });

  test('with several stores is refused with the list', async () => {
    const root = await temporaryFolder();
    const stores = [
      await writeStore(path.join(root, 'a', 'job-events')),
      await writeStore(path.join(root, 'b', 'job-events')),
    ];
    await expect(openJobLog(root)).rejects.toMatchObject({ code: 'AMBIGUOUS_STORE', data: { stores } });
  });

  test.each([
    ['missing', async (root: string) => path.join(root, 'none'), 'STORE_NOT_FOUND'],
    ['empty', async (root: string) => root, 'STORE_NOT_FOUND'],
    [
      'a folder of other files',
      async (root: string) => {
        await writeFile(path.join(root, 'notes.txt'), 'x');
        return root;
      },
      'STORE_NOT_FOUND',
    ],
    [
      'a file',
      async (root: string) => {
        await writeFile(path.join(root, 'notes.txt'), 'x');
        return path.join(root, 'notes.txt');
      },
      'NOT_A_STORE',
    ],
    [
      'a path through a file',
      async (root: string) => {
        await writeFile(path.join(root, 'notes.txt'), 'x');
        return path.join(root, 'notes.txt', 'job-events');
      },
      'STORE_UNREADABLE',
    ],
    [
      "files with a store's names only",
      async (root: string) => {
        await writeFile(path.join(root, segmentName({ baseSequence: 0, epoch: 1 })), 'x'.repeat(500));
        await writeFile(path.join(root, manifestName), 'x');
        return root;
      },
      'NOT_A_STORE',
    ],
  ])('%s', async (_title, prepare, code) => {
    await expect(openJobLog(await prepare(await temporaryFolder()))).rejects.toMatchObject({ code });
  });

  test('a Flink store, be it without an event, is found below its folder and opened as one', async () => {
    const root = await temporaryFolder();
    const folder = path.join(root, 'ha', 'job-events');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'events.0'), '');
    expect(await findStore(root)).toEqual({ folder, format: 'flink' });
    expect(await openJobLog(root)).toMatchObject({ format: 'flink', location: folder });
  });

  test('a store without events yet is an empty log', async () => {
    const folder = path.join(await temporaryFolder(), 'job-events');
    await (await StoreWriter.create(optionsFor(folder))).close();
    const log = await openJobLog(folder);
    expect(await recordsOf(log)).toEqual([]);
    expect(await log.summary()).toMatchObject({
      events: 0,
      findings: [],
      damage: null,
      segments: [{ firstSequence: null }],
    });
  });
});

describe('format versions', () => {
  test('a newer segment is refused as too new', async () => {
    const folder = await writeStore(path.join(await temporaryFolder(), 'job-events'));
    const header = encodeHeader({
      jobId,
      epoch: 2,
      baseSequence: 1,
      createdMicros: 5,
      previous: { baseSequence: 0, epoch: 1, length: 80 },
    });
    header.writeUInt32LE(2, 8);
    header.writeUInt32LE(crc32(header.subarray(0, 76)), 76);
    await writeFile(path.join(folder, segmentName({ baseSequence: 1, epoch: 2 })), header);
    const refusal = { code: 'FORMAT_TOO_NEW', data: { formatVersion: 2, supported: 1 } };
    await expect(openJobLog(folder)).rejects.toMatchObject(refusal);
    await expect(StoreWriter.resume(optionsFor(folder, { epoch: 3 }))).rejects.toMatchObject(refusal);
  });

  test('so is a newer manifest', async () => {
    const folder = await writeStore(path.join(await temporaryFolder(), 'job-events'));
    const manifest = { formatVersion: 3, jobId, epoch: 1, segments: [], snapshots: [] };
    await writeFile(path.join(folder, manifestName), encodeManifest(manifest));
    await expect(openJobLog(folder)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });
});

describe('a live store', () => {
  test('its growing tail is information, not a warning', async () => {
    const job = jobFolderAt(await temporaryFolder());
    await writeStore(job.jobEvents);
    const [[name, bytes]] = [...(await filesOf(job.jobEvents))] as [[string, Buffer]];
    await writeFile(path.join(job.jobEvents, name), bytes.subarray(0, -3));
    const severityOf = async () =>
      (await (await openJobLog(job.root)).summary()).findings.map((found) => found.severity);
    expect(await severityOf()).toEqual(['warning']);
    await takeGeneration(job.epochs, 0);
    expect(await severityOf()).toEqual(['info']);
  });

  test('a log reads the bytes that were there when it was opened, however often', async () => {
    const folder = path.join(await temporaryFolder(), 'job-events');
    const writer = await StoreWriter.create(optionsFor(folder, { segmentSizeBytesMax: 300 }));
    await writeGroups(writer, [[smallSubmitted]]);
    const log = await openJobLog(folder);
    const before = [await recordsOf(log), await log.summary()];
    await writeGroups(writer, [[smallSubmitted], [smallSubmitted]]);
    expect([await recordsOf(log), await log.summary()]).toEqual(before);
    expect((await recordsOf(await openJobLog(folder))).length).toBe(3);
    await writer.close();
  });

  test('reading changes nothing, and ends early without harm', async () => {
    const folder = await writeStore(path.join(await temporaryFolder(), 'job-events'));
    const before = await filesOf(folder);
    const log = await openJobLog(folder);
    for await (const record of log.records()) if (record.sequence === 0) break;
    await log.summary();
    expect(await filesOf(folder)).toEqual(before);
  });

  test('files that went away since are an expected error', async () => {
    const folder = await writeStore(path.join(await temporaryFolder(), 'job-events'));
    const log = await openJobLog(folder);
    await rm(folder, { recursive: true });
    await expect(log.summary()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });
});
