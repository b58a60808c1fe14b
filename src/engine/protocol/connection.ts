// Connection: one side's end of a socket between client, JobMaster and TaskManager. Only messages that were parsed
// reach the owner; bytes or messages that break the protocol close the connection with the ProtocolViolation that says
// so. Remembers when the other side was last heard, on a clock that never jumps. Spec: docs/adr/0003-process-protocol.md.
import type { Socket } from 'node:net';
import { encodeFrame, FrameDecoder } from './framing.ts';
import { ProtocolViolation } from './protocol-violation.ts';

/** Checks a decoded map; `side` is how a violation names the sender. */
export type MessageParser<Received> = (value: unknown, side: string) => Received | ProtocolViolation;

export interface ConnectionOptions<Received> {
  readonly socket: Socket;
  /** The other side, as messages name it; may be made more exact with `peer` once it has registered. */
  readonly peer: string;
  readonly parse: MessageParser<Received>;
}

/** Messages of type `Sent` go out, messages of type `Received` come in. Handlers are called one message at a time, in order. */
export class Connection<Sent extends object, Received> {
  peer: string;
  /** `performance.now()` when bytes last came in. */
  lastReceivedMs = performance.now();
  readonly #socket: Socket;
  readonly #parse: MessageParser<Received>;
  readonly #decoder: FrameDecoder;
  #handleMessage: (message: Received) => void = () => {};
  #handleClose: (cause: Error | null) => void = () => {};
  #cause: Error | null = null;
  #closed = false;

  constructor(options: ConnectionOptions<Received>) {
    this.peer = options.peer;
    this.#socket = options.socket;
    this.#parse = options.parse;
    this.#decoder = new FrameDecoder(options.peer);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', () => this.#ended());
    this.#socket.once('close', () => this.#finish());
  }

  /** False once the connection is closing: nothing reaches the other side any more. */
  get isOpen(): boolean {
    return !this.#closed && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Milliseconds since the other side was last heard. */
  silentMs(nowMs = performance.now()): number {
    return nowMs - this.lastReceivedMs;
  }

  /** To be called before the turn ends in which the connection was made, so that no message is missed. */
  onMessage(handle: (message: Received) => void): void {
    this.#handleMessage = handle;
  }

  /** Called once, with the violation or socket error that ended the connection, or null for an ordinary end. */
  onClose(handle: (cause: Error | null) => void): void {
    this.#handleClose = handle;
  }

  /** Whether the message was handed to the socket; false where the connection is closing (its onClose tells why). */
  send(message: Sent): boolean {
    if (!this.isOpen) return false;
    this.#socket.write(encodeFrame(message));
    return true;
  }

  /** Ends the connection after what was sent has left. */
  end(): void {
    this.#socket.end();
  }

  /** Ends the connection now; `cause` is what onClose gets. */
  destroy(cause: Error | null = null): void {
    this.#cause ??= cause;
    this.#closed = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.lastReceivedMs = performance.now();
    for (const value of this.#decoder.push(chunk)) {
      const message = value instanceof ProtocolViolation ? value : this.#parse(value, this.peer);
      if (message instanceof ProtocolViolation) this.#fail(message);
      else this.#handleMessage(message);
      if (this.#closed) return;
    }
  }

  #ended(): void {
    if (this.#decoder.insideFrame) this.#fail(new ProtocolViolation(this.peer, 'ended the connection inside a frame'));
    else this.#socket.end();
  }

  #fail(cause: Error): void {
    this.destroy(cause);
  }

  #finish(): void {
    this.#closed = true;
    this.#handleClose(this.#cause);
  }
}
