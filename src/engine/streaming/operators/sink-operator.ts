// A sink as the last operator of a chain.
import type { Row } from '../../../model/streaming-plan.ts';
import type { StreamSink } from '../sinks/stream-sink.ts';
import type { Committable, Operator } from './operator.ts';

export class SinkOperator implements Operator {
  readonly #sink: StreamSink;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  async open(): Promise<void> {
    await this.#sink.open();
  }

  processElement(row: Row): void {
    this.#sink.write(row);
  }

  ready(): Promise<void> | null {
    return this.#sink.ready();
  }

  prepareCommit(checkpointId: number): Promise<readonly Committable[]> {
    return this.#sink.prepareCommit(checkpointId);
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#sink.notifyCheckpointComplete?.(checkpointId);
  }

  async close(): Promise<void> {
    await this.#sink.close();
  }
}
