// The data port of one slot: consumers of its tasks' outputs connect to it, say which channel they want and how many
// batches they take, and get its rows. Loopback only, with the attempt's token.
import { createServer, type Server, type Socket } from 'node:net';
import { Connection } from '../../protocol/connection.ts';
import { isSameToken } from '../../protocol/token.ts';
import { parseToProducer, type ToConsumer, type ToProducer } from './channel-messages.ts';
import type { OutputChannel } from './output-channel.ts';

const host = '127.0.0.1';

export interface DataServerOptions {
  readonly token: string;
  readonly attempt: number;
  /** The channel of an edge; undefined: there is none. */
  readonly channel: (datasetId: string, producer: number, consumer: number) => OutputChannel | undefined;
}

export class DataServer {
  readonly #options: DataServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: DataServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** The port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const peer = `a consumer at port ${socket.remotePort}`;
    const connection = new Connection<ToConsumer, ToProducer>({ socket, peer, parse: parseToProducer });
    connection.onMessage((message) => this.#open(connection, message));
  }

  #open(connection: Connection<ToConsumer, ToProducer>, message: ToProducer): void {
    const { token, attempt, channel: channelOf } = this.#options;
    if (message.type !== 'open' || message.attempt !== attempt || !isSameToken(message.token, token)) {
      return connection.destroy();
    }
    const channel = channelOf(message.datasetId, message.producer, message.consumer);
    if (!channel || channel.isOpen) return connection.destroy();
    connection.onMessage((next) => {
      if (next.type === 'credit') channel.consumed(next.credits);
      else connection.destroy();
    });
    channel.open(connection, message.credits);
  }
}
