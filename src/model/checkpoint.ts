// What a checkpoint's metadata says, whichever format it has. A format walks its bytes once and tells a visitor what it
// meets, in the order of the file; it keeps nothing, so that its memory does not grow with hostile counts. Sizes are bigint:
// Java's longs, summed like Java's. Implemented by store/flink/checkpoint/ and store/checkpoint/own-format.ts. Spec: docs/checkpoints.md.

export type CheckpointFormatName = 'flink' | 'jobrec';
export type CheckpointType = 'checkpoint' | 'savepoint';

/** Whose state a subtask's handle holds; the names of Flink's OperatorSubtaskState. */
export type StateKind =
  | 'managedOperator'
  | 'rawOperator'
  | 'managedKeyed'
  | 'rawKeyed'
  | 'inputChannel'
  | 'resultSubpartition';

/** What the checkpoint says of itself, behind its operators in Flink's formats since 4. */
export interface CheckpointProperties {
  readonly type: CheckpointType;
  /** Flink's name of the type: `Checkpoint`, `Full Checkpoint`, `Savepoint`, `Terminate Savepoint`, `Suspend Savepoint`. */
  readonly name: string;
  /** Savepoints: CANONICAL or NATIVE. */
  readonly formatType: string | null;
  /** Savepoints: NONE, SUSPEND or TERMINATE. */
  readonly postCheckpointAction: string | null;
  /** Checkpoints: FORWARD_BACKWARD, FORWARD or NO_SHARING. */
  readonly sharingFilesStrategy: string | null;
}

export interface CheckpointHead {
  readonly formatVersion: number;
  readonly checkpointId: bigint;
}

export interface MasterStateEntry {
  readonly name: string;
  readonly version: number;
  readonly bytes: number;
  readonly offset: number;
}

export interface OperatorHead {
  /** 32 hexadecimal digits. */
  readonly operatorId: string;
  readonly uid: string | null;
  readonly name: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly fullyFinished: boolean;
  /** State of its OperatorCoordinator; a view of the file. */
  readonly coordinator: Uint8Array | null;
  readonly offset: number;
}

/** One subtask, told after all its streams. */
export interface SubtaskTotals {
  readonly subtask: number;
  readonly finished: boolean;
  /** Numbers of handles. */
  readonly handles: Readonly<Record<StateKind, number>>;
  readonly stateSize: bigint;
  readonly offset: number;
}

/** Where state bytes lie. */
export interface StateStream {
  readonly state: StateKind;
  readonly place: 'inline' | 'file' | 'relative-file' | 'segment' | 'nowhere';
  /** As recorded; null for inline bytes. */
  readonly path: string | null;
  /** Bytes in the file, or inline; -1 where the writer did not know. */
  readonly size: bigint;
  /** First byte in the file: of a segment in a file that several share. */
  readonly start: bigint;
  /** Inline bytes: a view of the file. */
  readonly bytes: Uint8Array | null;
  /** Whether the file is exactly as long as `size`: no for changelog files, which begin with a byte that is not counted. */
  readonly exact: boolean;
  /** CRC-32 of the file's bytes; null where the format records none (Flink's). */
  readonly crc: number | null;
  /** A file that other checkpoints may use as well (incremental RocksDB, changelog). */
  readonly shared: boolean;
  readonly offset: number;
}

/** Longs in the file, read when asked for. */
export interface LongList extends Iterable<bigint> {
  readonly length: number;
}

/** One named state of an operator state handle; the handle's stream is told behind all of them. */
export interface NamedState {
  readonly state: StateKind;
  readonly name: string;
  readonly mode: 'SPLIT_DISTRIBUTE' | 'UNION' | 'BROADCAST';
  /** First bytes of its elements in the stream. */
  readonly elements: LongList;
  readonly offset: number;
}

export interface KeyGroups {
  readonly state: StateKind;
  readonly first: number;
  readonly count: number;
  /** First byte of each key group in the stream that follows, -1 where it has none; null for handles without. */
  readonly offsets: LongList | null;
  /** Of the subtask itself; false for a part inside a changelog's handle. */
  readonly outermost: boolean;
  /** Only key groups that hold something are told: one that is not there means nothing. */
  readonly sparse: boolean;
  readonly offset: number;
}

/** What the bytes say although no Flink would restore it. */
export interface MetadataFlaw {
  readonly code: MetadataFlawCode;
  readonly message: string;
  readonly offset: number;
}

export type MetadataFlawCode =
  | 'SUBTASK_OUT_OF_RANGE'
  | 'PARALLELISM_INVALID'
  | 'KEY_GROUPS_INVALID'
  | 'HANDLE_MISSING'
  | 'HANDLE_INVALID'
  | 'COORDINATOR_INVALID';

/** Each method is optional: a reader takes what it needs. */
export interface CheckpointVisitor {
  head?(head: CheckpointHead): void;
  masterState?(state: MasterStateEntry): void;
  operator?(operator: OperatorHead): void;
  keyGroups?(groups: KeyGroups): void;
  namedState?(state: NamedState): void;
  /** Key-group and element offsets point into this one; told once a reference, shared files as often as they are named. */
  stream?(stream: StateStream): void;
  subtask?(subtask: SubtaskTotals): void;
  properties?(properties: CheckpointProperties): void;
  flaw?(flaw: MetadataFlaw): void;
  /** The first byte that nothing has used, which is the file's length for a sound file. */
  end?(offset: number): void;
}

/** Where a source stood in one Kafka partition. */
export interface KafkaPartitionOffset {
  readonly topic: string;
  readonly partition: number;
  /**
   * The next record to read (legacy consumer: the last that was read, plus one); negative: a rule of the connector, -1 latest, -2 earliest,
   * -3 committed. null where it is not known: its reader's state was not read, or only the enumerator knows of the partition.
   */
  readonly offset: bigint | null;
  /** Where a bounded source ends; null where it does not. */
  readonly stoppingOffset: bigint | null;
  /** That held the partition; null where only the enumerator knows of it. */
  readonly subtask: number | null;
}

export interface KafkaSourceState {
  readonly operatorId: string;
  /** jobrec's own is a `KafkaSource`, too. */
  readonly kind: 'KafkaSource' | 'FlinkKafkaConsumer';
  readonly partitions: readonly KafkaPartitionOffset[];
  /** Subtasks whose offsets are there and were not read, and why. */
  readonly unread: readonly { readonly subtask: number; readonly reason: string }[];
}

/** The bytes of a state stream that lies in a file, or why they are not there. */
export type StateReader = (stream: StateStream) => Promise<Uint8Array | string>;

/** An opened checkpoint: its metadata in memory, to be walked as often as asked. */
export interface CheckpointMetadata {
  readonly format: CheckpointFormatName;
  readonly formatVersion: number;
  /** The folder that relative paths count from: the one of the metadata file. */
  readonly folder: string;
  /** Absolute path of the metadata file. */
  readonly file: string;
  readonly bytes: number;
  /** Errors: CHECKPOINT_DAMAGED with the file and the byte offset; what the visitor was told before it stays true. */
  walk(visitor: CheckpointVisitor): void;
  /** Kafka sources by operator; from the metadata alone where `readState` is null. Errors: CHECKPOINT_DAMAGED. */
  kafkaSources(readState: StateReader | null): Promise<readonly KafkaSourceState[]>;
}
