// Puts the state of one subtask where a checkpoint wants it: small state goes along with the acknowledgement, larger
// state into a file of the checkpoint's folder, synced before it is acknowledged.
import { JobrecError } from '../../../model/errors.ts';
import { writeState } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { StateHandle } from '../../../store/checkpoint/own-metadata.ts';
import type { AcknowledgedOperator, SlotDeployment } from '../protocol/stream-messages.ts';
import type { KeyGroupBlock } from '../state/keyed-state-backend.ts';
import { ValueCodec } from '../state/value-codec.ts';

/** State that the JobMaster takes at most, of one operator in one task; Flink's JobManager storage has the same bound. */
export const inlineBytesMax = 5 * 1024 * 1024;

/** What an operator held at a barrier. */
export interface OperatorSnapshot {
  readonly operatorId: string;
  readonly name: string;
  readonly keyed: readonly KeyGroupBlock[];
  /** undefined: none. */
  readonly own: unknown;
  /** Rows that it gave up since the task began. */
  readonly droppedRows: number;
}

export type StateSettings = Pick<SlotDeployment, 'inlineThresholdBytes' | 'writesFiles'>;

export class StateWriter {
  readonly #settings: StateSettings;
  readonly #codec = new ValueCodec();

  constructor(settings: StateSettings) {
    this.#settings = settings;
  }

  async write(folder: string, subtask: number, snapshot: OperatorSnapshot): Promise<AcknowledgedOperator> {
    const { operatorId, keyed, own, droppedRows } = snapshot;
    const blocks = keyed.map(({ keyGroup, bytes }) => ({ keyGroup, length: bytes.length }));
    const put = (kind: string, bytes: Uint8Array) =>
      this.#put(folder, `${operatorId}-${subtask}-${kind}`, bytes, snapshot);
    const keyedState = Buffer.concat(keyed.map((block) => block.bytes));
    return {
      operatorId,
      keyed: blocks.length === 0 ? null : { state: await put('keyed', keyedState), blocks },
      operator: own === undefined ? null : await put('operator', this.#codec.encode(own)),
      droppedRows,
    };
  }

  async #put(
    folder: string,
    name: string,
    bytes: Uint8Array,
    { name: operator }: OperatorSnapshot,
  ): Promise<StateHandle> {
    const { inlineThresholdBytes, writesFiles } = this.#settings;
    const isInline = writesFiles ? bytes.length < inlineThresholdBytes : true;
    if (!isInline) return writeState(folder, name, bytes);
    if (bytes.length <= inlineBytesMax) return { kind: 'inline', bytes };
    const message = `the state of ${operator} has ${bytes.length} bytes in one task; the JobMaster takes ${inlineBytesMax}`;
    throw new JobrecError('JOB_FAILED', message, { hint: 'name a folder for it: execution.checkpointing.dir' });
  }
}
