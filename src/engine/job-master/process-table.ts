// processes.json: which processes work for the job right now, for people and scripts (cli-contract: "run"). Replaced
// atomically whenever one changes; writes are serialized, and of several waiting only the newest is written.
import { rm } from 'node:fs/promises';
import type { WorkerId } from '../../model/ids.ts';
import { replaceFile } from '../../store/atomic-file.ts';

export interface ProcessList {
  readonly epoch: number;
  readonly client: { readonly pid: number } | null;
  readonly jobMaster: { readonly pid: number };
  /** Only of a job with a shuffle service, while it lives. */
  readonly shuffleService?: { readonly pid: number };
  readonly taskManagers: readonly { readonly workerId: WorkerId; readonly pid: number }[];
}

export class ProcessTable {
  readonly #path: string;
  readonly #leads: () => Promise<boolean>;
  #written = '';
  #wanted: string | null = null;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /** `leads`: a JobMaster that was replaced lists nothing any more. */
  constructor(path: string, leads: () => Promise<boolean>) {
    this.#path = path;
    this.#leads = leads;
  }

  update(list: ProcessList): void {
    if (this.#closed) return;
    this.#wanted = `${JSON.stringify(list)}\n`;
    this.#writing = this.#writing.then(() => this.#writeWanted());
  }

  /** Removes the file; later updates do nothing. */
  async remove(): Promise<void> {
    this.#closed = true;
    this.#wanted = null;
    await this.#writing;
    await rm(this.#path, { force: true });
  }

  async #writeWanted(): Promise<void> {
    const text = this.#wanted;
    this.#wanted = null;
    if (text === null || text === this.#written) return;
    if (!(await this.#leads().catch(() => false))) return;
    this.#written = text;
    // A full disk must not stop the job for the sake of this list: the store is what decides.
    await replaceFile(this.#path, text).catch(() => {});
  }
}
