// The bytes of single frames, for `inspect --raw`. Reads only, and only what a reader has already found whole: the
// length comes from a checked record, so it is bounded by the format's own limit.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { invariant } from '../model/errors.ts';
import type { LogRecord } from '../model/job-log.ts';

type OpenFile = Awaited<ReturnType<typeof open>>;

export class RawFrames {
  readonly #folder: string;
  #segment: { readonly name: string; readonly file: OpenFile } | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The frame, header included. */
  async bytesOf(record: Pick<LogRecord, 'segment' | 'offset' | 'bytes'>): Promise<Buffer> {
    const file = await this.#fileOf(record.segment);
    const buffer = Buffer.alloc(record.bytes);
    const { bytesRead } = await file.read(buffer, 0, record.bytes, record.offset);
    invariant(bytesRead === record.bytes, `${record.segment} became shorter than a record that was read from it`);
    return buffer;
  }

  async close(): Promise<void> {
    await this.#segment?.file.close();
    this.#segment = null;
  }

  async #fileOf(name: string): Promise<OpenFile> {
    if (this.#segment?.name === name) return this.#segment.file;
    await this.close();
    const file = await open(join(this.#folder, name), 'r');
    this.#segment = { name, file };
    return file;
  }
}
