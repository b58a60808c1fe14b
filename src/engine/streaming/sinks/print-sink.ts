// The print sink: rows as JSON lines in a file of the job's logs folder, which the client follows and shows. Not
// transactional: after a restart the rows since the last checkpoint are printed again.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from '../../../model/streaming-plan.ts';
import { jsonLine } from './json-line.ts';
import { LineWriter } from './line-writer.ts';
import { printFileName } from './print-files.ts';
import type { SinkContext, StreamSink } from './stream-sink.ts';

export class PrintSink implements StreamSink {
  readonly #writer: LineWriter;

  constructor({ sinkName, subtask, logsFolder }: SinkContext) {
    this.#writer = new LineWriter(() => open(join(logsFolder, printFileName(sinkName, subtask)), 'a'));
  }

  async open(): Promise<void> {}

  write(row: Row): void {
    this.#writer.append(jsonLine(row));
  }

  ready(): Promise<void> | null {
    return this.#writer.ready();
  }

  async prepareCommit(): Promise<readonly []> {
    await this.#writer.flush();
    return [];
  }

  async close(): Promise<void> {
    await this.#writer.close({ sync: false });
  }
}
