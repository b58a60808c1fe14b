// The clients attached to a JobMaster: they are told the job's status and progress, and what a user should know. Losing
// them changes nothing for the job. Progress is sent when it changed.
import type { JobState } from '../../model/states.ts';
import type { ToClient, VertexProgress } from '../protocol/messages.ts';
import type { ClientConnection } from './listener.ts';

/** Longest silence towards the clients. */
const quietIntervalMs = 1_000;
/** A client that attaches is told this much of what was said before. */
const saidMax = 200;

type Said = Extract<ToClient, { type: 'status' | 'notice' }>;

export class ClientHub {
  readonly #clients = new Map<ClientConnection, number | null>();
  readonly #onChange: () => void;
  /** Of this epoch: a client that attaches sees how the job came to where it is. */
  readonly #said: Said[] = [];
  #lastProgress: Extract<ToClient, { type: 'progress' }> | null = null;
  #sentProgress = '';
  #sentAtMs = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Pid of the client that attached last; null: the master is headless. */
  get pid(): number | null {
    return [...this.#clients.values()].filter((pid) => pid !== null).at(-1) ?? null;
  }

  /** @param pid null: one that only waits for an answer, and does not look after the job */
  attach(connection: ClientConnection, pid: number | null): void {
    this.#clients.set(connection, pid);
    connection.onClose(() => {
      this.#clients.delete(connection);
      this.#onChange();
    });
    for (const said of this.#said) connection.send(said);
    if (this.#lastProgress) connection.send(this.#lastProgress);
    this.#onChange();
  }

  onControl(connection: ClientConnection, handle: (command: 'cancel' | 'suspend', reason: string) => void): void {
    connection.onMessage((message) => {
      if (message.type === 'control') handle(message.command, message.reason);
    });
  }

  status(state: JobState, reason: string | null): void {
    this.#say({ type: 'status', state, reason });
  }

  notice(message: string): void {
    this.#say({ type: 'notice', message });
  }

  /** Sent when it changed, and at intervals otherwise: a client takes long silence for a master that hangs. */
  progress(vertices: readonly VertexProgress[]): void {
    const text = JSON.stringify(vertices);
    const nowMs = performance.now();
    if (text === this.#sentProgress && nowMs - this.#sentAtMs < quietIntervalMs) return;
    this.#sentProgress = text;
    this.#sentAtMs = nowMs;
    this.#lastProgress = { type: 'progress', vertices };
    this.#send(this.#lastProgress);
  }

  #say(said: Said): void {
    this.#said.push(said);
    if (this.#said.length > saidMax) this.#said.shift();
    this.#send(said);
  }

  #send(message: ToClient): void {
    for (const client of this.#clients.keys()) client.send(message);
  }
}
