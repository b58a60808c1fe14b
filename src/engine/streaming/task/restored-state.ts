// The state of a checkpoint as one subtask needs it: of its operators, by operator id; keyed state by key group, from
// whichever subtasks wrote it; the operators' own state from all of them. The JobMaster has checked the checkpoint.
import { JobrecError } from '../../../model/errors.ts';
import { readMetadata, readState } from '../../../store/checkpoint/checkpoint-storage.ts';
import type {
  CheckpointMetadata,
  KeyedStateHandle,
  OperatorState,
  StateHandle,
} from '../../../store/checkpoint/own-metadata.ts';
import type { KeyGroupRange } from '../state/key-groups.ts';
import type { KeyGroupBlock } from '../state/keyed-state-backend.ts';
import { ValueCodec } from '../state/value-codec.ts';

export class RestoredState {
  /** Of the job that took the checkpoint. */
  readonly jobId: string;
  readonly #folder: string;
  readonly #operators: ReadonlyMap<string, OperatorState>;
  readonly #codec = new ValueCodec();

  private constructor(folder: string, metadata: CheckpointMetadata) {
    this.jobId = metadata.jobId;
    this.#folder = folder;
    this.#operators = new Map(metadata.operators.map((operator) => [operator.operatorId, operator]));
  }

  static async read(folder: string): Promise<RestoredState> {
    const decoded = await readMetadata(folder);
    if (decoded.kind === 'metadata') return new RestoredState(folder, decoded.metadata);
    const reason = decoded.kind === 'damaged' ? decoded.reason : `its format version is ${decoded.formatVersion}`;
    throw unreadable(folder, reason);
  }

  /** The blocks of keyed state in the range; none where the checkpoint does not know the operator. */
  async keyed(operatorId: string, range: KeyGroupRange): Promise<KeyGroupBlock[]> {
    const blocks: KeyGroupBlock[] = [];
    for (const { keyed } of this.#operators.get(operatorId)?.subtasks ?? []) {
      const isWanted = keyed?.blocks.some(({ keyGroup }) => keyGroup >= range.first && keyGroup <= range.last);
      if (keyed && isWanted) blocks.push(...this.#blocksOf(keyed, await this.#bytes(keyed.state)));
    }
    return blocks;
  }

  /** The operator's own states, of all subtasks that wrote one. */
  async own(operatorId: string): Promise<unknown[]> {
    const handles = (this.#operators.get(operatorId)?.subtasks ?? []).flatMap(({ operator }) => operator ?? []);
    return Promise.all(handles.map(async (handle) => this.#codec.decode(await this.#bytes(handle))));
  }

  *#blocksOf({ blocks }: KeyedStateHandle, bytes: Uint8Array): Generator<KeyGroupBlock> {
    let at = 0;
    for (const { keyGroup, length } of blocks) {
      yield { keyGroup, bytes: bytes.subarray(at, at + length) };
      at += length;
    }
  }

  async #bytes(handle: StateHandle): Promise<Uint8Array> {
    const read = await readState(this.#folder, handle);
    if (read.kind === 'state') return read.bytes;
    throw unreadable(this.#folder, read.reason);
  }
}

function unreadable(folder: string, reason: string): JobrecError {
  return new JobrecError('STORE_UNREADABLE', `the checkpoint ${folder} cannot be restored: ${reason}`, {
    data: { path: folder },
  });
}
