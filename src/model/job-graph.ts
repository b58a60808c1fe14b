// The JobGraph: what the planner makes of a job file and the engine runs. Plain JSON throughout, because it is
// recorded in the store's first event and read back by later JobMasters and by the offline commands.
import type { IntermediateDataSetId, JobVertexId } from './ids.ts';
import type { StreamingPlan } from './streaming-plan.ts';

/** How an exchange moves rows from the producer's tasks to the consumer's. */
export const exchangeKinds = ['forward', 'rescale', 'rebalance', 'hash', 'broadcast', 'gather'] as const;
export type ExchangeKind = (typeof exchangeKinds)[number];

/** Flink's words for the shape of an edge. */
export type Distribution = 'POINTWISE' | 'ALL_TO_ALL' | 'BROADCAST';

export function distributionOf(exchange: ExchangeKind): Distribution {
  switch (exchange) {
    case 'forward':
    case 'rescale':
      return 'POINTWISE';
    case 'rebalance':
    case 'hash':
    case 'gather':
      return 'ALL_TO_ALL';
    case 'broadcast':
      return 'BROADCAST';
  }
}

/** A column of a relation; `type` is DuckDB's spelling, e.g. `DECIMAL(18,3)` or `STRUCT(a HUGEINT)`. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** One hash key: rows go to subpartition hash(cast(column as castType)) mod subpartitions. */
export interface HashKey {
  readonly column: string;
  /** The type both sides of a join are cast to before hashing; null: the column's own type. */
  readonly castType: string | null;
}

/** Where a step or an output takes its rows from, inside one vertex. */
export type StepInput =
  /** the output of an earlier step of the same vertex (a chained, forward-connected stage) */
  | { readonly kind: 'step'; readonly step: number }
  /** `vertex.inputs[input]` */
  | { readonly kind: 'input'; readonly input: number };

/** One stage of the job file, as one step of a vertex's chain. */
export type Step = SqlStep | MapStep;

export interface SqlStep {
  readonly kind: 'sql';
  /** The stage's name. */
  readonly stage: string;
  /** One SELECT over the input names. */
  readonly sql: string;
  readonly inputs: Readonly<Record<string, StepInput>>;
  /** Output columns; null where they follow from a map stage whose columns are known only at run time. */
  readonly columns: readonly Column[] | null;
}

export interface MapStep {
  readonly kind: 'map';
  readonly stage: string;
  /** File name of the bundled module inside the job folder's `functions/`. */
  readonly module: string;
  readonly exportName: string;
  readonly input: StepInput;
  /** Declared output columns; null: taken from the rows where that is unambiguous. */
  readonly columns: readonly Column[] | null;
}

/** What a vertex reads. */
export type VertexInput =
  | { readonly kind: 'dataset'; readonly datasetId: IntermediateDataSetId }
  /** a source read by this vertex's own tasks, each its splits */
  | { readonly kind: 'source'; readonly source: string };

/** An IntermediateDataSet: one output of a vertex, written for the consumers that share its exchange. */
export interface DataSet {
  readonly id: IntermediateDataSetId;
  readonly from: StepInput;
  readonly exchange: ExchangeKind;
  /** Hash keys; empty unless `exchange` is hash. */
  readonly by: readonly HashKey[];
  /** Number of subpartitions that each partition is divided into (1 unless hash or rebalance). */
  readonly subpartitions: number;
  /** The columns that consumers read; null: all. */
  readonly columns: readonly string[] | null;
}

export interface SinkOutput {
  readonly sink: string;
  readonly from: StepInput;
}

export interface JobVertex {
  readonly id: JobVertexId;
  /** Stage names joined as Flink joins them: `late -> partial`; a source read on its own has the source's name. */
  readonly name: string;
  readonly stages: readonly string[];
  readonly inputs: readonly VertexInput[];
  readonly steps: readonly Step[];
  readonly outputs: readonly DataSet[];
  readonly sinks: readonly SinkOutput[];
  /** Fixed number of tasks; null: decided at run time from the bytes produced upstream. */
  readonly parallelism: number | null;
  /** Upper bound of an adaptive decision. */
  readonly maxParallelism: number;
}

export interface JobEdge {
  readonly producerVertexId: JobVertexId;
  readonly consumerVertexId: JobVertexId;
  readonly datasetId: IntermediateDataSetId;
  readonly exchange: ExchangeKind;
}

/** One input file as it was when the job was planned; a change fails the job. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** A piece of a source that one task reads: a file, or a range of its rows (Parquet row groups). */
export interface Split {
  /** Index into the source's files. */
  readonly file: number;
  /** First row and row after the last, in file order; null: the whole file. */
  readonly rows: readonly [number, number] | null;
  readonly bytes: number;
}

/** A split that a user-written enumerator found when the job ran, as it was then. */
export interface FoundSplit {
  /** The enumerator's own name for it, unique within the source. */
  readonly id: string;
  /** The file that it lies in; null: what it means only the source's reader function knows. */
  readonly file: SourceFile | null;
  /** First row and row after the last, in file order (Parquet); null: the whole file. */
  readonly rows: readonly [number, number] | null;
  /** What the enumerator tells the reader function, as JSON text; null: nothing. */
  readonly data: string | null;
}

/** An export of a bundled module inside the job folder's `functions/`. */
export interface FunctionRef {
  readonly module: string;
  readonly exportName: string;
}

/** A user-written SplitEnumerator (FLIP-27): it decides in the JobMaster which splits there are and who reads them. */
export interface EnumeratorSpec extends FunctionRef {
  /** Yields a split's rows; null: its file is read by the source's format. */
  readonly reader: FunctionRef | null;
  /** Tasks of a vertex that only reads this source. */
  readonly parallelism: number;
  /** Absolute path of the job file's folder: paths of splits are relative to it. */
  readonly folder: string;
}

export type SourceFormat = 'parquet' | 'csv' | 'json';
export type OnBadRow = 'fail' | 'skip' | 'quarantine';

export interface SourceOptions {
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly quote?: string;
  readonly nullString?: string;
  readonly columns?: Readonly<Record<string, string>>;
  // The rest of a CSV file's dialect, as the planner found it: fixed, so that every task reads alike.
  readonly escape?: string;
  /** Lines above the header. */
  readonly skip?: number;
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
}

export interface SourceSpec {
  readonly name: string;
  readonly format: SourceFormat;
  readonly files: readonly SourceFile[];
  readonly options: SourceOptions;
  readonly onBadRow: OnBadRow;
  readonly columns: readonly Column[];
  readonly splits: readonly Split[];
  /** Finds the splits while the job runs: `files` and `splits` are empty then. Absent: they are known now. */
  readonly enumerator?: EnumeratorSpec;
}

export type SinkFormat = 'parquet' | 'csv' | 'json';
export type SinkMode = 'error-if-occupied' | 'overwrite' | 'append';

export interface SinkSpec {
  readonly name: string;
  /** Absolute path of the sink's folder. */
  readonly path: string;
  readonly format: SinkFormat;
  readonly mode: SinkMode;
}

/** Who keeps result partitions: the workers that wrote them, or a process apart from them. */
export const shuffleKinds = ['workers', 'service'] as const;
export type ShuffleKind = (typeof shuffleKinds)[number];

export interface JobGraph {
  readonly name: string;
  /** Absent: workers. */
  readonly shuffle?: ShuffleKind;
  /** In topological order: producers before consumers. */
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  readonly sources: readonly SourceSpec[];
  readonly sinks: readonly SinkSpec[];
  /** DuckDB's version: the hash function of the exchanges depends on it, so a resume across a change is refused. */
  readonly duckdbVersion: string;
  /** The operators of a job of `mode: streaming`, whose vertices have no steps and no sinks here; absent: a batch job. */
  readonly streaming?: StreamingPlan;
}
