// The operators of a streaming job before they are chained: sources, stages, the watermarks that a window needs, and
// sinks, each with its parallelism and the exchange by which it reads what is before it.
import { derivedId } from '../../model/ids.ts';
import type { FunctionRef, OperatorSpec, StreamExchange } from '../../model/streaming-plan.ts';
import { inputsOf, type StageInputEntry } from '../job-file/check-job.ts';
import type { Places } from '../job-file/places.ts';
import { isKeyed, keyOf, kindOf, uidOf } from './check-stream-job.ts';
import { sinkConnector, sourceSpec } from './connectors.ts';
import type { StreamJobFile, StreamSourceEntry, StreamStageEntry } from './schema.ts';

export interface NodeInput {
  readonly from: StreamNode;
  readonly exchange: StreamExchange;
  readonly by: readonly string[];
  /** Why this exchange, one sentence. */
  readonly why: string;
}

export interface StreamNode {
  readonly name: string;
  readonly uid: string;
  readonly operatorId: string;
  /** `stages` of the plan name it; not those that the planner adds. */
  readonly isStage: boolean;
  readonly spec: OperatorSpec;
  readonly parallelism: number;
  readonly inputs: readonly NodeInput[];
  readonly mayChain: boolean;
}

export interface NodesRequest {
  readonly job: StreamJobFile;
  /** Stage names, producers before consumers. */
  readonly order: readonly string[];
  readonly folder: string;
  readonly places: Places;
  readonly defaultParallelism: number;
  readonly functionOf: (stage: string) => FunctionRef;
}

/** Producers before consumers. */
export function streamNodes(request: NodesRequest): StreamNode[] {
  return new NodeFactory(request).all();
}

class NodeFactory {
  readonly #request: NodesRequest;
  readonly #nodes: StreamNode[] = [];
  readonly #byName = new Map<string, StreamNode>();

  constructor(request: NodesRequest) {
    this.#request = request;
  }

  all(): StreamNode[] {
    const { job, order } = this.#request;
    for (const [name, source] of Object.entries(job.sources ?? {})) this.#addSource(name, source);
    for (const name of order) this.#addStage(name, job.stages?.[name] ?? {});
    for (const name of Object.keys(job.sinks)) this.#addSink(name);
    return this.#nodes;
  }

  #addSource(name: string, entry: StreamSourceEntry): void {
    const { folder, places, defaultParallelism } = this.#request;
    const spec = sourceSpec(name, entry, folder, places);
    const parallelism = spec.connector.kind === 'socket' ? 1 : (entry.parallelism ?? defaultParallelism);
    if (spec.connector.kind === 'socket' && (entry.parallelism ?? 1) > 1) {
      throw places.error('JOB_FILE_INVALID', ['sources', name, 'parallelism'], 'a socket is read by one task');
    }
    this.#byName.set(name, this.#add({ name, uid: entry.uid ?? name, isStage: false, spec, parallelism, inputs: [] }));
  }

  #addStage(name: string, stage: StreamStageEntry): void {
    const parallelism = stage.parallelism ?? this.#request.defaultParallelism;
    const inputs = inputsOf(stage).map((input) => this.#stageInput(name, stage, input, parallelism));
    const mayChain = stage.chain ?? true;
    const spec = this.#stageSpec(name, stage);
    const uid = stage.uid ?? name;
    this.#byName.set(name, this.#add({ name, uid, isStage: true, spec, parallelism, inputs, mayChain }));
  }

  #stageSpec(name: string, stage: StreamStageEntry): OperatorSpec {
    const kind = kindOf(stage);
    const keyBy = keyOf(stage);
    const { window: entry } = stage;
    const window = entry && { sizeMs: entry.tumbling, time: entry.time, latenessMs: entry.lateness ?? 0 };
    if (kind === 'sum') return { kind, field: stage.sum ?? '', keyBy, window: window ?? null };
    const ref = this.#request.functionOf(name);
    if (kind === 'reduce') return { kind, function: ref, keyBy, window: window ?? null };
    if (kind === 'process') return { kind, function: ref, keyBy };
    return { kind, function: ref };
  }

  #stageInput(name: string, stage: StreamStageEntry, input: StageInputEntry, parallelism: number): NodeInput {
    const from = this.#withWatermarks(name, stage, input.from);
    if (isKeyed(stage)) {
      const by = keyOf(stage);
      return { from, exchange: 'hash', by, why: `all rows of a key meet in one task: ${by.join(', ')}` };
    }
    if (input.exchange === 'forward' && from.parallelism !== parallelism) {
      const path = ['stages', name, 'inputs', input.alias, 'exchange'];
      const message = `forward needs equal parallelism, and ${input.from} has ${from.parallelism}, ${name} ${parallelism}`;
      throw this.#request.places.error('EXCHANGE_REFUSED', path, message, { hint: 'state exchange: rebalance' });
    }
    if (input.exchange !== null) {
      return { from, exchange: input.exchange as StreamExchange, by: input.by, why: 'stated in the job file' };
    }
    if (from.parallelism === parallelism) return { from, exchange: 'forward', by: [], why: 'row by row' };
    const why = `row by row, from ${from.parallelism} to ${parallelism} tasks`;
    return { from, exchange: 'rebalance', by: [], why };
  }

  /** Watermarks are made where the rows come from, before the exchange mixes the splits. */
  #withWatermarks(name: string, stage: StreamStageEntry, input: string): StreamNode {
    const producer = this.#byName.get(input) as StreamNode;
    if (!stage.window) return producer;
    const { time, outOfOrderness = 0, idleness = null } = stage.window;
    const spec = { kind: 'watermarks', time, outOfOrdernessMs: outOfOrderness, idlenessMs: idleness } as const;
    const inputs = [{ from: producer, exchange: 'forward', by: [], why: 'row by row' }] as const;
    const label = `watermarks of ${name}`;
    const uid = `${stage.uid ?? name}: watermarks of ${input}`;
    const { parallelism } = producer;
    return this.#add({ name: label, uid, isStage: false, spec, parallelism, inputs });
  }

  #addSink(name: string): void {
    const { job, folder, places } = this.#request;
    const entry = job.sinks[name];
    const from = entry && this.#byName.get(entry.input);
    if (!entry || !from) return;
    const spec = { kind: 'sink', connector: sinkConnector(name, entry, folder, places) } as const;
    const inputs = [{ from, exchange: 'forward', by: [], why: 'a sink writes where its rows are' }] as const;
    const uid = entry.uid ?? uidOf('sinks', name);
    this.#add({ name, uid, isStage: false, spec, parallelism: from.parallelism, inputs });
  }

  #add(node: Omit<StreamNode, 'operatorId' | 'mayChain'> & { readonly mayChain?: boolean }): StreamNode {
    const made = { mayChain: true, ...node, operatorId: derivedId('operator', node.uid) };
    this.#nodes.push(made);
    return made;
  }
}
