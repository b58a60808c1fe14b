// Deploys all tasks of a streaming job together and ends them together: slots are shared, slot k runs subtask k of
// every vertex, so a job needs as many slots as its highest parallelism. Deployment has two steps: all slots restore
// and listen, then all connect. Knows attempts and slots; what a failure means is its owner's business.
import { randomBytes } from 'node:crypto';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { ExecutionGraph } from '../../../replay/execution-graph.ts';
import type { RegisteredWorker, WorkerPool } from '../../job-master/worker-pool.ts';
import type {
  CheckpointBarrier,
  DataAddress,
  SlotDeployment,
  StreamTaskRef,
  StreamToJobMaster,
  StreamToTaskManager,
} from '../protocol/stream-messages.ts';

/** How long workers that are not there yet are waited for where the others have slots enough. */
const spreadTimeoutMs = 5_000;

export type DeploymentSettings = Omit<
  SlotDeployment,
  'attempt' | 'slot' | 'tasks' | 'restoreFrom' | 'token' | 'plan' | 'epoch'
>;

export interface StreamSchedulerOptions {
  readonly plan: StreamingPlan;
  readonly epoch: number;
  readonly pool: WorkerPool;
  readonly workersConfigured: number;
  /** Number of the first deployment. */
  readonly firstAttempt: number;
  readonly settings: DeploymentSettings;
  /** All tasks run. */
  readonly onRunning: () => void;
}

interface DeployedSlot {
  readonly worker: RegisteredWorker;
  readonly slot: number;
  readonly tasks: readonly StreamTaskRef[];
  state: 'deploying' | 'listening' | 'running' | 'ended';
  port: number;
}

export class StreamScheduler {
  readonly #options: StreamSchedulerOptions;
  #attempt: number;
  #slots: DeployedSlot[] = [];
  /** Tasks of sources that have given their last row in this attempt. */
  readonly #endOfData = new Set<string>();
  #waiting: { readonly restoreFrom: string | null; readonly sinceMs: number } | null = null;
  #onEnded: () => void = () => {};

  constructor(options: StreamSchedulerOptions) {
    this.#options = options;
    this.#attempt = options.firstAttempt - 1;
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** Slots that the job needs. */
  get slotsNeeded(): number {
    return Math.max(...this.#options.plan.vertices.map(({ parallelism }) => parallelism));
  }

  get isRunning(): boolean {
    return this.#slots.length > 0 && this.#slots.every(({ state }) => state === 'running');
  }

  get haveSourcesEnded(): boolean {
    const sources = this.#options.plan.vertices.filter(({ operators }) => operators[0]?.spec.kind === 'source');
    return this.#endOfData.size === sources.reduce((sum, { parallelism }) => sum + parallelism, 0);
  }

  get tasks(): StreamTaskRef[] {
    return this.#options.plan.vertices.flatMap(({ vertexId, parallelism }) =>
      Array.from({ length: parallelism }, (_, subtask) => ({ vertexId, subtask })),
    );
  }

  /** Deploys all tasks as soon as there are slots for them. */
  start(restoreFrom: string | null): void {
    this.#attempt += 1;
    this.#slots = [];
    this.#endOfData.clear();
    this.#waiting = { restoreFrom, sinceMs: performance.now() };
    this.deployIfPossible();
  }

  /** To be called when a worker has registered, and now and then. */
  deployIfPossible(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    const { pool, workersConfigured } = this.#options;
    const isPatient = performance.now() < waiting.sinceMs + spreadTimeoutMs;
    if (pool.workers.size < workersConfigured && isPatient) return;
    const free = this.#freeSlots();
    if (free.length < this.slotsNeeded) return;
    this.#waiting = null;
    this.#deploy(free, waiting.restoreFrom);
  }

  /** Whether the message belongs to the tasks that are deployed now. */
  isCurrent(message: StreamToJobMaster): boolean {
    return message.attempt === this.#attempt;
  }

  slotListens(worker: RegisteredWorker, slot: number, port: number): void {
    const deployed = this.#slotOf(worker, slot);
    if (!deployed) return;
    deployed.state = 'listening';
    deployed.port = port;
    if (!this.#slots.every(({ state }) => state === 'listening')) return;
    const addresses = this.#slots.flatMap(({ tasks, port: at }) =>
      tasks.map((task): DataAddress => ({ ...task, port: at })),
    );
    this.#broadcast({ type: 'connect', attempt: this.#attempt, addresses });
  }

  slotRuns(worker: RegisteredWorker, slot: number): void {
    const deployed = this.#slotOf(worker, slot);
    if (!deployed) return;
    deployed.state = 'running';
    if (this.isRunning) this.#options.onRunning();
  }

  slotEnded(worker: RegisteredWorker, slot: number): void {
    const deployed = this.#slotOf(worker, slot);
    if (deployed) deployed.state = 'ended';
    this.#tellEnded();
  }

  sourceEnded({ vertexId, subtask }: StreamTaskRef): void {
    this.#endOfData.add(`${vertexId}#${subtask}`);
  }

  /** Whether tasks were lost with the worker. */
  workerLost(worker: RegisteredWorker): boolean {
    const lost = this.#slots.filter((slot) => slot.worker === worker && slot.state !== 'ended');
    for (const slot of lost) slot.state = 'ended';
    this.#tellEnded();
    return lost.length > 0;
  }

  /** The worker on which a task runs; null: none. */
  workerOf(task: StreamTaskRef): string | null {
    const slot = this.#slots.find(({ tasks }) =>
      tasks.some(({ vertexId, subtask }) => vertexId === task.vertexId && subtask === task.subtask),
    );
    return slot?.worker.workerId ?? null;
  }

  triggerCheckpoint(barrier: CheckpointBarrier): void {
    this.#broadcast({ type: 'trigger', attempt: this.#attempt, barrier });
  }

  checkpointCompleted(checkpointId: number): void {
    this.#broadcast({ type: 'complete', attempt: this.#attempt, checkpointId });
  }

  /** Ends all tasks; resolves when none runs any more. `finish` where they have done their work. */
  async end(type: 'finish' | 'cancel'): Promise<void> {
    this.#waiting = null;
    const ended = new Promise<void>((resolve) => {
      this.#onEnded = resolve;
    });
    this.#broadcast({ type, attempt: this.#attempt });
    this.#tellEnded();
    await ended;
  }

  #tellEnded(): void {
    if (this.#slots.every(({ state }) => state === 'ended')) this.#onEnded();
  }

  /** Over all workers in turn, so that the tasks of a vertex are spread. */
  #freeSlots(): { readonly worker: RegisteredWorker; readonly slot: number }[] {
    const workers = [...this.#options.pool.workers.values()];
    const all = workers.flatMap((worker) => Array.from({ length: worker.slots }, (_, slot) => ({ worker, slot })));
    return all.sort((a, b) => a.slot - b.slot || (a.worker.workerId < b.worker.workerId ? -1 : 1));
  }

  #deploy(
    free: readonly { readonly worker: RegisteredWorker; readonly slot: number }[],
    restoreFrom: string | null,
  ): void {
    const { plan, epoch, settings } = this.#options;
    const token = randomBytes(24).toString('hex');
    const attempt = this.#attempt;
    this.#slots = free.slice(0, this.slotsNeeded).map(({ worker, slot }, index) => {
      const tasks = this.tasks.filter(({ subtask }) => subtask === index);
      return { worker, slot, tasks, state: 'deploying', port: 0 };
    });
    for (const { worker, slot, tasks } of this.#slots) {
      const deployment = { ...settings, epoch, plan, attempt, slot, tasks, restoreFrom, token };
      this.#send(worker, { type: 'deploy', deployment });
    }
  }

  #slotOf(worker: RegisteredWorker, slot: number): DeployedSlot | undefined {
    return this.#slots.find((each) => each.worker === worker && each.slot === slot);
  }

  #broadcast(message: StreamToTaskManager): void {
    const workers = new Set(this.#slots.filter(({ state }) => state !== 'ended').map(({ worker }) => worker));
    for (const worker of workers) this.#send(worker, message);
  }

  #send(worker: RegisteredWorker, message: StreamToTaskManager): void {
    worker.connection.send({ type: 'stream', epoch: this.#options.epoch, message });
  }
}

/** Number of the first deployment of a JobMaster: above all that earlier ones deployed. */
export function firstAttemptOf(graph: ExecutionGraph): number {
  const tasks = [...graph.vertices.values()].flatMap((vertex) => vertex.tasks);
  return tasks.length === 0 ? 0 : Math.max(...tasks.map(({ attempt }) => attempt)) + 1;
}
