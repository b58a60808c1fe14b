// A disk for tests, on top of the real one: it fails at a chosen operation, writes short, and after a crash it forgets
// what was not synced, in any order, as a real one may: any unsynced block can be lost or kept, an unsynced name can be
// gone or back to its old content.
import { readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { localStorage, type StorageFile, type StoragePort } from '../../src/store/storage-port.ts';

export type Operation = 'write' | 'datasync' | 'rename' | 'syncFolder' | 'createFile' | 'openFile' | 'remove';

export interface Fault {
  /** Fails the operation with this error. */
  readonly error?: string;
  /** Takes only so many bytes of a write; together with `error`, the next one fails. */
  readonly shortTo?: number;
  /** Waits before the operation goes on. */
  readonly until?: Promise<void>;
}

const blockBytes = 64;

export class FaultyStorage implements StoragePort {
  /** Every operation so far, with the file's or folder's path. */
  readonly operations: { readonly operation: Operation; readonly path: string }[] = [];
  readonly #decide: (operation: Operation, count: number, path: string) => Fault | null;
  readonly #counts = new Map<Operation, number>();
  readonly #synced = new Map<string, Buffer>();
  #unsyncedNames: (() => Promise<void>)[] = [];
  syncsInFlight = 0;
  syncsInFlightMax = 0;

  /** `decide` is asked before each operation; `count` is 1 for the first of its kind. */
  constructor(decide: (operation: Operation, count: number, path: string) => Fault | null = () => null) {
    this.#decide = decide;
  }

  makeFolder(folder: string): Promise<void> {
    return localStorage.makeFolder(folder);
  }

  async createFile(path: string): Promise<StorageFile> {
    await this.#before('createFile', path);
    this.#synced.set(path, Buffer.alloc(0));
    return this.#wrap({ path }, await localStorage.createFile(path));
  }

  async openFile(path: string): Promise<StorageFile> {
    await this.#before('openFile', path);
    return this.#wrap({ path }, await localStorage.openFile(path));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#before('rename', from);
    const replaced = await readFile(to).catch(() => null);
    await rename(from, to);
    const synced = this.#synced.get(from);
    this.#renamed.set(from, to);
    if (synced !== undefined) this.#synced.set(to, synced);
    this.#synced.delete(from);
    this.#unsyncedNames.push(() => (replaced === null ? rm(to, { force: true }) : writeFile(to, replaced)));
  }

  async remove(path: string): Promise<void> {
    await this.#before('remove', path);
    await localStorage.remove(path);
    this.#synced.delete(path);
  }

  async syncFolder(folder: string): Promise<void> {
    await this.#before('syncFolder', folder);
    await localStorage.syncFolder(folder);
    this.#unsyncedNames = [];
  }

  /** Loses what a power failure may lose. `random` gives numbers below 1. */
  async crash(random: () => number): Promise<void> {
    for (const undo of this.#unsyncedNames.reverse()) if (random() < 0.5) await undo();
    for (const [path, synced] of this.#synced) await this.#loseBlocks(path, synced, random);
  }

  readonly #renamed = new Map<string, string>();

  async #before(operation: Operation, path: string): Promise<Fault | null> {
    const count = (this.#counts.get(operation) ?? 0) + 1;
    this.#counts.set(operation, count);
    this.operations.push({ operation, path });
    const fault = this.#decide(operation, count, path);
    if (fault?.until) await fault.until;
    if (fault?.error && fault.shortTo === undefined) throw failure(fault.error);
    return fault;
  }

  #wrap(named: { path: string }, file: StorageFile): StorageFile {
    const pathNow = () => this.#renamed.get(named.path) ?? named.path;
    return {
      write: async (bytes, position) => {
        const fault = await this.#before('write', pathNow());
        return file.write(fault?.shortTo === undefined ? bytes : bytes.subarray(0, fault.shortTo), position);
      },
      datasync: async () => {
        this.syncsInFlight += 1;
        this.syncsInFlightMax = Math.max(this.syncsInFlightMax, this.syncsInFlight);
        try {
          await this.#before('datasync', pathNow());
          const content = await readFile(pathNow());
          await file.datasync();
          this.#synced.set(pathNow(), content);
        } finally {
          this.syncsInFlight -= 1;
        }
      },
      close: () => file.close(),
    };
  }

  async #loseBlocks(path: string, synced: Buffer, random: () => number): Promise<void> {
    const found = await stat(path).catch(() => null);
    if (found === null) return;
    const content = await readFile(path);
    // the name went back to an older file: that one is as it was
    if (content.length <= synced.length) return;
    for (let at = synced.length; at < content.length; at += blockBytes) {
      if (random() < 0.5) content.fill(0, at, Math.min(at + blockBytes, content.length));
    }
    await writeFile(path, content);
    if (random() < 0.5)
      await truncate(path, synced.length + Math.floor(random() * (content.length - synced.length + 1)));
  }
}

export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** A small seeded generator (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
