// Shows the rows of print sinks while the client follows the job: reads what their tasks append to the files in the
// job's logs folder. A client that attaches shows what comes from then on.
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamingPlan } from '../../model/streaming-plan.ts';
import { printFileName } from '../streaming/sinks/print-files.ts';

const pollIntervalMs = 50;
const chunkBytes = 256 * 1024;

interface FollowedFile {
  readonly path: string;
  /** What stands before each row: which sink and task it is of, where there are several. */
  readonly label: string;
  handle: FileHandle | null;
  offset: number;
}

export interface PrintFollowerOptions {
  readonly plan: StreamingPlan;
  readonly logsFolder: string;
  /** Show what is there already. */
  readonly fromBeginning: boolean;
  readonly onLines: (lines: readonly string[]) => Promise<void>;
}

export class PrintFollower {
  readonly #options: PrintFollowerOptions;
  readonly #files: readonly FollowedFile[];
  #isStopping = false;
  #following: Promise<void> = Promise.resolve();

  constructor(options: PrintFollowerOptions) {
    this.#options = options;
    this.#files = printFiles(options.plan, options.logsFolder);
  }

  async start(): Promise<void> {
    if (!this.#options.fromBeginning) for (const file of this.#files) await skipToEnd(file);
    if (this.#files.length > 0) this.#following = this.#follow();
  }

  /** Shows what is left, and ends. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#following;
    for (const { handle } of this.#files) await handle?.close();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const isLast = this.#isStopping;
      let any = false;
      for (const file of this.#files) any = (await this.#show(file)) || any;
      if (isLast && !any) return;
      if (!any) await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
    }
  }

  /** Whether there was something. */
  async #show(file: FollowedFile): Promise<boolean> {
    file.handle ??= await open(file.path, 'r').catch(() => null);
    if (!file.handle) return false;
    const { buffer, bytesRead } = await file.handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, file.offset);
    if (bytesRead === 0) return false;
    // A chunk may end inside a character: what is behind its last newline is read again.
    const newline = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
    if (newline === 0 && bytesRead < chunkBytes) return false;
    const end = newline === 0 ? bytesRead : newline;
    file.offset += end;
    const lines = buffer.toString('utf8', 0, end).replace(/\n$/, '').split('\n');
    await this.#options.onLines(lines.map((line) => file.label + line));
    return true;
  }
}

async function skipToEnd(file: FollowedFile): Promise<void> {
  file.handle = await open(file.path, 'r').catch(() => null);
  file.offset = (await file.handle?.stat())?.size ?? 0;
}

/** As Flink's print sink: `1> ` before the rows of several tasks, `name> ` before those of several sinks. */
function printFiles(plan: StreamingPlan, logsFolder: string): FollowedFile[] {
  const sinks = plan.vertices.flatMap(({ operators, parallelism }) =>
    operators.flatMap(({ name, spec }) =>
      spec.kind === 'sink' && spec.connector.kind === 'print' ? { name, parallelism } : [],
    ),
  );
  return sinks.flatMap(({ name, parallelism }) =>
    Array.from({ length: parallelism }, (_, subtask) => {
      const parts = [...(sinks.length > 1 ? [name] : []), ...(parallelism > 1 ? [String(subtask + 1)] : [])];
      const label = parts.length === 0 ? '' : `${parts.join(':')}> `;
      const path = join(logsFolder, printFileName(name, subtask));
      return { path, label, handle: null, offset: 0 };
    }),
  );
}
