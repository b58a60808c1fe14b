// The shuffle service as a real process, against a JobMaster that the test plays.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PartitionName, partitionPath } from '../../../src/engine/partition-store/partition-path.ts';
import { preparePartition, publishPartition } from '../../../src/engine/partition-store/partition-writer.ts';
import { reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';
import { Connection } from '../../../src/engine/protocol/connection.ts';
import { writeMasterFile } from '../../../src/engine/protocol/master-file.ts';
import type { ToJobMaster, ToShuffleService } from '../../../src/engine/protocol/messages.ts';
import { parseToJobMaster } from '../../../src/engine/protocol/validate.ts';

const program = fileURLToPath(new URL('../../../dist/shuffle-service.js', import.meta.url));
const datasetId = 'd'.repeat(32);
const named = (partitionIndex: number, epoch = 1): PartitionName => ({ datasetId, partitionIndex, attempt: 0, epoch });
let jobFolder: string;
let started: ChildProcess[];
let masters: Master[];

beforeEach(async () => {
  jobFolder = await mkdtemp(join(tmpdir(), 'jobrec-shuffle-'));
  [started, masters] = [[], []];
});
afterEach(async () => {
  for (const master of masters) master.close();
  for (const child of started) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }
  await rm(jobFolder, { recursive: true, force: true });
});

const workerFolder = () => join(jobFolder, 'workers', 'worker-1');
const ownFolder = () => join(jobFolder, 'shuffle', 'shuffle-service');
const indicesIn = async (folder: string) => (await reportPartitions(folder)).map((each) => each.partitionIndex);

async function publish(name: PartitionName): Promise<void> {
  await writeFile(await preparePartition(workerFolder(), name), `rows of ${name.partitionIndex}`);
  await publishPartition(workerFolder(), { ...name, jobId: 'j', rows: 1, subpartitionRows: [1], columns: [] });
}

function service(orphanTimeoutMs = 20_000): ChildProcess {
  const args = [program, jobFolder, 'shuffle-service', String(orphanTimeoutMs)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'ignore'] });
  started.push(child);
  return child;
}

class Master {
  readonly epoch: number;
  readonly #server: Server;
  readonly #received: ToJobMaster[] = [];
  #link: Connection<ToShuffleService, ToJobMaster> | null = null;
  #wake = () => {};

  constructor(epoch: number, server: Server) {
    this.epoch = epoch;
    this.#server = server;
    server.on('connection', (socket) => {
      const link = new Connection<ToShuffleService, ToJobMaster>({ socket, peer: 'service', parse: parseToJobMaster });
      link.onMessage((message) => {
        if (message.type === 'register-shuffle-service') {
          this.#link = link;
          link.send({ type: 'registered', epoch });
        }
        this.#received.push(message);
        this.#wake();
      });
    });
  }

  static async lead(epoch: number): Promise<Master> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const master = new Master(epoch, server);
    masters.push(master);
    const { port } = server.address() as { port: number };
    const address = { epoch, pid: process.pid, host: '127.0.0.1', port, token: 'secret' };
    await writeMasterFile(join(jobFolder, 'master.json'), address);
    return master;
  }

  send(message: ToShuffleService): void {
    this.#link?.send(message);
  }

  take(handOver: number, ...partitions: readonly PartitionName[]): void {
    this.send({ type: 'take-partitions', epoch: this.epoch, handOver, workerId: 'worker-1', partitions });
  }

  async next<Type extends ToJobMaster['type']>(type: Type): Promise<Extract<ToJobMaster, { type: Type }>> {
    for (;;) {
      const index = this.#received.findIndex((message) => message.type === type);
      if (index >= 0) return this.#received.splice(index, 1)[0] as Extract<ToJobMaster, { type: Type }>;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#link?.destroy();
    this.#server.close();
  }
}

describe('a shuffle service', () => {
  it('takes partitions over, refuses what is not whole, releases, and ends when it is told to', async () => {
    const master = await Master.lead(1);
    const child = service();
    expect(await master.next('register-shuffle-service')).toMatchObject({
      token: 'secret',
      serviceId: 'shuffle-service',
      pid: child.pid,
      partitions: [],
    });
    await publish(named(0));
    await publish(named(1));
    master.take(1, named(0), named(1));
    expect(await master.next('partitions-taken')).toMatchObject({ epoch: 1, handOver: 1 });
    expect([await indicesIn(workerFolder()), await indicesIn(ownFolder())]).toEqual([[], [0, 1]]);
    master.take(2, named(2));
    expect(await master.next('partitions-refused')).toMatchObject({ handOver: 2, missing: true });
    master.send({ type: 'release-partitions', epoch: 1, partitions: [named(0)] });
    master.take(3, named(1));
    await master.next('partitions-taken');
    master.send({ type: 'shutdown', epoch: 1 });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await indicesIn(ownFolder())).toEqual([1]);
  });

  it('reports after SIGKILL what lies whole in its folder, and clears away what does not', async () => {
    const master = await Master.lead(1);
    const first = service();
    await master.next('register-shuffle-service');
    await publish(named(0));
    await publish(named(1));
    master.take(1, named(0), named(1));
    await master.next('partitions-taken');
    const second = service();
    expect(await once(second, 'close')).toEqual([1, null]);
    first.kill('SIGKILL');
    await once(first, 'close');
    const damaged = partitionPath(ownFolder(), named(1));
    await writeFile(damaged, 'other bytes');
    service();
    const { partitions } = await master.next('register-shuffle-service');
    expect(partitions).toMatchObject([named(0)]);
    await expect(rm(damaged)).rejects.toThrow(/ENOENT/);
  });

  it('follows the newer epoch, and refuses the commands of the older', async () => {
    const old = await Master.lead(1);
    service();
    await old.next('register-shuffle-service');
    await publish(named(0));
    await publish(named(1));
    const young = await Master.lead(2);
    await young.next('register-shuffle-service');
    old.take(1, named(0));
    young.send({ type: 'take-partitions', epoch: 1, handOver: 7, workerId: 'worker-1', partitions: [named(0)] });
    young.take(2, named(1));
    expect(await young.next('partitions-taken')).toMatchObject({ handOver: 2 });
    expect([await indicesIn(workerFolder()), await indicesIn(ownFolder())]).toEqual([[0], [1]]);
  });

  it('whose folder another process has claimed changes nothing and ends', async () => {
    const master = await Master.lead(1);
    const child = service();
    await master.next('register-shuffle-service');
    await publish(named(0));
    await writeFile(join(ownFolder(), 'claims', '0000000002'), '{}');
    master.take(1, named(0));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect([await indicesIn(workerFolder()), await indicesIn(ownFolder())]).toEqual([[0], []]);
  });

  it('is told names and not paths: what leads elsewhere ends the connection', async () => {
    const master = await Master.lead(1);
    service();
    await master.next('register-shuffle-service');
    await mkdir(join(jobFolder, 'workers', 'worker-1'), { recursive: true });
    master.take(1, { ...named(0), datasetId: '../../secrets' });
    // It comes back on a new connection.
    await master.next('register-shuffle-service');
  });

  it('ends itself when nobody leads for the orphan timeout', async () => {
    expect(await once(service(300), 'close')).toEqual([0, null]);
  });
});
