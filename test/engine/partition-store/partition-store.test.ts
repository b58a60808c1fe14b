// Invariant 7: a partition is reported only if it is whole. Whatever is done to its bytes or names, it is whole or absent.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteStale } from '../../../src/engine/partition-store/partition-deletion.ts';
import { type PartitionName, partitionPath, sidecarPath } from '../../../src/engine/partition-store/partition-path.ts';
import { PartitionVerifier } from '../../../src/engine/partition-store/partition-verifier.ts';
import {
  discardPartition,
  preparePartition,
  publishPartition,
} from '../../../src/engine/partition-store/partition-writer.ts';
import { readWhole, reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';
import { decodeSidecar, encodeSidecar } from '../../../src/engine/partition-store/sidecar.ts';

const datasetId = 'd'.repeat(32);
const name: PartitionName = { datasetId, partitionIndex: 3, attempt: 1, epoch: 2 };
const bytes = Buffer.from('not really Parquet, the store does not look inside\n'.repeat(5));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-partitions-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function publish(partition: PartitionName = name, jobId = 'job-1'): Promise<string> {
  await writeFile(await preparePartition(folder, partition), bytes);
  const columns = [{ name: 'a "b', type: 'STRUCT(x HUGEINT)' }];
  await publishPartition(folder, { ...partition, jobId, rows: 5, subpartitionRows: [2, 0, 3], columns });
  return partitionPath(folder, partition);
}

const reported = { ...name, bytes: bytes.length };

describe('a published partition', () => {
  it('is reported and described as it was written', async () => {
    const path = await publish();
    expect(await reportPartitions(folder)).toEqual([reported]);
    expect(await readWhole(path)).toMatchObject({
      jobId: 'job-1',
      rows: 5,
      subpartitionRows: [2, 0, 3],
      bytes: bytes.length,
    });
    expect((await readdir(join(folder, 'partitions', datasetId))).sort()).toEqual(['3-a1-e2.json', '3-a1-e2.parquet']);
  });

  it('keeps the attempts and epochs of one partition apart', async () => {
    await publish();
    await publish({ ...name, attempt: 0 });
    await publish({ ...name, epoch: 1 });
    expect((await reportPartitions(folder)).map(({ attempt, epoch }) => `${attempt} ${epoch}`).sort()).toEqual([
      '0 2',
      '1 1',
      '1 2',
    ]);
  });
});

describe('a partition that is not whole', () => {
  it('is absent after a cut of the data at every length', async () => {
    const path = await publish();
    for (let length = bytes.length - 1; length >= 0; length--) {
      await truncate(path, length);
      expect(await reportPartitions(folder), `cut to ${length}`).toEqual([]);
    }
  });

  it('is absent after a flip of any bit of the data', async () => {
    const path = await publish();
    for (let index = 0; index < bytes.length; index += 7) {
      const flipped = Buffer.from(bytes);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
      await writeFile(path, flipped);
      expect(await readWhole(path), `flipped byte ${index}`).toBeNull();
    }
  });

  it('is absent with bytes behind the data', async () => {
    const path = await publish();
    await writeFile(path, Buffer.concat([bytes, Buffer.from([0])]));
    expect(await reportPartitions(folder)).toEqual([]);
  });

  it('is absent after a cut or a flip of the sidecar at every byte', async () => {
    const path = await publish();
    const sidecar = await readFile(sidecarPath(path));
    for (let index = 0; index < sidecar.length; index++) {
      const flipped = Buffer.from(sidecar);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
      expect(decodeSidecar(flipped.toString()), `flipped byte ${index}`).toBeNull();
      expect(decodeSidecar(sidecar.subarray(0, index).toString()), `cut to ${index}`).toBeNull();
    }
    await writeFile(sidecarPath(path), sidecar.subarray(0, -1));
    expect(await reportPartitions(folder)).toEqual([]);
  });

  it('is absent as long as any of its names is temporary', async () => {
    const temporary = await preparePartition(folder, name);
    await writeFile(temporary, bytes);
    expect(await reportPartitions(folder)).toEqual([]);
    const path = await publish();
    await rename(sidecarPath(path), `${sidecarPath(path)}.tmp`);
    expect(await reportPartitions(folder)).toEqual([]);
    await rename(`${sidecarPath(path)}.tmp`, sidecarPath(path));
    await rename(path, temporary);
    expect(await reportPartitions(folder)).toEqual([]);
  });

  it('is absent under the name of another attempt', async () => {
    const path = await publish();
    const other = partitionPath(folder, { ...name, attempt: 0 });
    await rename(path, other);
    await rename(sidecarPath(path), sidecarPath(other));
    expect(await reportPartitions(folder)).toEqual([]);
  });

  it('does not hide the whole ones beside it, nor do files that are not ours', async () => {
    await publish();
    await truncate(await publish({ ...name, partitionIndex: 4 }), 3);
    await writeFile(join(folder, 'partitions', 'stray'), 'x');
    await mkdir(join(folder, 'partitions', datasetId, '5-a0-e1.json'));
    expect(await reportPartitions(folder)).toEqual([reported]);
  });

  it('is nothing to report from a folder that does not exist', async () => {
    expect(await reportPartitions(join(folder, 'nowhere'))).toEqual([]);
  });

  it('leaves no files when it is discarded', async () => {
    await writeFile(await preparePartition(folder, name), bytes);
    await discardPartition(folder, name);
    expect(await readdir(join(folder, 'partitions', datasetId))).toEqual([]);
  });
});

describe('the check before serving', () => {
  it('takes a partition only for the one that was asked for', async () => {
    const path = await publish();
    const verifier = new PartitionVerifier();
    expect(await verifier.verify({ ...name, path })).toMatchObject(name);
    expect(await verifier.verify({ ...name, attempt: 0, path })).toBeNull();
    expect(await verifier.verify({ ...name, epoch: 1, path })).toBeNull();
    expect(await verifier.verify({ ...name, path: `${path}x` })).toBeNull();
  });

  it('notices a file that changed after it was found whole', async () => {
    const path = await publish();
    const verifier = new PartitionVerifier();
    expect(await verifier.verify({ ...name, path })).not.toBeNull();
    const flipped = Buffer.from(bytes);
    flipped[9] = 0;
    await writeFile(path, flipped);
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    expect(await verifier.verify({ ...name, path })).toBeNull();
    await rm(path);
    expect(await verifier.verify({ ...name, path })).toBeNull();
  });
});

describe('deletion', () => {
  it('of what is stale keeps what is named and removes the rest, temporary files too', async () => {
    await publish();
    await publish({ ...name, attempt: 0 });
    await writeFile(await preparePartition(folder, { ...name, partitionIndex: 8 }), bytes);
    await deleteStale(folder, [name]);
    expect((await readdir(join(folder, 'partitions', datasetId))).sort()).toEqual(['3-a1-e2.json', '3-a1-e2.parquet']);
  });
});

describe('a sidecar', () => {
  const partition = { jobId: 'j', ...name, bytes: 1, crc32: 2, rows: 0, subpartitionRows: [0], columns: null };

  it('of unknown columns and of none are different things', () => {
    expect(decodeSidecar(encodeSidecar(partition))?.columns).toBeNull();
    expect(decodeSidecar(encodeSidecar({ ...partition, columns: [] }))?.columns).toEqual([]);
  });

  it('of another format is none', () => {
    expect(decodeSidecar(encodeSidecar(partition).replace('"format":1', '"format":2'))).toBeNull();
  });
});
