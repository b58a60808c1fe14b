// Builds the deployment of one attempt: where its inputs lie, which splits it reads, where its sinks stage.
import { invariant } from '../../model/errors.ts';
import { partitionKey } from '../../model/ids.ts';
import type { JobGraph, JobVertex, SinkSpec } from '../../model/job-graph.ts';
import type { ExecutionGraph, ExecutionJobVertex } from '../../replay/execution-graph.ts';
import { holderOf, usesShuffleService } from '../../replay/partition-holder.ts';
import { type JobFolder, shuffleServiceFolder, workerFolder } from '../../store/job-folder.ts';
import { partitionPath } from '../partition-store/partition-path.ts';
import type { ExecutionRef, PartitionLocation, TaskDeployment, TaskInput } from '../protocol/messages.ts';
import { stagingFolder } from '../sinks/sink-folders.ts';
import { splitsOfSubtask } from './source-coordinator/static-splits.ts';

export interface DeploymentContext {
  readonly folder: JobFolder;
  readonly graph: ExecutionGraph;
  readonly jobGraph: JobGraph;
  readonly epoch: number;
  readonly timeoutMs: number | null;
}

export function buildDeployment(
  context: DeploymentContext,
  vertex: JobVertex,
  execution: ExecutionRef,
): TaskDeployment {
  const state = context.graph.vertices.get(vertex.id);
  invariant(state?.parallelism, `${vertex.name} is initialized before its tasks are deployed`);
  return {
    jobId: context.graph.jobId ?? '',
    epoch: context.epoch,
    execution,
    vertex,
    parallelism: state.parallelism,
    inputs: vertex.inputs.map((_, index) => taskInput(context, vertex, state, execution.subtask, index)),
    sinks: vertex.sinks.map((output) => staging(context, sinkNamed(context.jobGraph, output.sink))),
    ...quarantine(context, vertex),
    functionsFolder: context.folder.functions,
    timeoutMs: context.timeoutMs,
  };
}

function staging(context: DeploymentContext, sink: SinkSpec): TaskDeployment['sinks'][number] {
  const { jobGraph, graph, epoch } = context;
  return { sink, stagingFolder: stagingFolder(sink, jobGraph.name, graph.jobId ?? '', epoch) };
}

/** Rows that a source puts aside lie beside the vertex's own sink, else beside the job's first. */
function quarantine(context: DeploymentContext, vertex: JobVertex): Pick<TaskDeployment, 'quarantine'> {
  const name = vertex.sinks[0]?.sink ?? context.jobGraph.sinks[0]?.name;
  if (name === undefined || !vertex.inputs.some(({ kind }) => kind === 'source')) return {};
  const { sink, stagingFolder } = staging(context, sinkNamed(context.jobGraph, name));
  return { quarantine: { sink: sink.name, stagingFolder } };
}

export function sinkNamed(jobGraph: JobGraph, name: string): SinkSpec {
  const sink = jobGraph.sinks.find((candidate) => candidate.name === name);
  invariant(sink, `sink ${name} is in the job graph`);
  return sink;
}

function taskInput(
  context: DeploymentContext,
  vertex: JobVertex,
  state: ExecutionJobVertex,
  subtask: number,
  index: number,
): TaskInput {
  const input = vertex.inputs[index];
  invariant(input, `input ${index} of ${vertex.name}`);
  if (input.kind === 'source') {
    const source = context.jobGraph.sources.find((candidate) => candidate.name === input.source);
    invariant(source, `source ${input.source} is in the job graph`);
    if (source.enumerator !== undefined) return { kind: 'enumerated', source };
    return { kind: 'source', source, splits: splitsOfSubtask(source, state.parallelism ?? 1, subtask) };
  }
  const range = state.inputs.find((info) => info.datasetId === input.datasetId)?.ranges[subtask];
  invariant(range, `${vertex.name}#${subtask} has its range of ${input.datasetId}`);
  const [first, last] = range.partitions;
  // A task without partitions still needs their types: it gets one partition and none of its rows.
  if (last < first) {
    return {
      kind: 'dataset',
      partitions: partitionLocations(context, input.datasetId, [0, 0]),
      subpartitions: [0, -1],
    };
  }
  const partitions = partitionLocations(context, input.datasetId, range.partitions);
  return { kind: 'dataset', partitions, subpartitions: range.subpartitions };
}

/** A range of a data set's partitions, in the order of their producers, as the finished tasks recorded them. */
function partitionLocations(
  context: DeploymentContext,
  datasetId: string,
  [first, last]: readonly [number, number],
): PartitionLocation[] {
  const edge = context.jobGraph.edges.find((candidate) => candidate.datasetId === datasetId);
  const producer = edge && context.graph.vertices.get(edge.producerVertexId);
  invariant(producer, `data set ${datasetId} has a producer`);
  const folderOf = usesShuffleService(context.graph) ? shuffleServiceFolder : workerFolder;
  return producer.tasks.slice(first, last + 1).map((task) => {
    const { subtask: partitionIndex, attempt, epoch } = task;
    const holder = holderOf(context.graph, datasetId, task);
    invariant(holder !== null && epoch !== null, `${partitionKey(datasetId, partitionIndex)} is produced`);
    const ref = { datasetId, partitionIndex, attempt, epoch };
    return { ...ref, path: partitionPath(folderOf(context.folder, holder), ref) };
  });
}
