// The JobMaster's only open door: a TCP port on the loopback address. Whoever connects must say first who it is, with
// the job's token; anything else is closed unanswered.
import { createServer, type Server, type Socket } from 'node:net';
import { Connection } from '../protocol/connection.ts';
import type { SavepointOrder, ToClient, ToJobMaster, ToShuffleService, ToTaskManager } from '../protocol/messages.ts';
import { isSameToken } from '../protocol/token.ts';
import { parseToJobMaster } from '../protocol/validate.ts';
import type { ServiceConnection, ServiceRegistration } from '../shuffle-service/service-process.ts';
import type { Registration, WorkerConnection } from './worker-pool.ts';

export type ClientConnection = Connection<ToClient, ToJobMaster>;
export type Control = Extract<ToJobMaster, { type: 'control' }>;

export interface ListenerHandlers {
  worker(connection: WorkerConnection, registration: Registration): void;
  /** Absent: a job without one. */
  shuffleService?(connection: ServiceConnection, registration: ServiceRegistration): void;
  client(connection: ClientConnection, pid: number): void;
  control(connection: ClientConnection, control: Control): void;
  /** Absent: a batch job, which has no savepoints. */
  savepoint?(connection: ClientConnection, order: SavepointOrder): void;
}

export interface Listener {
  readonly port: number;
  close(): void;
}

export const loopbackHost = '127.0.0.1';

/** How long a connection may stay without saying who it is. */
const introductionTimeoutMs = 10_000;

export async function listen(token: string, handlers: ListenerHandlers): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    introduce(socket, token, handlers);
  });
  const port = await boundPort(server);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function boundPort(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, loopbackHost, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

function introduce(socket: Socket, token: string, handlers: ListenerHandlers): void {
  // Both directions share one parser; what is sent depends on who it turns out to be.
  const connection = new Connection<ToClient & ToTaskManager & ToShuffleService, ToJobMaster>({
    socket,
    peer: `a process at port ${socket.remotePort}`,
    parse: parseToJobMaster,
  });
  const timer = setTimeout(() => connection.destroy(), introductionTimeoutMs);
  timer.unref();
  connection.onClose(() => clearTimeout(timer));
  connection.onMessage((message) => {
    clearTimeout(timer);
    if (!('token' in message) || !isSameToken(message.token, token)) return connection.destroy();
    handOver(connection as unknown as AnyConnection, message, handlers);
  });
}

type AnyConnection = WorkerConnection & ClientConnection & ServiceConnection;

function handOver(
  connection: AnyConnection,
  message: Extract<ToJobMaster, { token: string }>,
  handlers: ListenerHandlers,
): void {
  switch (message.type) {
    case 'register-worker':
      return handlers.worker(connection, message);
    case 'register-shuffle-service':
      return handlers.shuffleService?.(connection, message);
    case 'attach-client':
      return handlers.client(connection, message.pid);
    case 'control':
      return handlers.control(connection, message);
    case 'savepoint':
      return handlers.savepoint ? handlers.savepoint(connection, message) : connection.destroy();
  }
}
