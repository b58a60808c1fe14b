// A JobMaster that says what a test wants said: listens on loopback, writes master.json, keeps what workers send.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Connection } from '../../../src/engine/protocol/connection.ts';
import { writeMasterFile } from '../../../src/engine/protocol/master-file.ts';
import type { ToJobMaster, ToTaskManager } from '../../../src/engine/protocol/messages.ts';
import { parseToJobMaster } from '../../../src/engine/protocol/validate.ts';

export type WorkerLink = Connection<ToTaskManager, ToJobMaster>;
export type Registration = Extract<ToJobMaster, { type: 'register-worker' }>;

const root = join(import.meta.dirname, '../../..');

/** Bundles the TaskManager as the build does; inside node_modules, so that native packages are found from it. */
export async function bundleTaskManager(): Promise<string> {
  const folder = join(root, 'node_modules', '.cache', `jobrec-test-${process.pid}`);
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: {
      'task-manager': join(root, 'src/engine/task-manager/main.ts'),
      'slot-worker': join(root, 'src/engine/task-manager/slot-worker.ts'),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
  });
  return folder;
}

export function startTaskManager(
  bundle: string,
  jobFolder: string,
  workerId: string,
  orphanTimeoutMs = 20_000,
): TaskManagerProcess {
  const args = [
    join(bundle, 'task-manager.js'),
    jobFolder,
    workerId,
    '2',
    String(256 * 1024 * 1024),
    String(orphanTimeoutMs),
  ];
  return new TaskManagerProcess(spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] }));
}

export class TaskManagerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
  }
}

export class FakeJobMaster {
  readonly epoch: number;
  readonly #server: Server;
  readonly #links: WorkerLink[] = [];
  readonly #received: ToJobMaster[] = [];
  #waiting: (() => void)[] = [];
  /** The connection over which a worker registered last. */
  link: WorkerLink | null = null;
  closed = 0;

  private constructor(epoch: number, server: Server) {
    this.epoch = epoch;
    this.#server = server;
  }

  static async start(jobFolder: string, epoch: number): Promise<FakeJobMaster> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const master = new FakeJobMaster(epoch, server);
    server.on('connection', (socket) =>
      master.#accept(new Connection({ socket, peer: 'TaskManager', parse: parseToJobMaster })),
    );
    const { port } = server.address() as { port: number };
    await writeMasterFile(join(jobFolder, 'master.json'), {
      epoch,
      pid: process.pid,
      host: '127.0.0.1',
      port,
      token: 'secret',
    });
    return master;
  }

  stop(): void {
    for (const link of this.#links) link.destroy();
    this.#server.close();
  }

  send(message: ToTaskManager): void {
    this.link?.send(message);
  }

  /** The first message not yet taken that is of this type. */
  async next<Type extends ToJobMaster['type']>(type: Type): Promise<Extract<ToJobMaster, { type: Type }>> {
    for (;;) {
      const index = this.#received.findIndex((message) => message.type === type);
      if (index >= 0) return this.#received.splice(index, 1)[0] as Extract<ToJobMaster, { type: Type }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Messages of this type that were not taken. */
  untaken(type: ToJobMaster['type']): number {
    return this.#received.filter((message) => message.type === type).length;
  }

  #accept(link: WorkerLink): void {
    this.#links.push(link);
    link.onClose(() => {
      this.closed++;
    });
    link.onMessage((message) => {
      if (message.type === 'register-worker') {
        this.link = link;
        link.send({ type: 'registered', epoch: this.epoch });
      }
      this.#received.push(message);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    });
  }
}
