// The streaming half of a JobGraph: what `mode: streaming` adds to vertices and edges. Each vertex is a chain (a tree)
// of operators that run in one task; every operator has a uid, the address of its state in checkpoints. Plain JSON: it
// is recorded with the job. Spec: docs/streaming.md.
import type { IntermediateDataSetId, JobVertexId } from './ids.ts';

/** One record of a stream: what JSON can say, and bigint, Date and Uint8Array. */
export type Row = Readonly<Record<string, unknown>>;

/** A function of the user, in its bundled module. */
export interface FunctionRef {
  /** File name inside the job folder's `functions/`. */
  readonly module: string;
  readonly exportName: string;
}

export type StartingOffsets = 'earliest' | 'latest';

/** Where a source reads; `replayable` sources can be set back to a position of a checkpoint. */
export type SourceConnector =
  | {
      readonly kind: 'log';
      /** Absolute path of a folder of append-only files (or of one such file); one split a file. */
      readonly path: string;
      readonly startingOffsets: StartingOffsets;
      /** Ends when all that was there at the start has been read. */
      readonly bounded: boolean;
    }
  | { readonly kind: 'socket'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'generator';
      /** Of the whole source; null: as fast as rows are taken. */
      readonly rowsPerSecond: number | null;
      /** Rows after which the source ends; null: never. */
      readonly rows: number | null;
      readonly columns: Readonly<Record<string, GeneratedColumn>>;
    }
  | {
      readonly kind: 'kafka';
      readonly bootstrapServers: string;
      readonly topic: string;
      readonly groupId: string | null;
      readonly startingOffsets: StartingOffsets;
    };

/** Each value is a function of the row's number alone, so that a replay gives the same rows. */
export type GeneratedColumn =
  | { readonly kind: 'sequence' }
  /** Whole numbers from `min` to `max`, both inclusive, by a hash of the row's number. */
  | { readonly kind: 'random'; readonly min: number; readonly max: number }
  /** One of the values, by a hash of the row's number. */
  | { readonly kind: 'choice'; readonly values: readonly (string | number | boolean)[] }
  /** Milliseconds: `start` for row 0, `stepMs` more with each row. */
  | { readonly kind: 'time'; readonly startMs: number; readonly stepMs: number };

/** `raw`: a line as `{line: string}`. */
export type RecordFormat = 'json' | 'raw';

export type SinkConnector =
  | { readonly kind: 'print' }
  | { readonly kind: 'file'; readonly path: string; readonly format: RecordFormat }
  | {
      readonly kind: 'kafka';
      readonly bootstrapServers: string;
      readonly topic: string;
      /** Field whose text is the record's key; null: records have none. */
      readonly key: string | null;
    };

/** An event-time tumbling window. */
export interface WindowSpec {
  readonly sizeMs: number;
  /** Field that holds the event time. */
  readonly time: string;
  /** How long after the watermark has passed a window's end rows are still added, each with a new result. */
  readonly latenessMs: number;
}

export type OperatorSpec =
  | {
      readonly kind: 'source';
      readonly connector: SourceConnector;
      readonly format: RecordFormat;
      readonly onBadRow: 'fail' | 'skip';
    }
  | { readonly kind: 'map' | 'flatMap' | 'filter'; readonly function: FunctionRef }
  /** Emits watermarks from a field's values, per split or input channel. */
  | {
      readonly kind: 'watermarks';
      readonly time: string;
      readonly outOfOrdernessMs: number;
      /** A split without rows for so long does not hold the watermark back; null: it does. */
      readonly idlenessMs: number | null;
    }
  | {
      readonly kind: 'sum';
      readonly field: string;
      readonly keyBy: readonly string[];
      readonly window: WindowSpec | null;
    }
  | {
      readonly kind: 'reduce';
      readonly function: FunctionRef;
      readonly keyBy: readonly string[];
      readonly window: WindowSpec | null;
    }
  | { readonly kind: 'process'; readonly function: FunctionRef; readonly keyBy: readonly string[] }
  | { readonly kind: 'sink'; readonly connector: SinkConnector };

export interface StreamOperator {
  /** Name in the job file. */
  readonly name: string;
  readonly uid: string;
  /** 32 hex digits, derived from the uid alone: state finds its operator by it. */
  readonly operatorId: string;
  /** Index of the operator of this vertex that feeds it; null for the first: the source, or what the inputs bring. */
  readonly input: number | null;
  readonly spec: OperatorSpec;
}

export interface StreamInput {
  readonly datasetId: IntermediateDataSetId;
  readonly producerVertexId: JobVertexId;
}

export type StreamExchange = 'forward' | 'hash' | 'rebalance' | 'broadcast';

export interface StreamOutput {
  readonly datasetId: IntermediateDataSetId;
  readonly consumerVertexId: JobVertexId;
  /** Index of the operator whose rows go out. */
  readonly operator: number;
  readonly exchange: StreamExchange;
  /** Fields of a hash exchange; empty otherwise. */
  readonly by: readonly string[];
}

export interface StreamVertex {
  readonly vertexId: JobVertexId;
  readonly name: string;
  readonly parallelism: number;
  readonly operators: readonly StreamOperator[];
  readonly inputs: readonly StreamInput[];
  readonly outputs: readonly StreamOutput[];
}

/** The checkpoint or savepoint, of whatever job, that a job begins from. */
export interface RestoreSettings {
  /** Absolute path of its folder. */
  readonly path: string;
  /** State that no operator of the job takes is left behind. */
  readonly allowNonRestoredState: boolean;
}

export interface StreamingPlan {
  /** Absent: the job begins with nothing. */
  readonly restore?: RestoreSettings;
  /** Number of key groups: fixed for the life of the job's state. */
  readonly maxParallelism: number;
  /** Producers before consumers, in the order of the JobGraph's vertices. */
  readonly vertices: readonly StreamVertex[];
}

/** Whether rows that were read before a failure can be read again. */
export function isReplayable(connector: SourceConnector): boolean {
  return connector.kind !== 'socket';
}

export type SinkGuarantee = 'exactly-once' | 'at-least-once';

/** Of the rows of a job that fails and goes on from a checkpoint. */
export function guaranteeOf(connector: SinkConnector): SinkGuarantee {
  return connector.kind === 'file' ? 'exactly-once' : 'at-least-once';
}

/**
 * What the state of an operator is, as a text that is recorded with it: two that are equal fit each other. null: it has
 * none. Functions are left out: what they mean by their state is theirs.
 */
export function stateShapeOf(spec: OperatorSpec): string | null {
  switch (spec.kind) {
    case 'source':
      return positionsShapeOf(spec.connector.kind);
    case 'sum':
    case 'reduce': {
      const what = spec.window ? `windows of ${spec.window.sizeMs} ms` : 'running aggregates';
      return `${what}, keyBy [${spec.keyBy.join(', ')}]`;
    }
    case 'process':
      return `states of a process function, keyBy [${spec.keyBy.join(', ')}]`;
    default:
      return null;
  }
}

/** The state of a source: the position of each split. */
export function positionsShapeOf(kind: SourceConnector['kind']): string {
  return `positions of a ${kind} source`;
}
