// Checkpoints of real Flink with what Flink's own reader says of each, for tests: those beside the project
// (../shared/flink/savepoints, too many to carry) and our own in fixtures/checkpoints.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CheckpointInspectReport } from '../../../src/services/checkpoint-inspect-report.ts';

const projectRoot = path.join(import.meta.dirname, '../../..');
/** JOBREC_SAVEPOINTS: a folder of other checkpoints with a `truth.json` by `fixtures/checkpoints/generate/Truth.java`. */
export const sharedSavepoints = process.env.JOBREC_SAVEPOINTS ?? path.join(projectRoot, '../shared/flink/savepoints');
export const ownCheckpoints = path.join(projectRoot, 'fixtures/checkpoints');

/** What Flink's reader said, as it was written down. */
export interface CheckpointTruth {
  readonly path: string;
  readonly checkpointId: number;
  readonly properties: string | null;
  readonly masterStates: number;
  readonly operators: readonly OperatorTruth[];
  /** By the Kafka connector's own deserializers. */
  readonly kafkaOffsets?: readonly {
    readonly operatorId: string;
    readonly subtask: number;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }[];
}

interface OperatorTruth {
  readonly operatorId: string;
  readonly name?: string | null;
  readonly uid?: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly fullyFinished: boolean;
  /** -1: none. */
  readonly coordinatorBytes: number;
  readonly stateSize: number;
  readonly subtasks: readonly Readonly<Record<string, number | boolean>>[];
}

/** Empty where the folder is not there. */
export function truthOf(folder: string): readonly CheckpointTruth[] {
  return ['truth.json', 'truth-1.11.json']
    .map((name) => path.join(folder, name))
    .filter((file) => existsSync(file))
    .flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as CheckpointTruth[]);
}

/** A report in the words of the truth, with exactly those fields of an operator that `like` has. */
export function asTruth(report: CheckpointInspectReport, like: CheckpointTruth): CheckpointTruth {
  const operators = report.operators.map((operator, index) => {
    const { subtasks, coordinatorBytes, stateSize, ...rest } = operator;
    const all = {
      ...rest,
      coordinatorBytes: coordinatorBytes ?? -1,
      stateSize: Number(stateSize),
      subtasks: subtasks.map((subtask, each) =>
        onlyFieldsOf({ ...subtask, stateSize: Number(subtask.stateSize) }, like.operators[index]?.subtasks[each]),
      ),
    };
    return onlyFieldsOf(all, like.operators[index]) as unknown as OperatorTruth;
  });
  return {
    path: like.path,
    checkpointId: Number(report.checkpointId),
    properties: javaTextOf(report),
    masterStates: report.masterStates.length,
    operators,
  };
}

function onlyFieldsOf(all: object, like: object | undefined): Record<string, number | boolean> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => like === undefined || name in like));
}

/** Flink's toString of its snapshot type. */
function javaTextOf({ type, properties }: CheckpointInspectReport): string | null {
  if (properties === null) return null;
  const { name, postCheckpointAction, formatType, sharingFilesStrategy } = properties;
  return type === 'savepoint'
    ? `SavepointType{name='${name}', postCheckpointAction=${postCheckpointAction}, formatType=${formatType}}`
    : `CheckpointType{name='${name}', sharingFilesStrategy=${sharingFilesStrategy}}`;
}
