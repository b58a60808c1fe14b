// All SourceCoordinators of a job, by vertex: started when the first task asks for a split, recovered from what the store
// says of those with batch snapshots, ended with the vertex's others when one without snapshots fails. What each attempt
// reads goes back when the attempt ends without a result.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { invariant, messageOf } from '../../../model/errors.ts';
import { derivedId } from '../../../model/ids.ts';
import type { CoordinatorSnapshot } from '../../../model/job-events.ts';
import type { EnumeratorSpec, FoundSplit, JobGraph, SourceFile, SourceSpec } from '../../../model/job-graph.ts';
import type { ExecutionGraph, ExecutionJobVertex } from '../../../replay/execution-graph.ts';
import type { ExecutionRef } from '../../protocol/messages.ts';
import { EnumeratorThread, moduleUrlOf } from './enumerator-thread.ts';
import { SourceCoordinator } from './source-coordinator.ts';
import { SplitLedger } from './split-ledger.ts';

export interface SourceCoordinatorsOptions {
  readonly graph: ExecutionGraph;
  readonly jobGraph: JobGraph;
  readonly functionsFolder: string;
  /** How long an enumerator may take to start, and to answer. */
  readonly timeoutMs: number;
  readonly record: (snapshot: CoordinatorSnapshot) => void;
  readonly isRunning: (execution: ExecutionRef) => boolean;
  readonly answer: (execution: ExecutionRef, input: number, split: FoundSplit | null) => void;
  /** The attempt failed for an enumerator's sake; `isLost`: and all tasks of its vertex start over. */
  readonly onFailed: (execution: ExecutionRef, message: string, isLost: boolean) => void;
  readonly onSourceChanged: (message: string) => void;
}

type Enumerated = SourceSpec & { readonly enumerator: EnumeratorSpec };

export class SourceCoordinators {
  readonly #options: SourceCoordinatorsOptions;
  /** By vertex, then by the index of the input that reads the source. */
  readonly #byVertex = new Map<string, Map<number, SourceCoordinator>>();
  #isClosed = false;

  constructor(options: SourceCoordinatorsOptions) {
    this.#options = options;
  }

  /** Takes over from an earlier JobMaster what can be taken over: coordinators with batch snapshots. */
  recover(): void {
    for (const vertex of this.#options.graph.vertices.values()) {
      // One without makes the whole vertex start over, or be finished: there is nothing to go on from.
      if (vertex.coordinator?.supportsBatchSnapshot !== true) continue;
      for (const input of this.#enumeratedInputs(vertex.id)) this.#recover(vertex, input);
    }
  }

  request(execution: ExecutionRef, input: number): void {
    if (this.#isClosed) return;
    const known = this.#coordinatorsOf(execution.vertexId).get(input);
    const coordinator = known ?? this.#create(execution.vertexId, input, null);
    coordinator?.request(execution);
  }

  attemptEnded(execution: ExecutionRef): void {
    for (const coordinator of this.#coordinatorsOf(execution.vertexId).values()) coordinator.attemptEnded(execution);
  }

  /** The attempt has a result. */
  finished(execution: ExecutionRef): void {
    for (const coordinator of this.#coordinatorsOf(execution.vertexId).values()) coordinator.finished(execution);
  }

  /** What the finished attempt has read and no snapshot says, by coordinator. */
  unrecorded(execution: ExecutionRef): { readonly operatorId: string; readonly finished: readonly number[] }[] {
    const coordinators = [...this.#coordinatorsOf(execution.vertexId).values()];
    return coordinators.map((coordinator) => coordinator.unrecordedOf(execution));
  }

  /** What changed since the last snapshots, to be recorded in one batch with the finishes that it is about. */
  changes(vertexId: string): CoordinatorSnapshot[] {
    return [...this.#coordinatorsOf(vertexId).values()].map((coordinator) => coordinator.changes());
  }

  reset(vertexId: string, subtasks: readonly number[]): void {
    for (const coordinator of this.#coordinatorsOf(vertexId).values()) coordinator.reset(new Set(subtasks));
  }

  /** Whether all that the store knows of the vertex's enumerators is known here, too. */
  lives(vertexId: string): boolean {
    const recorded = this.#options.graph.vertices.get(vertexId)?.coordinator?.operators;
    const known = this.#coordinatorsOf(vertexId);
    return this.#enumeratedInputs(vertexId).every(
      (input) => known.has(input) || recorded?.has(operatorIdOf(vertexId, this.#sourceAt(vertexId, input))) !== true,
    );
  }

  close(): void {
    this.#isClosed = true;
    for (const vertexId of [...this.#byVertex.keys()]) this.#drop(vertexId);
  }

  #recover(vertex: ExecutionJobVertex, input: number): void {
    const operatorId = operatorIdOf(vertex.id, this.#sourceAt(vertex.id, input));
    const recorded = vertex.coordinator?.operators.get(operatorId);
    if (recorded === undefined) return;
    const coordinator = this.#create(vertex.id, input, SplitLedger.recovered(recorded));
    if (vertex.tasks.some((task) => task.state !== 'FINISHED')) coordinator?.recordCut();
  }

  #coordinatorsOf(vertexId: string): ReadonlyMap<number, SourceCoordinator> {
    return this.#byVertex.get(vertexId) ?? new Map();
  }

  #drop(vertexId: string): void {
    for (const coordinator of this.#coordinatorsOf(vertexId).values()) coordinator.close();
    this.#byVertex.delete(vertexId);
  }

  #create(vertexId: string, input: number, ledger: SplitLedger | null): SourceCoordinator | null {
    const source = this.#sourceAt(vertexId, input);
    // A worker that asks for what its vertex does not read gets no answer.
    if (source === null) return null;
    const { record, isRunning, answer, onSourceChanged } = this.#options;
    const coordinator = new SourceCoordinator({
      vertexId,
      operatorId: operatorIdOf(vertexId, source),
      source: source.name,
      needsPath: source.enumerator.reader === null,
      ledger,
      open: (state) => this.#open(vertexId, source, state),
      describeFile: (path) => describeFile(resolve(source.enumerator.folder, path)),
      record,
      isRunning,
      answer: (execution, split) => answer(execution, input, split),
      onFailed: (execution, message) => this.#failed(coordinator, execution, message),
      onSourceChanged,
    });
    const coordinators = this.#byVertex.get(vertexId) ?? new Map<number, SourceCoordinator>();
    this.#byVertex.set(vertexId, coordinators.set(input, coordinator));
    return coordinator;
  }

  #failed(coordinator: SourceCoordinator, execution: ExecutionRef, message: string): void {
    if (coordinator.isLost) this.#drop(execution.vertexId);
    this.#options.onFailed(execution, message, coordinator.isLost);
  }

  #open(vertexId: string, source: Enumerated, state: string | null): EnumeratorThread {
    const { functionsFolder, graph, timeoutMs } = this.#options;
    const { module, exportName, folder } = source.enumerator;
    const parallelism = graph.vertices.get(vertexId)?.parallelism ?? 1;
    const context = { source: source.name, parallelism, folder };
    const moduleUrl = moduleUrlOf(join(functionsFolder, module));
    return new EnumeratorThread({ moduleUrl, functionsFolder, exportName, context, state }, timeoutMs);
  }

  #enumeratedInputs(vertexId: string): number[] {
    const vertex = this.#options.jobGraph.vertices.find(({ id }) => id === vertexId);
    return [...(vertex?.inputs.keys() ?? [])].filter((input) => this.#sourceAt(vertexId, input) !== null);
  }

  #sourceAt(vertexId: string, input: number): Enumerated | null {
    const { jobGraph } = this.#options;
    const read = jobGraph.vertices.find(({ id }) => id === vertexId)?.inputs[input];
    const source = read?.kind === 'source' ? jobGraph.sources.find(({ name }) => name === read.source) : undefined;
    return source?.enumerator === undefined ? null : (source as Enumerated);
  }
}

function operatorIdOf(vertexId: string, source: SourceSpec | null): string {
  invariant(source, `an input of ${vertexId} is a source`);
  return derivedId('source-coordinator', vertexId, source.name);
}

async function describeFile(path: string): Promise<SourceFile> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return { path, bytes: stats.size, modifiedMs: stats.mtimeMs };
  } catch (cause) {
    throw new Error(`cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  throw new Error(`${path} is not a file`);
}
