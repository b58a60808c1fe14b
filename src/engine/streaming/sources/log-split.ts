// One file of a log folder: append-only lines, read from a byte offset on. A line counts when its newline is there, so
// that one which is still being written is never read in half; at the end of a bounded log the last line needs none.
import { type FileHandle, open } from 'node:fs/promises';
import { JobrecError } from '../../../model/errors.ts';

const chunkBytes = 64 * 1024;
const lineBytesMax = 16 * 1024 * 1024;
const newline = 0x0a;

export interface LogLine {
  readonly text: string;
  /** Byte offset at which the line begins. */
  readonly begin: number;
  /** Byte offset behind its newline. */
  readonly end: number;
}

export class LogSplit {
  readonly path: string;
  /** Where to stop, in a bounded log; null: never. */
  readonly endOffset: number | null;
  #file: FileHandle | null = null;
  /** Bytes read of a line that has not ended yet, from `#offset` on. */
  #pending: Buffer = Buffer.alloc(0);
  #offset: number;

  constructor(path: string, offset: number, endOffset: number | null) {
    this.path = path;
    this.#offset = offset;
    this.endOffset = endOffset;
  }

  /** Whether all of a bounded log has been read. */
  get isAtEnd(): boolean {
    return this.endOffset !== null && this.#offset >= this.endOffset;
  }

  /** The next lines: all that one read brings; none where nothing was appended. */
  async read(): Promise<LogLine[]> {
    const from = this.#offset + this.#pending.length;
    const wanted = this.endOffset === null ? chunkBytes : Math.min(chunkBytes, this.endOffset - from);
    const chunk = wanted > 0 ? await this.#readAt(from, wanted) : Buffer.alloc(0);
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const lines = this.#cut(bytes);
    const isLast = this.endOffset !== null && from + chunk.length >= this.endOffset;
    if (isLast && this.#pending.length > 0) lines.push(this.#unfinished());
    if (this.#pending.length > lineBytesMax) throw this.#tooLong();
    return lines;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  #cut(bytes: Buffer): LogLine[] {
    const lines: LogLine[] = [];
    let at = 0;
    for (let next = bytes.indexOf(newline); next >= 0; next = bytes.indexOf(newline, at)) {
      const begin = this.#offset;
      this.#offset += next + 1 - at;
      const end = next > at && bytes[next - 1] === 0x0d ? next - 1 : next;
      lines.push({ text: bytes.toString('utf8', at, end), begin, end: this.#offset });
      at = next + 1;
    }
    // A copy: the rest must not hold the whole chunk.
    this.#pending = Buffer.from(bytes.subarray(at));
    return lines;
  }

  #unfinished(): LogLine {
    const begin = this.#offset;
    this.#offset += this.#pending.length;
    const text = this.#pending.toString('utf8');
    this.#pending = Buffer.alloc(0);
    return { text, begin, end: this.#offset };
  }

  async #readAt(position: number, length: number): Promise<Buffer> {
    this.#file ??= await open(this.path, 'r');
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) await this.#requireAppendOnly(position);
    return buffer.subarray(0, bytesRead);
  }

  async #requireAppendOnly(position: number): Promise<void> {
    const size = (await this.#file?.stat())?.size ?? 0;
    if (size >= (this.endOffset ?? position)) return;
    const before = size < position ? `was read up to byte ${position} already` : `had ${this.endOffset} at the start`;
    throw new JobrecError(
      'SOURCE_UNREADABLE',
      `${this.path} has ${size} bytes, and ${before}: a log is only ever appended to`,
      { data: { path: this.path, bytes: size, offset: position } },
    );
  }

  #tooLong(): JobrecError {
    const message = `${this.path}: the line at byte ${this.#offset} is longer than ${lineBytesMax} bytes`;
    return new JobrecError('SOURCE_UNREADABLE', message, { data: { path: this.path, offset: this.#offset } });
  }
}
