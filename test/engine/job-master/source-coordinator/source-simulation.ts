// A source vertex with a user-written enumerator under random failures, in one process: tasks that ask for splits, fail,
// finish and lose their result, an enumerator that fails, JobMasters that die and are replaced from the recorded events.
// The oracle is a plain list of what each attempt that counts has read.
import {
  type Enumerator,
  EnumeratorFailure,
} from '../../../../src/engine/job-master/source-coordinator/enumerator-thread.ts';
import { SourceCoordinator } from '../../../../src/engine/job-master/source-coordinator/source-coordinator.ts';
import { SplitLedger } from '../../../../src/engine/job-master/source-coordinator/split-ledger.ts';
import type { ExecutionRef } from '../../../../src/engine/protocol/messages.ts';
import type { JobEvent } from '../../../../src/model/job-events.ts';
import { applyEvent } from '../../../../src/replay/apply-event.ts';
import { createExecutionGraph, type ExecutionGraph } from '../../../../src/replay/execution-graph.ts';
import { planRecovery } from '../../../../src/replay/reconcile.ts';
import { jobrecRecoveryRules } from '../../../../src/replay/recovery-plan.ts';
import { finished, initialized, jobGraphOf, submitted, vertexId } from '../../../replay/job-builder.ts';
import type { Random } from '../../../replay/random.ts';

interface Task {
  readonly subtask: number;
  attempt: number;
  state: 'idle' | 'running' | 'finished';
  /** `idle` tasks are asked for one attempt after the other; a running one waits, has a split, or has been told that there is no more. */
  phase: 'waiting' | 'reading' | 'done';
  read: string[];
}

export interface SimulationOptions {
  readonly random: Random;
  readonly splits: number;
  readonly tasks: number;
  readonly supportsBatchSnapshot: boolean;
  /** How often a finish is recorded before the coordinator's state is, 0 to 1. */
  readonly pauseRate: number;
}

const scan = vertexId('scan');

export class SourceSimulation {
  readonly counts = { crashes: 0, failures: 0, losses: 0, enumeratorFailures: 0, pauses: 0, reread: 0 };
  /** Splits that were handed out although an attempt that counts had read them. Must stay empty. */
  readonly wrong: string[] = [];
  readonly #options: SimulationOptions;
  readonly #events: JobEvent[] = [];
  readonly #tasks: Task[];
  readonly #lost = new Set<string>();
  #epoch = 1;
  #graph: ExecutionGraph = createExecutionGraph();
  #coordinator: SourceCoordinator | null = null;
  #calm = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#tasks = Array.from({ length: options.tasks }, (_, subtask) => {
      return { subtask, attempt: 0, state: 'idle', phase: 'waiting', read: [] };
    });
    this.#record(submitted(jobGraphOf([{ name: 'scan' }])));
    this.#record(initialized('scan', options.tasks));
  }

  /** Ids of the splits that attempts that count have read, in order. */
  get result(): string[] {
    return this.#tasks.flatMap((task) => (task.state === 'finished' ? task.read : [])).sort();
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      await settled();
    }
    this.#calm = true;
    // Without faults it ends: every task gets a turn, and none waits for ever.
    for (let round = 0; this.#tasks.some(({ state }) => state !== 'finished'); round += 1) {
      if (round > 50 * (this.#options.splits + 2)) throw new Error(`it does not end: ${JSON.stringify(this.#tasks)}`);
      for (const task of this.#tasks) this.#progress(task);
      await settled();
    }
  }

  /** What a new JobMaster would know. */
  replayed(): ExecutionGraph {
    const graph = createExecutionGraph();
    for (const [sequence, event] of this.#events.entries()) applyEvent(graph, this.#position(sequence), event);
    return graph;
  }

  get graph(): ExecutionGraph {
    return this.#graph;
  }

  async #step(): Promise<void> {
    const { random } = this.#options;
    const task = random.pick(this.#tasks);
    const dice = random.below(100);
    if (dice < 70) this.#progress(task);
    else if (dice < 85 && task.state === 'running') this.#fail(task);
    else if (dice < 92 && task.state === 'finished') this.#lose(task);
    else if (dice > 96) this.#crash();
  }

  #progress(task: Task): void {
    if (task.state === 'idle') return this.#start(task);
    if (task.state !== 'running' || task.phase === 'waiting') return;
    if (task.phase === 'reading') return this.#ask(task);
    this.#finish(task);
  }

  #start(task: Task): void {
    task.state = 'running';
    task.read = [];
    this.#ask(task);
  }

  #ask(task: Task): void {
    task.phase = 'waiting';
    this.#coordinator ??= this.#create(null);
    this.#coordinator.request(this.#executionOf(task));
  }

  #finish(task: Task): void {
    task.state = 'finished';
    const execution = this.#executionOf(task);
    const { random, pauseRate } = this.#options;
    this.#coordinator?.finished(execution);
    const awaits = (this.#coordinator?.unrecordedOf(execution).finished.length ?? 0) > 0 && random.chance(pauseRate);
    // As `snapshot.min-pause` has it: the finish is recorded, and what its task has read later.
    if (this.#coordinator && !awaits) this.#record(this.#coordinator.changes());
    if (awaits) this.counts.pauses += 1;
    this.#lost.delete(partOf(task));
    const event = finished('scan', task.subtask, { attempt: task.attempt, epoch: this.#epoch, parts: [partOf(task)] });
    this.#record(awaits ? { ...event, awaitsSnapshotsOf: ['op'] } : event);
  }

  #fail(task: Task): void {
    this.counts.failures += 1;
    this.#end(task);
  }

  #end(task: Task): void {
    task.state = 'idle';
    task.attempt += 1;
    this.#coordinator?.attemptEnded({ vertexId: scan, subtask: task.subtask, attempt: task.attempt - 1 });
  }

  /** Its result is gone: the engine reconciles, as it does when a worker comes back without it. */
  #lose(task: Task): void {
    this.counts.losses += 1;
    this.#lost.add(partOf(task));
    this.#reconcile();
  }

  #reconcile(): void {
    const plan = planRecovery(
      this.#graph,
      {
        has: () => true,
        partHas: ({ file }) => !this.#lost.has(file),
        coordinatorLives: () => this.#coordinator !== null,
      },
      jobrecRecoveryRules,
    );
    const subtasks = plan.reset.get(scan) ?? [];
    if (subtasks.length === 0) return;
    this.#record({ type: 'execution-vertex-reset', vertexId: scan, subtasks });
    this.#coordinator?.reset(new Set(subtasks));
    for (const subtask of subtasks) {
      const task = this.#tasks[subtask] as Task;
      this.counts.reread += task.read.length;
      task.state = 'idle';
      task.attempt += 1;
    }
  }

  /** The JobMaster dies; its successor replays what was recorded. */
  #crash(): void {
    this.counts.crashes += 1;
    this.#coordinator?.close();
    this.#coordinator = null;
    for (const task of this.#tasks) if (task.state === 'running') task.state = 'idle';
    this.#graph = this.replayed();
    this.#epoch += 1;
    this.#record({ type: 'job-status-changed', state: 'RECONCILING', reason: null });
    this.#reconcile();
    const recorded = this.#graph.vertices.get(scan)?.coordinator;
    const [operator] = recorded?.operators.values() ?? [];
    if (operator === undefined || recorded?.supportsBatchSnapshot !== true) return;
    this.#coordinator = this.#create(SplitLedger.recovered(operator));
    this.#coordinator.recordCut();
  }

  #create(ledger: SplitLedger | null): SourceCoordinator {
    const epoch = this.#epoch;
    const isNow = () => this.#epoch === epoch && this.#coordinator === coordinator;
    const coordinator: SourceCoordinator = new SourceCoordinator({
      vertexId: scan,
      operatorId: 'op',
      source: 'feed',
      needsPath: false,
      ledger,
      open: (state) => this.#enumerator(state),
      describeFile: () => Promise.reject(new Error('no split has a path')),
      record: (snapshot) => isNow() && this.#record(snapshot),
      isRunning: ({ subtask, attempt }) => {
        const task = this.#tasks[subtask];
        return isNow() && task?.state === 'running' && task.attempt === attempt;
      },
      answer: ({ subtask }, split) => {
        const task = this.#tasks[subtask] as Task;
        task.phase = split === null ? 'done' : 'reading';
        if (split === null) return;
        const counted = this.#tasks.some(({ state, read }) => state === 'finished' && read.includes(split.id));
        if (counted) this.wrong.push(split.id);
        task.read.push(split.id);
      },
      onFailed: ({ subtask }) => {
        this.counts.enumeratorFailures += 1;
        const task = this.#tasks[subtask] as Task;
        const { isLost } = coordinator;
        if (task.state === 'running') this.#end(task);
        if (!isLost) return;
        this.#coordinator = null;
        for (const other of this.#tasks) if (other.state === 'running') this.#end(other);
        this.#reconcile();
      },
      onSourceChanged: (message) => this.wrong.push(message),
    });
    return coordinator;
  }

  /** Counts up; fails now and then, after it has counted: what it knows then must not be used. */
  #enumerator(state: string | null): Enumerator {
    const { random, splits, supportsBatchSnapshot } = this.#options;
    let at = state === null ? 0 : Number(JSON.parse(state));
    const stateNow = () => (supportsBatchSnapshot ? String(at) : null);
    const failNowAndThen = () => {
      if (!this.#calm && random.chance(0.05)) throw new EnumeratorFailure('boom');
    };
    return {
      start: async () => {
        failNowAndThen();
        return { type: 'started', supportsBatchSnapshot, state: stateNow() };
      },
      next: async () => {
        await pauseSometimes(random);
        const id = at < splits ? `s${at++}` : null;
        failNowAndThen();
        const split = id === null ? null : { id, path: null, rows: null, data: null };
        return { type: 'answer', split, state: stateNow() };
      },
      close: () => {},
    };
  }

  #executionOf({ subtask, attempt }: Task): ExecutionRef {
    return { vertexId: scan, subtask, attempt };
  }

  #record(event: JobEvent): void {
    this.#events.push(event);
    applyEvent(this.#graph, this.#position(this.#events.length - 1), event);
  }

  #position(sequence: number) {
    return { sequence, timeMicros: null, epoch: this.#epoch };
  }
}

function partOf({ subtask, attempt }: Task): string {
  return `part-${subtask}.${attempt}`;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pauseSometimes(random: Random): Promise<void> {
  return random.chance(0.3) ? settled() : Promise.resolve();
}
