// The tasks of one slot's deployment, in its thread: built and restored, connected with those of other slots, run, and
// ended together. Talks to the JobMaster through `tell` alone.
import { messageOf } from '../../../model/errors.ts';
import type { StreamOutput, StreamVertex } from '../../../model/streaming-plan.ts';
import { ChannelLost } from '../channels/channel-lost.ts';
import { DataServer } from '../channels/data-server.ts';
import { InputGate } from '../channels/input-gate.ts';
import { openChannel } from '../channels/open-channel.ts';
import { TaskOutput } from '../channels/task-output.ts';
import { createOperator } from '../operators/create-operator.ts';
import { OperatorChain } from '../operators/operator-chain.ts';
import type {
  CheckpointBarrier,
  DataAddress,
  SlotDeployment,
  StreamTaskRef,
  StreamToJobMaster,
} from '../protocol/stream-messages.ts';
import { createSource } from '../sources/create-source.ts';
import { SourceOperator } from '../sources/source-operator.ts';
import { inputChannels } from './input-channels.ts';
import { RestoredState } from './restored-state.ts';
import { StateWriter } from './state-writer.ts';
import { StreamTask, type TaskReporter } from './stream-task.ts';

interface BuiltTask {
  readonly task: StreamTask;
  readonly vertex: StreamVertex;
  readonly subtask: number;
  readonly gate: InputGate | null;
  readonly output: TaskOutput;
}

export class SlotTasks {
  readonly #deployment: SlotDeployment;
  readonly #tell: (message: StreamToJobMaster) => void;
  readonly #vertices: ReadonlyMap<string, StreamVertex>;
  readonly #server: DataServer;
  readonly #stop = new AbortController();
  readonly #tasks: BuiltTask[] = [];
  readonly #notice = (message: string): void => {
    this.#tell({ type: 'notice', attempt: this.#deployment.attempt, message });
  };
  #running: Promise<unknown> = Promise.resolve();

  constructor(deployment: SlotDeployment, tell: (message: StreamToJobMaster) => void) {
    this.#deployment = deployment;
    this.#tell = tell;
    this.#vertices = new Map(deployment.plan.vertices.map((vertex) => [vertex.vertexId, vertex]));
    const { token, attempt } = deployment;
    this.#server = new DataServer({ token, attempt, channel: (...channel) => this.#channel(...channel) });
  }

  /** Builds and restores the tasks and opens the data port. What goes wrong is told as a failure. */
  async start(): Promise<void> {
    const { attempt, slot, tasks, restoreFrom } = this.#deployment;
    try {
      const restored = restoreFrom === null ? null : await RestoredState.read(restoreFrom);
      for (const ref of tasks) await this.#build(ref, restored);
      const port = await this.#server.listen();
      this.#tell({ type: 'listening', attempt, slot, port });
    } catch (error) {
      this.#fail(null, error);
    }
  }

  /** Opens the channels to the producers; then rows flow. */
  async connect(addresses: readonly DataAddress[]): Promise<void> {
    const { attempt, slot } = this.#deployment;
    try {
      for (const built of this.#tasks) await this.#connectInputs(built, addresses);
      this.#tell({ type: 'running', attempt, slot });
      this.#running = Promise.all(this.#tasks.map(({ task }) => this.#run(task)));
    } catch (error) {
      this.#fail(null, error);
    }
  }

  trigger(barrier: CheckpointBarrier): void {
    for (const { task } of this.#tasks) task.trigger(barrier);
  }

  checkpointComplete(checkpointId: number): void {
    for (const { task } of this.#tasks) task.checkpointComplete(checkpointId);
  }

  /** Ends all tasks; resolves when nothing runs any more. */
  async end(): Promise<void> {
    this.#stop.abort();
    for (const { task } of this.#tasks) task.cancel();
    await this.#running;
    for (const { task } of this.#tasks) await task.close();
    this.#server.close();
  }

  async #run(task: StreamTask): Promise<void> {
    try {
      await task.run();
    } catch (error) {
      this.#fail(task.ref, error);
    }
  }

  #fail(task: StreamTaskRef | null, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const { attempt } = this.#deployment;
    const isConsequence = error instanceof ChannelLost;
    this.#tell({ type: 'failed', attempt, task, message: messageOf(error), isConsequence });
  }

  async #build({ vertexId, subtask }: StreamTaskRef, restored: RestoredState | null): Promise<void> {
    const { plan, attempt, functionsFolder, bufferTimeoutMs, watermarkIntervalMs } = this.#deployment;
    const vertex = this.#vertex(vertexId);
    const output = new TaskOutput(vertex, (edge) => this.#consumers(edge), plan.maxParallelism);
    const source = await this.#source(vertex, subtask, restored);
    const { jobId, epoch, logsFolder } = this.#deployment;
    const task = { jobId, epoch, attempt, logsFolder, subtask, parallelism: vertex.parallelism, notice: this.#notice };
    const { maxParallelism } = plan;
    const chain = await OperatorChain.create({
      ...{ vertex, subtask, attempt, maxParallelism, functionsFolder, output },
      createOperator: async (node) => (node.spec.kind === 'source' && source ? source : createOperator(node, task)),
    });
    const channels = inputChannels(vertex, subtask, (id) => this.#vertex(id));
    const gate = source ? null : new InputGate(channels.length);
    const stateWriter = new StateWriter(this.#deployment);
    const reporter = this.#reporter();
    const options = { vertex, subtask, chain, source, gate, output, stateWriter, reporter };
    const streamTask = new StreamTask({ ...options, bufferTimeoutMs, watermarkIntervalMs });
    this.#tasks.push({ task: streamTask, vertex, subtask, gate, output });
    await chain.open(restored);
  }

  async #source(vertex: StreamVertex, subtask: number, restored: RestoredState | null): Promise<SourceOperator | null> {
    const [head] = vertex.operators;
    if (head?.spec.kind !== 'source') return null;
    const { parallelism } = vertex;
    const { signal } = this.#stop;
    const context = { sourceName: head.name, subtask, parallelism, signal, notice: this.#notice };
    const ofThisJob = restored === null || restored.jobId === this.#deployment.jobId;
    return new SourceOperator(await createSource(head.spec, context), subtask, parallelism, ofThisJob);
  }

  async #connectInputs({ vertex, subtask, gate }: BuiltTask, addresses: readonly DataAddress[]): Promise<void> {
    if (!gate) return;
    const { token, attempt } = this.#deployment;
    for (const [index, channel] of inputChannels(vertex, subtask, (id) => this.#vertex(id)).entries()) {
      const { datasetId, producerVertexId, producer, consumer } = channel;
      const address = addresses.find((each) => each.vertexId === producerVertexId && each.subtask === producer);
      if (!address) throw new Error(`nobody listens for subtask ${producer} of ${producerVertexId}`);
      const { port } = address;
      gate.attach(index, await openChannel({ port, token, attempt, datasetId, producer, consumer }));
    }
  }

  /** Channels of one task's output edge: for `forward` the only consumer is the subtask of the same number. */
  #consumers({ consumerVertexId, exchange }: StreamOutput): number {
    return exchange === 'forward' ? 1 : this.#vertex(consumerVertexId).parallelism;
  }

  #channel(datasetId: string, producer: number, consumer: number) {
    for (const { output, subtask } of this.#tasks) {
      const edge = subtask === producer && output.edges.find((each) => each.output.datasetId === datasetId);
      if (edge) return edge.channels[edge.output.exchange === 'forward' ? 0 : consumer];
    }
    return undefined;
  }

  #vertex(vertexId: string): StreamVertex {
    const vertex = this.#vertices.get(vertexId);
    if (!vertex) throw new Error(`the plan has no vertex ${vertexId}`);
    return vertex;
  }

  #reporter(): TaskReporter {
    const { attempt } = this.#deployment;
    return {
      acknowledge: (task, checkpointId, operators, parts) =>
        this.#tell({ type: 'acknowledge', attempt, checkpointId, task, operators, parts }),
      decline: (task, checkpointId, reason) => this.#tell({ type: 'decline', attempt, checkpointId, task, reason }),
      endOfData: (task) => this.#tell({ type: 'end-of-data', attempt, task }),
    };
  }
}
