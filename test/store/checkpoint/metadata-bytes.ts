// Builds `_metadata` bytes as Flink writes them, and as it never would, for tests.

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function long(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function longs(values: readonly number[]): Buffer {
  return Buffer.concat(values.map(long));
}

export function byte(value: number): Buffer {
  return Buffer.from([value]);
}

export function utf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function join(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

export const noHandle = byte(0);

export function inline(bytes: Buffer): Buffer {
  return join(byte(1), utf('handle'), int(bytes.length), bytes);
}

export function file(path: string, size: number): Buffer {
  return join(byte(2), long(size), utf(path));
}

export function relativeFile(path: string, size: number): Buffer {
  return join(byte(6), utf(path), long(size));
}

export function segment(path: string, start: number, size: number): Buffer {
  return join(byte(15), long(start), long(size), int(0), utf(path), utf('logical'));
}

/** Key groups `first` and on, each beginning where `offsets` says, in `stream`. */
export function keyGroups(first: number, offsets: readonly number[], stream: Buffer): Buffer {
  return join(byte(3), int(first), int(offsets.length), longs(offsets), stream);
}

export function operatorState(name: string, offsets: readonly number[], stream: Buffer): Buffer {
  return join(byte(4), int(1), utf(name), byte(0), int(offsets.length), longs(offsets), stream);
}

export interface SubtaskParts {
  readonly index: number;
  readonly managedOperator?: Buffer;
  readonly managedKeyed?: Buffer;
  readonly rawKeyed?: Buffer;
  readonly input?: readonly Buffer[];
  readonly output?: readonly Buffer[];
}

export function subtask({ index, input = [], output = [], ...handles }: SubtaskParts): Buffer {
  const { managedOperator, managedKeyed = noHandle, rawKeyed = noHandle } = handles;
  const operator = managedOperator === undefined ? int(0) : join(int(1), managedOperator);
  const channels = [input, output].flatMap((each) => [int(each.length), ...each]);
  return join(int(index), operator, int(0), managedKeyed, rawKeyed, ...channels);
}

/** State of one channel with one buffer at byte 4. `hasSubtask`: not so in Flink 1.11. */
export function channel({ hasSubtask = true, size = 19, stream = inline(Buffer.alloc(23)) } = {}): Buffer {
  return join(...(hasSubtask ? [int(0)] : []), int(0), int(1), int(1), long(4), long(size), stream);
}

export interface OperatorParts {
  /** Two digits, repeated. */
  readonly id?: string;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  readonly coordinator?: Buffer;
  readonly subtasks?: readonly Buffer[];
  /** Instead of the number of subtasks. */
  readonly count?: number;
}

export function operator(parts: OperatorParts = {}): Buffer {
  const { id = 'ab', parallelism = 2, maxParallelism = 4, coordinator = noHandle, subtasks = [] } = parts;
  const head = join(Buffer.from(id.repeat(16), 'hex'), int(parallelism), int(maxParallelism), coordinator);
  return join(head, int(parts.count ?? subtasks.length), ...subtasks);
}

/** Format 3: the newest that ends without a Java object. */
export function metadata(operators: readonly Buffer[], checkpointId = 7): Buffer {
  return join(int(0x4960672d), int(3), long(checkpointId), int(0), int(operators.length), ...operators);
}
