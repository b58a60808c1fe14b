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
  const reader = new InputReader();
  return {
    type: 'job-vertex-initialized',
    vertexId: idIn(event, 'jobVertexId', classes.vertexId),
    parallelism: intIn(event, 'parallelism'),
    maxParallelism: null,
    inputs: Array.from(inputs, ([dataSet, info]) => reader.input(dataSet, info)),
  };
}

/** Flink's upper bound of a parallelism, and of the groups that one task can read. */
const tasksMax = 32_768;

/** Reads each list and map once, however often the event refers to it: memory follows the bytes, not the references. */
class InputReader {
  readonly #lists = new Map<number, readonly InputRange[]>();
  readonly #groups = new Map<number, InputRange>();
  readonly #bounds = new Map<number, readonly [number, number]>();

  input(dataSet: JavaValue, info: JavaValue): VertexInputInfo {
    const list = expect(info, classes.inputInfo).field('executionVertexInputInfos');
    if (!(list instanceof JavaObject)) throw new FieldFault('executionVertexInputInfos holds no list');
    return {
      datasetId: hexOfId(expect(dataSet, classes.dataSetId)),
      ranges: once(this.#lists, list, () => this.#ranges(list)),
    };
  }

  #ranges(list: JavaObject): readonly InputRange[] {
    const tasks = listItems(list);
    if (tasks === null) throw new FieldFault('executionVertexInputInfos holds no list');
    const ranges: InputRange[] = [];
    for (const task of tasks) {
      const found = expect(task, classes.taskInputInfo);
      const subtask = intIn(found, 'subtaskIndex');
      if (subtask !== ranges.length) throw new FieldFault(`input of task ${subtask} where ${ranges.length} was due`);
      if (subtask >= tasksMax) throw new FieldFault(`inputs of more than ${tasksMax} tasks`);
      ranges.push(this.#range(found));
    }
    return ranges;
  }

  #range(task: JavaObject): InputRange {
    const groups = task.field('consumedSubpartitionGroups');
    if (groups instanceof JavaObject) return once(this.#groups, groups, () => this.#groupRange(groups));
    const partitions = this.#boundsOf(objectIn(task, 'partitionIndexRange', classes.range));
    const subpartitions = this.#boundsOf(objectIn(task, 'subpartitionIndexRange', classes.range));
    return { partitions, subpartitions };
  }

  #groupRange(groups: JavaObject): InputRange {
    const entries = mapEntries(groups);
    if (entries === null) throw new FieldFault('consumedSubpartitionGroups holds no map');
    const ranges: InputRange[] = [];
    for (const [partitions, subpartitions] of entries) {
      if (ranges.length >= tasksMax) throw new FieldFault(`more than ${tasksMax} groups`);
      ranges.push({
        partitions: this.#boundsOf(expect(partitions, classes.range)),
        subpartitions: this.#boundsOf(expect(subpartitions, classes.range)),
      });
    }
    const [first, ...further] = ranges;
    if (first === undefined) return nothing;
    return further.length === 0 ? first : { ...first, further };
  }

  #boundsOf(range: JavaObject): readonly [number, number] {
    return once(this.#bounds, range, () => [intIn(range, 'startIndex'), intIn(range, 'endIndex')] as const);
  }
}

function once<T>(known: Map<number, T>, object: JavaObject, read: () => T): T {
  const before = known.get(object.handle);
  if (before !== undefined) return before;
  const found = read();
  known.set(object.handle, found);
  return found;
}

/** Inclusive bounds of a task that reads nothing. */
const nothing: InputRange = { partitions: [0, -1], subpartitions: [0, -1] };

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
