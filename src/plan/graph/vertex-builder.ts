// A vertex while the plan is being built: its data sets are known only when all consumers are.
import type { JobVertexId } from '../../model/ids.ts';
import { derivedId } from '../../model/ids.ts';
import type {
  DataSet,
  ExchangeKind,
  HashKey,
  JobVertex,
  SinkOutput,
  Step,
  StepInput,
  VertexInput,
} from '../../model/job-graph.ts';

interface BuiltDataSet {
  readonly from: StepInput;
  readonly exchange: ExchangeKind;
  readonly by: readonly HashKey[];
  readonly subpartitions: number;
  /** Names in the producer's order; null: all. */
  readonly produced: readonly string[] | null;
  /** null: somebody reads all. */
  columns: Set<string> | null;
}

type BuiltInput =
  | { readonly kind: 'source'; readonly source: string }
  | { readonly kind: 'dataset'; readonly producer: VertexBuilder; readonly output: number };

export interface DataSetRequest {
  readonly from: StepInput;
  readonly exchange: ExchangeKind;
  readonly by: readonly HashKey[];
  readonly subpartitions: number;
  readonly produced: readonly string[] | null;
  readonly used: readonly string[] | null;
}

export class VertexBuilder {
  readonly stages: string[] = [];
  readonly steps: Step[] = [];
  readonly sinks: SinkOutput[] = [];
  readonly parallelism: number | null;
  readonly maxParallelism: number;
  private readonly job: string;
  private readonly sourceName: string | null;
  private readonly inputs: BuiltInput[] = [];
  private readonly outputs: BuiltDataSet[] = [];

  /** @param sourceName the source that the vertex reads for others, where it is nothing but that */
  constructor(job: string, sourceName: string | null, parallelism: number | null, maxParallelism: number) {
    this.job = job;
    this.sourceName = sourceName;
    this.parallelism = parallelism;
    this.maxParallelism = maxParallelism;
  }

  get name(): string {
    return this.sourceName ?? this.stages.join(' -> ');
  }

  get id(): JobVertexId {
    return derivedId('vertex', this.job, this.name);
  }

  get producers(): VertexBuilder[] {
    return this.inputs.flatMap((input) => (input.kind === 'dataset' ? [input.producer] : []));
  }

  /** Whether this vertex waits for `other`, directly or through others. */
  dependsOn(other: VertexBuilder): boolean {
    return this.producers.some((producer) => producer === other || producer.dependsOn(other));
  }

  addSourceInput(source: string): number {
    const known = this.inputs.findIndex((input) => input.kind === 'source' && input.source === source);
    return known >= 0 ? known : this.inputs.push({ kind: 'source', source }) - 1;
  }

  addDataSetInput(producer: VertexBuilder, output: number): number {
    const known = this.inputs.findIndex(
      (input) => input.kind === 'dataset' && input.producer === producer && input.output === output,
    );
    return known >= 0 ? known : this.inputs.push({ kind: 'dataset', producer, output }) - 1;
  }

  /** The index of the output with these properties: consumers that ask for the same share one. */
  addOutput(request: DataSetRequest): number {
    const { used, ...properties } = request;
    const key = (set: Omit<DataSetRequest, 'used' | 'produced'>) =>
      JSON.stringify([set.from, set.exchange, set.by, set.subpartitions]);
    const known = this.outputs.findIndex((output) => key(output) === key(request));
    const output = this.outputs[known];
    if (!output) return this.outputs.push({ ...properties, columns: used === null ? null : new Set(used) }) - 1;
    output.columns = output.columns === null || used === null ? null : new Set([...output.columns, ...used]);
    return known;
  }

  dataSetId(output: number): string {
    return derivedId('dataset', this.id, String(output));
  }

  build(): JobVertex {
    return {
      id: this.id,
      name: this.name,
      stages: this.stages,
      inputs: this.inputs.map(builtInput),
      steps: this.steps,
      outputs: this.outputs.map((output, index) => builtDataSet(output, this.dataSetId(index))),
      sinks: this.sinks,
      parallelism: this.parallelism,
      maxParallelism: this.maxParallelism,
    };
  }

  /** The data sets that this vertex reads, with their producers. */
  dataSetInputs(): { readonly producer: VertexBuilder; readonly datasetId: string; readonly exchange: ExchangeKind }[] {
    return this.inputs.flatMap((input) => {
      if (input.kind === 'source') return [];
      const exchange = input.producer.outputs[input.output]?.exchange ?? 'gather';
      return [{ producer: input.producer, datasetId: input.producer.dataSetId(input.output), exchange }];
    });
  }
}

function builtInput(input: BuiltInput): VertexInput {
  if (input.kind === 'source') return input;
  return { kind: 'dataset', datasetId: input.producer.dataSetId(input.output) };
}

function builtDataSet(output: BuiltDataSet, id: string): DataSet {
  const { from, exchange, by, subpartitions } = output;
  return { id, from, exchange, by, subpartitions, columns: keptColumns(output) };
}

/** Columns that somebody reads, in the producer's order; one at least, because rows are counted by it. */
function keptColumns({ produced, columns }: BuiltDataSet): string[] | null {
  if (produced === null || columns === null || columns.size >= produced.length) return null;
  const kept = produced.filter((name) => columns.has(name));
  return kept.length > 0 ? kept : produced.slice(0, 1);
}
