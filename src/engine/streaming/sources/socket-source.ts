// Lines from a TCP server, as they come. Not replayable: what was read since the last checkpoint is gone after a
// failure, and docs, dry run and run say so. A server that ends the connection ends the source.
import { connect, type Socket } from 'node:net';
import { JobrecError, messageOf } from '../../../model/errors.ts';
import type { SourceConnector } from '../../../model/streaming-plan.ts';
import type { RowDecoder } from './row-format.ts';
import type { RestoredSplits, SourceRecord, SplitState, StreamSource } from './stream-source.ts';

type SocketConnector = Extract<SourceConnector, { kind: 'socket' }>;

/** Lines read ahead before the server is made to wait. */
const linesMax = 1_000;
const lineBytesMax = 1024 * 1024;

export class SocketSource implements StreamSource {
  readonly discoveryIntervalMs = null;
  readonly #connector: SocketConnector;
  readonly #decoder: RowDecoder;
  readonly #splitId: string;
  #socket: Socket | null = null;
  #text = '';
  #lines: string[] = [];
  #taken = 0;
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(connector: SocketConnector, decoder: RowDecoder) {
    this.#connector = connector;
    this.#decoder = decoder;
    this.#splitId = `${connector.host}:${connector.port}`;
  }

  get droppedRows(): number {
    return this.#decoder.droppedRows;
  }

  async discover(restored: RestoredSplits | null): Promise<readonly SplitState[]> {
    return restored ? [] : [{ splitId: this.#splitId, position: 0 }];
  }

  async addSplit({ position }: SplitState): Promise<void> {
    this.#taken = Number(position);
    const { host, port } = this.#connector;
    const socket = connect({ host, port });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(unreachable(this.#splitId, error)));
    });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(unreachable(this.#splitId, error)));
    socket.on('end', () => this.#end(null));
  }

  async poll(recordsMax: number, waitMs: number): Promise<readonly SourceRecord[] | 'end'> {
    if (this.#lines.length === 0 && !this.#ended) await this.#news(waitMs);
    if (this.#failure) throw this.#failure;
    if (this.#lines.length === 0) return this.#ended ? 'end' : [];
    const lines = this.#lines.splice(0, recordsMax);
    if (this.#lines.length < linesMax) this.#socket?.resume();
    return lines.flatMap((line) => this.#record(line));
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
  }

  #record(line: string): SourceRecord[] {
    this.#taken += 1;
    const row = this.#decoder.decode(line, () => `${this.#splitId}: line ${this.#taken}`);
    return row ? [{ splitId: this.#splitId, row, position: this.#taken }] : [];
  }

  #receive(chunk: string): void {
    const lines = (this.#text + chunk).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#lines.push(line.replace(/\r$/, ''));
    if (this.#text.length > lineBytesMax)
      this.#end(new Error(`${this.#splitId}: a line is longer than ${lineBytesMax}`));
    if (this.#lines.length >= linesMax) this.#socket?.pause();
    this.#wake();
  }

  #end(failure: Error | null): void {
    if (failure === null && this.#text.trim() !== '') this.#lines.push(this.#text);
    this.#text = '';
    this.#failure ??= failure;
    this.#ended = true;
    this.#wake();
  }

  #news(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function unreachable(address: string, error: Error): JobrecError {
  const message = `the socket ${address} cannot be read: ${messageOf(error)}`;
  return new JobrecError('SOURCE_UNREADABLE', message, { data: { address } });
}
