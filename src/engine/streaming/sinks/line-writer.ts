// Appends text to a file behind the caller's back: one write at a time, what comes meanwhile goes with the next. The
// caller asks `ready` before it goes on, so that what is buffered stays bounded however slow the disk is.
import type { FileHandle } from 'node:fs/promises';

const charactersMax = 256 * 1024;

export class LineWriter {
  readonly #open: () => Promise<FileHandle>;
  #file: FileHandle | null = null;
  #text = '';
  #writing: Promise<void> | null = null;
  #failure: unknown = null;
  #bytes = 0;

  /** @param open called with the first text */
  constructor(open: () => Promise<FileHandle>) {
    this.#open = open;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws what a write before has met. */
  append(text: string): void {
    if (this.#failure !== null) throw this.#failure;
    this.#text += text;
    this.#start();
  }

  /** null: takes more; else resolves when it does. */
  ready(): Promise<void> | null {
    return this.#text.length > charactersMax ? this.#writing : null;
  }

  /** Resolves when everything has been written. Throws what that met. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Writes what is left, syncs if asked to, and closes the file. */
  async close({ sync }: { readonly sync: boolean }): Promise<void> {
    try {
      await this.flush();
      if (sync) await this.#file?.sync();
    } finally {
      await this.#file?.close();
      this.#file = null;
    }
  }

  #start(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = null;
    });
  }

  async #drain(): Promise<void> {
    // The text of this turn goes together.
    await Promise.resolve();
    try {
      while (this.#text !== '') {
        const text = Buffer.from(this.#text);
        this.#text = '';
        this.#file ??= await this.#open();
        await this.#file.writeFile(text);
        this.#bytes += text.length;
      }
    } catch (error) {
      this.#failure = error;
    }
  }
}
