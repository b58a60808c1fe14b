// The file sink: exactly once. Rows go to a staged file under a hidden name; at a barrier it is closed, synced and
// named as a part of that checkpoint, and the JobMaster makes it visible when the checkpoint is complete
// (part-commit.ts). One part a subtask and checkpoint that had rows. Invariant: a part is named by every checkpoint
// from its own on until one is complete: a checkpoint that is given up takes no rows along. Spec: docs/streaming.md,
// "File sink".
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row, SinkConnector } from '../../../model/streaming-plan.ts';
import { makeFolder } from '../../../store/atomic-file.ts';
import type { Committable } from '../operators/operator.ts';
import { jsonLine } from './json-line.ts';
import { LineWriter } from './line-writer.ts';
import { partName, stagedName } from './part-names.ts';
import type { SinkContext, StreamSink } from './stream-sink.ts';

type FileConnector = Extract<SinkConnector, { kind: 'file' }>;

interface OpenPart {
  readonly path: string;
  readonly writer: LineWriter;
  rows: number;
}

export class FileSink implements StreamSink {
  readonly #connector: FileConnector;
  readonly #context: SinkContext;
  #part: OpenPart | null = null;
  #serial = 0;
  /** Closed, and of no checkpoint yet that is known to be complete; with the checkpoint that first named each. */
  #pending: { readonly checkpointId: number; readonly part: Committable }[] = [];

  constructor(connector: FileConnector, context: SinkContext) {
    this.#connector = connector;
    this.#context = context;
  }

  async open(): Promise<void> {
    await makeFolder(this.#connector.path);
  }

  write(row: Row): void {
    this.#part ??= this.#openPart();
    this.#part.writer.append(jsonLine(row));
    this.#part.rows += 1;
  }

  ready(): Promise<void> | null {
    return this.#part?.writer.ready() ?? null;
  }

  async prepareCommit(checkpointId: number): Promise<readonly Committable[]> {
    const last = this.#part;
    this.#part = null;
    // The news of a complete checkpoint may come while the part is being closed.
    const part = last ? await this.#closed(last, checkpointId) : null;
    if (part) this.#pending.push({ checkpointId, part });
    return this.#pending.map((pending) => pending.part);
  }

  notifyCheckpointComplete(completedId: number): void {
    this.#pending = this.#pending.filter(({ checkpointId }) => checkpointId > completedId);
  }

  async close(): Promise<void> {
    const part = this.#part;
    this.#part = null;
    if (!part) return;
    await part.writer.close({ sync: false }).catch(() => {});
    await rm(part.path, { force: true });
  }

  async #closed({ path, writer, rows }: OpenPart, checkpointId: number): Promise<Committable> {
    await writer.close({ sync: true });
    const { jobId, subtask, sinkName } = this.#context;
    const final = join(this.#connector.path, partName(jobId, checkpointId, subtask));
    return { sink: sinkName, staged: path, final, rows, bytes: writer.bytes };
  }

  #openPart(): OpenPart {
    this.#serial += 1;
    const path = join(this.#connector.path, stagedName(this.#context, this.#serial));
    return { path, writer: new LineWriter(() => open(path, 'wx')), rows: 0 };
  }
}
