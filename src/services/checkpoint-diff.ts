// checkpoint diff: two checkpoints side by side, operator by operator. Operators are the same where their ids are.
// Spec: docs/commands.md "checkpoint diff".
import type {
  ChangedOperator,
  CheckpointDiffReport,
  ComparedCheckpoint,
  ComparedOperator,
  Growth,
  KafkaProgress,
  OperatorChange,
} from './checkpoint-diff-report.ts';
import { inspectCheckpoint } from './checkpoint-inspect.ts';
import type { CheckpointInspectReport, CheckpointOperator } from './checkpoint-inspect-report.ts';

export interface CheckpointDiffOptions {
  readonly from: string;
  readonly to: string;
  /** Also read the state files of sources, for their offsets. */
  readonly stateFiles: boolean;
}

export async function diffCheckpoints({ from, to, stateFiles }: CheckpointDiffOptions): Promise<CheckpointDiffReport> {
  const contentsOf = (location: string) => inspectCheckpoint({ location, operator: null, stateFiles, pathMaps: [] });
  return compareCheckpoints(await contentsOf(from), await contentsOf(to));
}

export function compareCheckpoints(from: CheckpointInspectReport, to: CheckpointInspectReport): CheckpointDiffReport {
  const [before, after] = [byId(from.operators), byId(to.operators)];
  const added = to.operators.filter(({ operatorId }) => !before.has(operatorId)).map(compared);
  const removed = from.operators.filter(({ operatorId }) => !after.has(operatorId)).map(compared);
  const common = [...after].flatMap(([id, operator]) => {
    const old = before.get(id);
    return old === undefined ? [] : [changeOf(old, operator)];
  });
  const changed = common.filter(({ changes }) => changes.length > 0);
  const isSameFormat = from.format === to.format && from.formatVersion === to.formatVersion && from.type === to.type;
  return {
    from: describe(from),
    to: describe(to),
    different: !isSameFormat || added.length + removed.length + changed.length > 0,
    added,
    removed,
    changed,
    unchanged: common.length - changed.length,
    stateSize: growth(from.summary.stateSize, to.summary.stateSize),
    kafkaOffsets: kafkaProgress(from, to),
    kafkaUnread: unreadReasons(from, to),
  };
}

function byId(operators: readonly CheckpointOperator[]): Map<string, CheckpointOperator> {
  return new Map(operators.map((operator) => [operator.operatorId, operator]));
}

function describe(report: CheckpointInspectReport): ComparedCheckpoint {
  const { format, formatVersion, checkpointId, type, location, summary } = report;
  return { format, formatVersion, checkpointId, type, location, stateSize: summary.stateSize };
}

function compared(operator: CheckpointOperator): ComparedOperator {
  const { operatorId, uid, name, parallelism, maxParallelism, stateSize } = operator;
  return { operatorId, uid, name, parallelism, maxParallelism, stateSize };
}

function changeOf(from: CheckpointOperator, to: CheckpointOperator): ChangedOperator {
  const [statesAdded, statesRemoved] = [onlyIn(to, from), onlyIn(from, to)];
  return {
    operatorId: to.operatorId,
    uid: to.uid ?? from.uid,
    name: to.name ?? from.name,
    changes: changesOf(from, to, statesAdded.length + statesRemoved.length > 0),
    parallelism: { from: from.parallelism, to: to.parallelism },
    maxParallelism: { from: from.maxParallelism, to: to.maxParallelism },
    finishedSubtasks: { from: from.finishedSubtasks, to: to.finishedSubtasks },
    fullyFinished: { from: from.fullyFinished, to: to.fullyFinished },
    coordinatorBytes: { from: from.coordinatorBytes, to: to.coordinatorBytes },
    stateSize: growth(from.stateSize, to.stateSize),
    statesAdded,
    statesRemoved,
  };
}

function changesOf(from: CheckpointOperator, to: CheckpointOperator, hasOtherStates: boolean): OperatorChange[] {
  const hasOtherFinishes = from.finishedSubtasks !== to.finishedSubtasks || from.fullyFinished !== to.fullyFinished;
  // A format without names is no change of names.
  const hasOtherName = from.name !== null && to.name !== null && from.name !== to.name;
  const tests: readonly (readonly [OperatorChange, boolean])[] = [
    ['parallelism', from.parallelism !== to.parallelism],
    ['max-parallelism', from.maxParallelism !== to.maxParallelism],
    ['finished', hasOtherFinishes],
    ['state-size', from.stateSize !== to.stateSize],
    ['coordinator', from.coordinatorBytes !== to.coordinatorBytes],
    ['state-names', hasOtherStates],
    ['name', hasOtherName],
  ];
  return tests.filter(([, holds]) => holds).map(([change]) => change);
}

function onlyIn(operator: CheckpointOperator, other: CheckpointOperator): string[] {
  const names = new Set(other.operatorStates.map(({ name }) => name));
  return operator.operatorStates.map(({ name }) => name).filter((name) => !names.has(name));
}

function growth(from: bigint, to: bigint): Growth {
  return { from, to, growth: to - from };
}

function kafkaProgress(from: CheckpointInspectReport, to: CheckpointInspectReport): KafkaProgress[] {
  const rows = new Map<string, { -readonly [Field in keyof KafkaProgress]: KafkaProgress[Field] }>();
  const names = new Map([...from.operators, ...to.operators].map(({ operatorId, name }) => [operatorId, name]));
  for (const [side, { kafkaSources }] of [['from', from] as const, ['to', to] as const]) {
    for (const { operatorId, partitions } of kafkaSources) {
      for (const { topic, partition, offset } of partitions) {
        const key = `${operatorId} ${topic}-${partition}`;
        const name = names.get(operatorId) ?? null;
        const row = rows.get(key) ?? { operatorId, name, topic, partition, from: null, to: null };
        row[side] = offset;
        rows.set(key, row);
      }
    }
  }
  return [...rows.values()].filter((row) => row.from !== null || row.to !== null);
}

function unreadReasons(...reports: readonly CheckpointInspectReport[]): string[] {
  const unread = reports.flatMap(({ kafkaSources }) => kafkaSources.flatMap((source) => source.unread));
  return [...new Set(unread.map(({ reason }) => reason))].slice(0, reasonsMax);
}

/** Some of them name files. */
const reasonsMax = 10;
