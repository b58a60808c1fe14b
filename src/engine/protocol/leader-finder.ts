// Finds the leading JobMaster through master.json and keeps one connection to it: looks often while there is none,
// now and then while there is one (a master that hangs keeps its connection open, but a newer epoch has replaced it).
import { connect } from 'node:net';
import { Connection, type MessageParser } from './connection.ts';
import { type MasterAddress, readMasterFile } from './master-file.ts';
import type { ToJobMaster } from './messages.ts';

/** From a process that follows the leader; `Received` is what the JobMaster says to such a process. */
export type LeaderConnection<Received> = Connection<ToJobMaster, Received>;

const searchIntervalMs = 20;
const watchIntervalMs = 500;

export interface LeaderFinderOptions<Received> {
  readonly masterFile: string;
  /** How long to look before giving up. */
  readonly orphanTimeoutMs: number;
  readonly parse: MessageParser<Received>;
  readonly onLeader: (connection: LeaderConnection<Received>, token: string) => void;
  readonly onMessage: (connection: LeaderConnection<Received>, message: Received) => void;
  readonly onLost: () => void;
  readonly onOrphaned: () => void;
}

export class LeaderFinder<Received> {
  readonly #options: LeaderFinderOptions<Received>;
  #current: { readonly connection: LeaderConnection<Received>; readonly epoch: number } | null = null;
  #connecting = false;
  #newestEpoch = 0;
  #alone = performance.now();

  constructor(options: LeaderFinderOptions<Received>) {
    this.#options = options;
  }

  start(): void {
    setTimeout(() => void this.#look(), 0);
  }

  async #look(): Promise<void> {
    const address = await readMasterFile(this.#options.masterFile);
    if (address && this.#isNews(address)) this.#connect(address);
    const alone = this.#current === null && !this.#connecting;
    if (alone && performance.now() - this.#alone > this.#options.orphanTimeoutMs) return this.#options.onOrphaned();
    setTimeout(() => void this.#look(), this.#current ? watchIntervalMs : searchIntervalMs);
  }

  #isNews(address: MasterAddress): boolean {
    if (this.#connecting || address.epoch < this.#newestEpoch) return false;
    return this.#current === null || address.epoch > this.#current.epoch;
  }

  #connect({ host, port, token, epoch }: MasterAddress): void {
    this.#connecting = true;
    const socket = connect({ host, port });
    const { parse } = this.#options;
    const connection: LeaderConnection<Received> = new Connection({ socket, peer: 'the JobMaster', parse });
    connection.onMessage((message) => this.#options.onMessage(connection, message));
    connection.onClose(() => this.#lost(connection));
    socket.once('connect', () => {
      const before = this.#current;
      this.#connecting = false;
      this.#newestEpoch = epoch;
      this.#current = { connection, epoch };
      before?.connection.destroy();
      this.#options.onLeader(connection, token);
    });
  }

  #lost(connection: LeaderConnection<Received>): void {
    if (this.#current?.connection === connection) {
      this.#current = null;
      this.#alone = performance.now();
      this.#options.onLost();
    } else if (this.#current === null) {
      this.#connecting = false;
    }
  }
}
