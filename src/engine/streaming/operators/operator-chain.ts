// The operators of one vertex as they run in one task: wired by direct calls, so that a row passes the whole chain
// before the next one is taken. Branches get the same row object; functions must not change the rows they are given.
import { invariant } from '../../../model/errors.ts';
import type { Row, StreamOperator, StreamVertex } from '../../../model/streaming-plan.ts';
import type { TaskOutput } from '../channels/task-output.ts';
import { keyGroupRangeOf } from '../state/key-groups.ts';
import { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import type { RestoredState } from '../task/restored-state.ts';
import type { OperatorSnapshot } from '../task/state-writer.ts';
import type { Committable, Operator, Output } from './operator.ts';
import { WatermarkOperator } from './watermark-operator.ts';

export interface ChainRequest {
  readonly vertex: StreamVertex;
  readonly subtask: number;
  readonly attempt: number;
  readonly maxParallelism: number;
  readonly functionsFolder: string;
  readonly output: TaskOutput;
  readonly createOperator: (operator: StreamOperator) => Promise<Operator>;
}

interface Link {
  readonly node: StreamOperator;
  readonly operator: Operator;
  readonly keyedState: KeyedStateBackend | null;
  readonly output: ChainOutput;
}

const keyedKinds = ['sum', 'reduce', 'process'];

export class OperatorChain {
  /** Where the row at hand came from. */
  origin = '';
  readonly #request: ChainRequest;
  readonly #links: Link[] = [];
  #buffering: readonly Required<Pick<Operator, 'ready'>>[] = [];

  private constructor(request: ChainRequest) {
    this.#request = request;
  }

  static async create(request: ChainRequest): Promise<OperatorChain> {
    const chain = new OperatorChain(request);
    for (const node of request.vertex.operators) {
      const operator = await request.createOperator(node);
      const keyedState = keyedKinds.includes(node.spec.kind) ? new KeyedStateBackend(request.maxParallelism) : null;
      chain.#links.push({ node, operator, keyedState, output: new ChainOutput(request.output) });
    }
    chain.#wire();
    chain.#buffering = chain.#links.map(({ operator }) => operator).filter(mayBuffer);
    return chain;
  }

  /** Restores all operators and opens them, the last ones first: what is opened may use what is behind it. */
  async open(restored: RestoredState | null): Promise<void> {
    const { vertex, subtask, attempt, maxParallelism, functionsFolder } = this.#request;
    const { name: vertexName, parallelism } = vertex;
    const range = keyGroupRangeOf(subtask, maxParallelism, parallelism);
    for (const { node, operator, keyedState, output } of [...this.#links].reverse()) {
      if (restored) {
        keyedState?.restore(await restored.keyed(node.operatorId, range), range);
        const states = await restored.own(node.operatorId);
        if (states.length > 0) operator.initializeState?.(states);
      }
      const origin = () => this.origin;
      const task = { vertexName, subtask, parallelism, attempt, functionsFolder };
      await operator.open?.({ ...task, output, keyedState, origin });
    }
  }

  /** Of a source: a row behind the source itself; else a row that an input brought. */
  process(row: Row): void {
    this.#head.operator.processElement(row);
  }

  watermark(watermarkMs: number): void {
    receiveWatermark(this.#head, watermarkMs);
  }

  idle(): void {
    receiveIdle(this.#head);
  }

  originsKnown(origins: readonly string[]): void {
    for (const { operator } of this.#links) if (operator instanceof WatermarkOperator) operator.originsKnown(origins);
  }

  onInterval(): void {
    for (const { operator } of this.#links) if (operator instanceof WatermarkOperator) operator.onInterval();
  }

  /** null: takes more rows. Asked after every row: it costs next to nothing where nobody has to be waited for. */
  ready(): Promise<void> | null {
    for (const operator of this.#buffering) {
      const wait = operator.ready();
      if (wait) return wait;
    }
    return this.#request.output.ready();
  }

  async prepareCommit(checkpointId: number): Promise<Committable[]> {
    const parts: Committable[] = [];
    for (const { operator } of this.#links) parts.push(...((await operator.prepareCommit?.(checkpointId)) ?? []));
    return parts;
  }

  /** State of all operators, as it is at this moment. */
  snapshot(checkpointId: number): OperatorSnapshot[] {
    return this.#links.map(({ node, operator, keyedState }) => ({
      operatorId: node.operatorId,
      name: node.name,
      keyed: keyedState?.snapshot() ?? [],
      own: operator.snapshotState?.(checkpointId),
      droppedRows: operator.droppedRows ?? 0,
    }));
  }

  checkpointComplete(checkpointId: number): void {
    for (const { operator } of this.#links) operator.notifyCheckpointComplete?.(checkpointId);
  }

  async close(): Promise<void> {
    for (const { operator } of this.#links) await operator.close?.();
  }

  get #head(): Link {
    const [head] = this.#links;
    invariant(head, 'a chain has an operator');
    return head;
  }

  #wire(): void {
    const { output } = this.#request;
    for (const [index, link] of this.#links.entries()) {
      const next = this.#links.filter(({ node }) => node.input === index);
      link.output.wire(
        index,
        next,
        output.edges.filter((edge) => edge.output.operator === index),
      );
    }
  }
}

function mayBuffer(operator: Operator): operator is Operator & Required<Pick<Operator, 'ready'>> {
  return operator.ready !== undefined;
}

type Edge = TaskOutput['edges'][number];

class ChainOutput implements Output {
  readonly #taskOutput: TaskOutput;
  #operator = 0;
  #next: readonly Link[] = [];
  #edges: readonly Edge[] = [];

  constructor(taskOutput: TaskOutput) {
    this.#taskOutput = taskOutput;
  }

  wire(operator: number, next: readonly Link[], edges: readonly Edge[]): void {
    this.#operator = operator;
    this.#next = next;
    this.#edges = edges;
  }

  collect(row: Row): void {
    for (const { operator } of this.#next) operator.processElement(row);
    for (const edge of this.#edges) edge.emit(row);
  }

  emitWatermark(watermarkMs: number): void {
    for (const link of this.#next) receiveWatermark(link, watermarkMs);
    if (this.#edges.length > 0) this.#taskOutput.watermark(this.#operator, watermarkMs);
  }

  emitIdle(): void {
    for (const link of this.#next) receiveIdle(link);
    if (this.#edges.length > 0) this.#taskOutput.idle(this.#operator);
  }
}

function receiveWatermark({ operator, output }: Link, watermarkMs: number): void {
  if (operator.processWatermark) operator.processWatermark(watermarkMs);
  else output.emitWatermark(watermarkMs);
}

function receiveIdle({ operator, output }: Link): void {
  if (operator.processIdle) operator.processIdle();
  else output.emitIdle();
}
