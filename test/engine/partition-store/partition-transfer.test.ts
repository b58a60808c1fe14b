// A hand-over cut short anywhere leaves the partition whole in one of the two folders, and doing it again completes it.
import { link, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PartitionName, partitionPath, sidecarPath } from '../../../src/engine/partition-store/partition-path.ts';
import { transferPartition } from '../../../src/engine/partition-store/partition-transfer.ts';
import { preparePartition, publishPartition } from '../../../src/engine/partition-store/partition-writer.ts';
import { reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';

const datasetId = 'd'.repeat(32);
const name: PartitionName = { datasetId, partitionIndex: 3, attempt: 1, epoch: 2 };
const bytes = Buffer.from('not really Parquet\n'.repeat(5));
const whole = { ...name, bytes: bytes.length };
let root: string;
let worker: string;
let service: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'jobrec-transfer-'));
  [worker, service] = [join(root, 'worker'), join(root, 'service')];
  await publish(worker);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function publish(folder: string): Promise<void> {
  await writeFile(await preparePartition(folder, name), bytes);
  await publishPartition(folder, { ...name, jobId: 'j', rows: 5, subpartitionRows: [5], columns: [] });
}

const filesIn = (folder: string) => readdir(join(folder, 'partitions', datasetId)).catch(() => []);

describe('a transfer', () => {
  it('moves the partition, and says so again when it is asked again', async () => {
    expect(await transferPartition(worker, service, name)).toBe(true);
    expect([await reportPartitions(worker), await reportPartitions(service)]).toEqual([[], [whole]]);
    expect(await filesIn(worker)).toEqual([]);
    expect(await transferPartition(worker, service, name)).toBe(true);
    expect(await reportPartitions(service)).toEqual([whole]);
  });

  it.each([
    ['the data is linked', async (from: string, to: string) => link(from, to)],
    ['damaged data lies there', async (_: string, to: string) => writeFile(to, 'half')],
    [
      'both are linked',
      async (from: string, to: string) => {
        await link(from, to);
        await link(sidecarPath(from), sidecarPath(to));
      },
    ],
    [
      "both are linked and the worker's sidecar is gone",
      async (from: string, to: string) => {
        await link(from, to);
        await link(sidecarPath(from), sidecarPath(to));
        await rm(sidecarPath(from));
      },
    ],
  ])('that was cut short is completed: %s', async (_, cutShort) => {
    const [from, to] = [partitionPath(worker, name), partitionPath(service, name)];
    await mkdir(dirname(to), { recursive: true });
    await cutShort(from, to);
    const before = [...(await reportPartitions(worker)), ...(await reportPartitions(service))];
    expect(before).toContainEqual(whole);
    expect(await transferPartition(worker, service, name)).toBe(true);
    expect([await filesIn(worker), await reportPartitions(service)]).toEqual([[], [whole]]);
  });

  it.each([
    ['gone', async (path: string) => rm(path)],
    ['cut', async (path: string) => truncate(path, 10)],
    ['without its sidecar', async (path: string) => rm(sidecarPath(path))],
  ])('of a partition that is %s takes nothing', async (_, damage) => {
    await damage(partitionPath(worker, name));
    expect(await transferPartition(worker, service, name)).toBe(false);
    expect(await reportPartitions(service)).toEqual([]);
  });

  it('of another attempt takes nothing', async () => {
    expect(await transferPartition(worker, service, { ...name, attempt: 0 })).toBe(false);
    expect(await reportPartitions(worker)).toEqual([whole]);
  });

  it('into a folder that cannot be written leaves the partition where it is', async () => {
    await writeFile(service, 'a file in the place of the folder');
    await expect(transferPartition(worker, service, name)).rejects.toThrow();
    expect(await reportPartitions(worker)).toEqual([whole]);
  });
});
