// A process that serves whoever leads the job: registers with each JobMaster that comes, follows the newest epoch, and
// obeys nobody else (design: invariant 3): a command of another epoch than the one that was registered with is not
// heard. Ends the process when the job ends, or when nobody has led for the orphan timeout.
import type { MessageParser } from './connection.ts';
import { type LeaderConnection, LeaderFinder } from './leader-finder.ts';
import type { FromLeader, ToJobMaster } from './messages.ts';

const heartbeatIntervalMs = 1_000;

/** A command: in force for one epoch. */
type Command = { readonly epoch: number } | { readonly deployment: { readonly epoch: number } };

export interface LeaderFollowerOptions<Commands extends Command> {
  readonly masterFile: string;
  readonly orphanTimeoutMs: number;
  readonly parse: MessageParser<FromLeader | Commands>;
  /**
   * What this process says to a JobMaster that has come, once it has ended what an earlier one ordered: a report must
   * not race with that.
   */
  readonly registration: (token: string) => Promise<ToJobMaster>;
  readonly obey: (command: Commands, connection: LeaderConnection<FromLeader | Commands>) => void;
  /** The leader is gone: nobody wants what it ordered. */
  readonly onLost: () => void;
  /** The process may end. */
  readonly onEnd: (reason: string) => void;
}

export class LeaderFollower<Commands extends Command> {
  readonly #options: LeaderFollowerOptions<Commands>;
  readonly #finder: LeaderFinder<FromLeader | Commands>;
  #leader: LeaderConnection<FromLeader | Commands> | null = null;
  #epoch = 0;

  constructor(options: LeaderFollowerOptions<Commands>) {
    this.#options = options;
    const { masterFile, orphanTimeoutMs, parse, onEnd } = options;
    this.#finder = new LeaderFinder({
      ...{ masterFile, orphanTimeoutMs, parse },
      onLeader: (connection, token) => void this.#register(connection, token),
      onMessage: (connection, message) => this.#hear(connection, message),
      onLost: () => this.#lost(),
      onOrphaned: () => onEnd(`no JobMaster for ${orphanTimeoutMs / 1000} s`),
    });
  }

  start(): void {
    this.#finder.start();
    setInterval(() => this.#leader?.send({ type: 'heartbeat' }), heartbeatIntervalMs);
  }

  /** From now on nothing is obeyed. */
  stop(): void {
    this.#epoch = Number.POSITIVE_INFINITY;
    this.#leader = null;
  }

  /** The epoch that this process serves. */
  get epoch(): number {
    return this.#epoch;
  }

  /** To the leader, where there is one: who comes next is told by the registration. */
  send(message: ToJobMaster): void {
    this.#leader?.send(message);
  }

  async #register(connection: LeaderConnection<FromLeader | Commands>, token: string): Promise<void> {
    this.#leader = null;
    connection.send(await this.#options.registration(token));
  }

  #hear(connection: LeaderConnection<FromLeader | Commands>, message: FromLeader | Commands): void {
    if (!isFromLeader(message)) {
      const epoch = 'deployment' in message ? message.deployment.epoch : message.epoch;
      if (epoch === this.#epoch) this.#options.obey(message, connection);
    } else if (message.type === 'heartbeat') {
      // At the leader's pace (`heartbeat.interval`), beside this process's own.
      connection.send({ type: 'heartbeat' });
    } else if (message.type === 'shutdown') {
      if (message.epoch === this.#epoch) this.#options.onEnd('the JobMaster ended the job');
    } else if (message.epoch < this.#epoch) {
      connection.destroy();
    } else {
      this.#epoch = message.epoch;
      this.#leader = connection;
    }
  }

  #lost(): void {
    this.#leader = null;
    this.#options.onLost();
  }
}

function isFromLeader<Commands extends Command>(message: FromLeader | Commands): message is FromLeader {
  return 'type' in message && ['registered', 'heartbeat', 'shutdown'].includes(message.type);
}
