// ExecutionJobVertexInitializedEvent and ExecutionVertexResetEvent as job events. Input ranges are told apart by their
// fields: one pair of ranges a task in 1.20, a map of groups since 2.0. Spec: docs/flink.md, "The events".
import type {
  ExecutionVertexReset,
  InputRange,
  JobVertexInitialized,
  VertexInputInfo,
} from '../../model/job-events.ts';
import { FieldFault, hexOfId, idIn, intIn, objectIn } from './flink-fields.ts';
import { listItems, mapEntries } from './java-collections.ts';
import { JavaObject, type JavaValue } from './java-stream.ts';

export const initializedEventClass = 'org.apache.flink.runtime.jobmaster.event.ExecutionJobVertexInitializedEvent';
export const resetEventClass = 'org.apache.flink.runtime.jobmaster.event.ExecutionVertexResetEvent';

const classes = {
  vertexId: 'org.apache.flink.runtime.jobgraph.JobVertexID',
  dataSetId: 'org.apache.flink.runtime.jobgraph.IntermediateDataSetID',
  executionVertexId: 'org.apache.flink.runtime.scheduler.strategy.ExecutionVertexID',
  inputInfo: 'org.apache.flink.runtime.executiongraph.JobVertexInputInfo',
  taskInputInfo: 'org.apache.flink.runtime.executiongraph.ExecutionVertexInputInfo',
  range: 'org.apache.flink.runtime.executiongraph.IndexRange',
} as const;

/** Throws FieldFault. */
export function initializedEvent(event: JavaObject): JobVertexInitialized {
  const inputs = mapEntries(event.field('jobVertexInputInfos'));
  if (inputs === null) throw new FieldFault('jobVertexInputInfos holds no map');
  return {
    type: 'job-vertex-initialized',
    vertexId: idIn(event, 'jobVertexId', classes.vertexId),
    parallelism: intIn(event, 'parallelism'),
    maxParallelism: null,
    inputs: Array.from(inputs, ([dataSet, info]) => inputInfo(dataSet, info)),
  };
}

function inputInfo(dataSet: JavaValue, info: JavaValue): VertexInputInfo {
  const id = expect(dataSet, classes.dataSetId);
  const tasks = listItems(expect(info, classes.inputInfo).field('executionVertexInputInfos'));
  if (tasks === null) throw new FieldFault('executionVertexInputInfos holds no list');
  const ranges: InputRange[] = [];
  for (const task of tasks) {
    const found = expect(task, classes.taskInputInfo);
    const subtask = intIn(found, 'subtaskIndex');
    if (subtask !== ranges.length) throw new FieldFault(`input of task ${subtask} where ${ranges.length} was due`);
    ranges.push(inputRange(found));
  }
  return { datasetId: hexOfId(id), ranges };
}

function inputRange(task: JavaObject): InputRange {
  const groups = task.field('consumedSubpartitionGroups');
  if (groups === undefined) {
    const partitions = objectIn(task, 'partitionIndexRange', classes.range);
    return {
      partitions: bounds(partitions),
      subpartitions: bounds(objectIn(task, 'subpartitionIndexRange', classes.range)),
    };
  }
  const [first, ...further] = Array.from(mapEntries(groups) ?? [], ([partitions, subpartitions]) => ({
    partitions: bounds(expect(partitions, classes.range)),
    subpartitions: bounds(expect(subpartitions, classes.range)),
  }));
  if (first === undefined) return nothing;
  return further.length === 0 ? first : { ...first, further };
}

/** Inclusive bounds of a task that reads nothing. */
const nothing: InputRange = { partitions: [0, -1], subpartitions: [0, -1] };

function bounds(range: JavaObject): readonly [number, number] {
  return [intIn(range, 'startIndex'), intIn(range, 'endIndex')];
}

function expect(value: JavaValue, className: string): JavaObject {
  if (value instanceof JavaObject && value.type.is(className)) return value;
  throw new FieldFault(`a ${className} is missing`);
}

/** Throws FieldFault. */
export function resetEvent(event: JavaObject): ExecutionVertexReset {
  const ids = listItems(event.field('executionVertexIds'));
  if (ids === null) throw new FieldFault('executionVertexIds holds no list');
  const subtasksOf = new Map<string, number[]>();
  for (const item of ids) {
    const task = expect(item, classes.executionVertexId);
    const vertexId = idIn(task, 'jobVertexId', classes.vertexId);
    const subtasks = subtasksOf.get(vertexId) ?? [];
    subtasks.push(intIn(task, 'subtaskIndex'));
    subtasksOf.set(vertexId, subtasks);
  }
  const [first, ...further] = Array.from(subtasksOf, ([vertexId, subtasks]) => ({ vertexId, subtasks }));
  if (first === undefined) throw new FieldFault('a reset of no task');
  const reset = { type: 'execution-vertex-reset', ...first } as const;
  return further.length === 0 ? reset : { ...reset, further };
}
