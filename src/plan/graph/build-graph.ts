// From planned stages to the JobGraph: chains forward-connected stages of equal parallelism into vertices, gives
// sources that are shuffled a vertex of their own, and connects the rest by data sets. Invariant: the graph has no
// cycle, although chaining merges nodes: a stage joins a vertex only where nothing else that it reads depends on it.
import { invariant } from '../../model/errors.ts';
import type { JobEdge, JobGraph, SinkSpec, SourceSpec, Step, StepInput } from '../../model/job-graph.ts';
import type { ChosenExchange, PlanInput } from '../exchanges/stage-plan.ts';
import type { PlannedStage } from './planned-stage.ts';
import { VertexBuilder } from './vertex-builder.ts';

export interface GraphRequest {
  readonly name: string;
  readonly stages: readonly PlannedStage[];
  readonly sources: readonly SourceSpec[];
  readonly sinks: readonly SinkSpec[];
  /** Sink name -> the source or stage that it writes. */
  readonly sinkInputs: ReadonlyMap<string, string>;
  /** Upper bound of adaptive decisions. */
  readonly maxParallelism: number;
  readonly sourceParallelism: (source: SourceSpec) => number;
  readonly duckdbVersion: string;
}

export function buildGraph(request: GraphRequest): JobGraph {
  const assembly = new GraphAssembly(request);
  for (const stage of request.stages) assembly.addStage(stage);
  for (const sink of request.sinks) assembly.addSink(sink.name);
  const vertices = assembly.inOrder();
  return {
    name: request.name,
    vertices: vertices.map((vertex) => vertex.build()),
    edges: vertices.flatMap(edgesInto),
    sources: request.sources,
    sinks: request.sinks,
    duckdbVersion: request.duckdbVersion,
  };
}

function edgesInto(vertex: VertexBuilder): JobEdge[] {
  return vertex.dataSetInputs().map(({ producer, datasetId, exchange }) => ({
    producerVertexId: producer.id,
    consumerVertexId: vertex.id,
    datasetId,
    exchange,
  }));
}

class GraphAssembly {
  private readonly request: GraphRequest;
  private readonly vertices: VertexBuilder[] = [];
  private readonly sourceVertices = new Map<string, VertexBuilder>();
  private readonly places = new Map<
    string,
    { readonly vertex: VertexBuilder; readonly step: number; readonly stage: PlannedStage }
  >();

  constructor(request: GraphRequest) {
    this.request = request;
  }

  addStage(stage: PlannedStage): void {
    const vertex = this.vertexToChainTo(stage) ?? this.newVertex(null, stage.parallelism);
    const inputs = stage.inputs.map((input, index) => this.connect(stage, vertex, input, exchangeAt(stage, index)));
    vertex.stages.push(stage.name);
    const step = vertex.steps.push(stepOf(stage, inputs)) - 1;
    this.places.set(stage.name, { vertex, step, stage });
  }

  addSink(sink: string): void {
    const from = this.request.sinkInputs.get(sink) ?? '';
    const place = this.places.get(from);
    if (place) place.vertex.sinks.push({ sink, from: { kind: 'step', step: place.step } });
    else this.sourceVertex(from).sinks.push({ sink, from: { kind: 'input', input: 0 } });
  }

  /** Producers before consumers; otherwise in the order in which they were made. */
  inOrder(): VertexBuilder[] {
    const ordered = new Set<VertexBuilder>();
    const visit = (vertex: VertexBuilder): void => {
      if (ordered.has(vertex)) return;
      for (const producer of vertex.producers) visit(producer);
      ordered.add(vertex);
    };
    for (const vertex of this.vertices) visit(vertex);
    return [...ordered];
  }

  private newVertex(source: string | null, parallelism: number | null): VertexBuilder {
    const { name, maxParallelism } = this.request;
    const vertex = new VertexBuilder(name, source, parallelism, parallelism ?? maxParallelism);
    this.vertices.push(vertex);
    return vertex;
  }

  private sourceVertex(name: string): VertexBuilder {
    const known = this.sourceVertices.get(name);
    if (known) return known;
    const source = this.request.sources.find((each) => each.name === name);
    invariant(source, `there is a source ${name}`);
    const vertex = this.newVertex(name, this.request.sourceParallelism(source));
    vertex.addSourceInput(name);
    this.sourceVertices.set(name, vertex);
    return vertex;
  }

  /** The vertex of the first forward input, where the stage may join it. */
  private vertexToChainTo(stage: PlannedStage): VertexBuilder | null {
    if (!stage.mayChain) return null;
    for (const [index, input] of stage.inputs.entries()) {
      const place = this.places.get(input.from);
      if (exchangeAt(stage, index).exchange !== 'forward' || !place?.stage.mayChain) continue;
      if (this.mayJoin(stage, place.vertex)) return place.vertex;
    }
    return null;
  }

  private mayJoin(stage: PlannedStage, vertex: VertexBuilder): boolean {
    if (stage.parallelism !== vertex.parallelism) return false;
    return stage.inputs.every((input, index) => {
      const { exchange } = exchangeAt(stage, index);
      const place = this.places.get(input.from);
      if (place?.vertex === vertex) return exchange === 'forward';
      if (exchange !== 'forward' && exchange !== 'broadcast') return false;
      const producer = place?.vertex ?? this.sourceVertices.get(input.from);
      return !producer?.dependsOn(vertex);
    });
  }

  /** A source with an enumerator that several read: one coordinator finds its splits, so it is a vertex of its own. */
  private isShared(name: string): boolean {
    const { sources, stages, sinkInputs } = this.request;
    if (sources.find((source) => source.name === name)?.enumerator === undefined) return false;
    const stageReaders = stages.filter((stage) => stage.inputs.some((input) => input.from === name));
    const sinkReaders = [...sinkInputs.values()].filter((from) => from === name);
    const isDivided = stageReaders.some((stage) =>
      stage.inputs.some(({ from }, index) => from === name && isShuffled(exchangeAt(stage, index))),
    );
    return stageReaders.length + sinkReaders.length > 1 || isDivided;
  }

  private connect(stage: PlannedStage, vertex: VertexBuilder, input: PlanInput, chosen: ChosenExchange): StepInput {
    const place = this.places.get(input.from);
    if (place?.vertex === vertex && chosen.exchange === 'forward') return { kind: 'step', step: place.step };
    if (!place && !isShuffled(chosen) && !this.isShared(input.from)) {
      return { kind: 'input', input: vertex.addSourceInput(input.from) };
    }
    const producer = place?.vertex ?? this.sourceVertex(input.from);
    const output = producer.addOutput({
      from: place ? { kind: 'step', step: place.step } : { kind: 'input', input: 0 },
      exchange: chosen.exchange,
      by: chosen.by,
      subpartitions: subpartitionsOf(chosen, vertex),
      produced: input.columns?.map((column) => column.name) ?? null,
      used: stage.usedColumns.get(input.alias) ?? null,
    });
    return { kind: 'input', input: vertex.addDataSetInput(producer, output) };
  }
}

function exchangeAt(stage: PlannedStage, index: number): ChosenExchange {
  const chosen = stage.exchanges[index];
  invariant(chosen, `input ${index} of stage ${stage.name} has an exchange`);
  return chosen;
}

/** A source that is read so is a vertex of its own. */
function isShuffled({ exchange }: ChosenExchange): boolean {
  return exchange === 'hash' || exchange === 'broadcast';
}

/** As many as the consumer can have tasks: an adaptive consumer takes runs of them. */
function subpartitionsOf({ exchange }: ChosenExchange, consumer: VertexBuilder): number {
  return exchange === 'hash' || exchange === 'rebalance' ? consumer.maxParallelism : 1;
}

function stepOf(stage: PlannedStage, inputs: readonly StepInput[]): Step {
  const { work, columns } = stage;
  const [first] = inputs;
  if (work.kind === 'sql') {
    const byAlias = Object.fromEntries(
      stage.inputs.flatMap(({ alias }, index) => {
        const input = inputs[index];
        return input ? [[alias, input] as const] : [];
      }),
    );
    return { kind: 'sql', stage: stage.name, sql: work.sql, inputs: byAlias, columns };
  }
  invariant(first, `map stage ${stage.name} has an input`);
  return { kind: 'map', stage: stage.name, module: work.module, exportName: work.exportName, input: first, columns };
}
