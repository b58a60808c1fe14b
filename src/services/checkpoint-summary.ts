// One walk over a checkpoint's metadata, summed by operator and subtask as Flink's own reader does: the last of two entries
// of one subtask counts. Bounded: what no job has is refused before it is kept. Spec: docs/checkpoints.md.
import type {
  CheckpointMetadata,
  CheckpointProperties,
  CheckpointVisitor,
  NamedState,
  OperatorHead,
  StateStream,
  SubtaskTotals,
} from '../model/checkpoint.ts';
import { JobrecError } from '../model/errors.ts';
import { walkSound } from '../store/checkpoint/walk-sound.ts';
import type {
  CheckpointInspectReport,
  CheckpointNamedState,
  CheckpointOperator,
  CheckpointSubtask,
} from './checkpoint-inspect-report.ts';

/** Ten times what the largest known jobs have; a report of more would not fit into one document. */
const most = { operators: 50_000, subtasks: 1_000_000, namedStates: 100_000, masterStates: 10_000 } as const;

/** What the walk itself tells; offsets of sources are read apart. */
export type CheckpointContents = Omit<CheckpointInspectReport, 'kafkaSources'>;

/** Errors: CHECKPOINT_DAMAGED. */
export function summarizeCheckpoint(metadata: CheckpointMetadata): CheckpointContents {
  refuseTooMany(metadata);
  const summary = new Summary(metadata);
  walkSound(metadata, summary.visitor());
  return summary.report();
}

/** Counts before anything is kept. */
function refuseTooMany(metadata: CheckpointMetadata): void {
  const counts = { operators: 0, subtasks: 0, namedStates: 0, masterStates: 0 };
  const count = (what: keyof typeof counts) => () => {
    counts[what] += 1;
  };
  walkSound(metadata, {
    operator: count('operators'),
    subtask: count('subtasks'),
    namedState: count('namedStates'),
    masterState: count('masterStates'),
  });
  for (const [what, limit] of Object.entries(most)) {
    const found = counts[what as keyof typeof counts];
    if (found <= limit) continue;
    const words = what.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`);
    throw new JobrecError('CHECKPOINT_DAMAGED', `${metadata.file} holds ${found} ${words}; no job has over ${limit}`, {
      data: { path: metadata.file, offset: 0, [what]: found, most: limit },
    });
  }
}

interface OperatorRow {
  readonly head: OperatorHead;
  readonly subtasks: Map<number, CheckpointSubtask>;
  readonly states: Map<string, CheckpointNamedState>;
}

class Summary {
  readonly #metadata: CheckpointMetadata;
  readonly #operators: OperatorRow[] = [];
  readonly #masterStates: CheckpointInspectReport['masterStates'][number][] = [];
  #checkpointId = 0n;
  #properties: CheckpointProperties | null = null;
  #inlineBytes = 0n;
  #fileReferences = 0;

  constructor(metadata: CheckpointMetadata) {
    this.#metadata = metadata;
  }

  visitor(): CheckpointVisitor {
    return {
      head: ({ checkpointId }) => {
        this.#checkpointId = checkpointId;
      },
      masterState: ({ name, version, bytes }) => {
        this.#masterStates.push({ name, version, bytes });
      },
      operator: (head) => this.#operator(head),
      namedState: (state) => this.#namedState(state),
      stream: (stream) => this.#stream(stream),
      subtask: (totals) => this.#subtask(totals),
      properties: (properties) => {
        this.#properties = properties;
      },
    };
  }

  report(): CheckpointContents {
    const { format, formatVersion, file, bytes } = this.#metadata;
    const operators = this.#operators.map(operatorOf).sort((a, b) => (a.operatorId < b.operatorId ? -1 : 1));
    const { type = null, ...properties } = this.#properties ?? {};
    return {
      format,
      formatVersion,
      checkpointId: this.#checkpointId,
      type,
      location: file,
      bytes,
      properties: this.#properties === null ? null : (properties as Omit<CheckpointProperties, 'type'>),
      masterStates: this.#masterStates,
      summary: {
        operators: operators.length,
        subtasks: operators.reduce((sum, { subtasks }) => sum + subtasks.length, 0),
        stateSize: sumOf(operators),
        inlineBytes: this.#inlineBytes,
        fileReferences: this.#fileReferences,
      },
      operators,
    };
  }

  #operator(head: OperatorHead): void {
    this.#inlineBytes += BigInt(head.coordinator?.length ?? 0);
    this.#operators.push({ head, subtasks: new Map(), states: new Map() });
  }

  #namedState({ name, mode, elements }: NamedState): void {
    const states = this.#operators.at(-1)?.states;
    const before = states?.get(name)?.elements ?? 0;
    states?.set(name, { name, mode, elements: before + elements.length });
  }

  #stream({ place, size }: StateStream): void {
    if (place === 'inline') this.#inlineBytes += size;
    else if (place !== 'nowhere') this.#fileReferences += 1;
  }

  #subtask({ subtask, finished, handles, stateSize }: SubtaskTotals): void {
    this.#operators.at(-1)?.subtasks.set(subtask, { subtask, finished, ...handles, stateSize });
  }
}

function operatorOf({ head, subtasks, states }: OperatorRow): CheckpointOperator {
  const rows = [...subtasks.values()].sort((a, b) => a.subtask - b.subtask);
  const coordinatorBytes = head.coordinator?.length ?? null;
  return {
    operatorId: head.operatorId,
    uid: head.uid,
    name: head.name,
    parallelism: head.parallelism,
    maxParallelism: head.maxParallelism,
    fullyFinished: head.fullyFinished,
    finishedSubtasks: rows.filter(({ finished }) => finished).length,
    coordinatorBytes,
    stateSize: sumOf([{ stateSize: BigInt(coordinatorBytes ?? 0) }, ...rows]),
    operatorStates: [...states.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    subtasks: rows,
  };
}

/** Like Java's sum of longs. */
function sumOf(rows: readonly { readonly stateSize: bigint }[]): bigint {
  return BigInt.asIntN(
    64,
    rows.reduce((sum, { stateSize }) => sum + stateSize, 0n),
  );
}
