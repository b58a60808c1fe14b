// State handles of streams: bytes in the metadata itself, a file, a file relative to the metadata, a segment of a file. Each
// is told to the visitor and gives its size. Types and order of fields as Flink's MetadataV2V3SerializerBase writes them.
// Spec: docs/checkpoints.md, "Handles".
import type {
  CheckpointVisitor,
  KeyGroups,
  MetadataFlawCode,
  StateKind,
  StateStream,
} from '../../../model/checkpoint.ts';
import { type MetadataCursor, MetadataFault } from './metadata-cursor.ts';

/** First byte of a handle. */
export const handleType = {
  none: 0,
  bytes: 1,
  file: 2,
  keyGroups: 3,
  operatorState: 4,
  incremental: 5,
  relativeFile: 6,
  savepointKeyGroups: 7,
  changelog: 8,
  changelogBytes: 9,
  changelogFile: 10,
  incrementalWithSize: 11,
  keyGroupsWithId: 12,
  changelogFileWithStorage: 13,
  changelogWithCheckpoint: 14,
  segment: 15,
  emptySegment: 16,
  segmentedOperatorState: 17,
} as const;

/** Handles inside handles: Flink writes at most three. */
const depthMax = 32;

export class HandleReader {
  readonly cursor: MetadataCursor;
  readonly visitor: CheckpointVisitor;
  /** Whose state is read now. */
  state: StateKind = 'managedOperator';
  /** Whether files are as long as their handles say. */
  exact = true;
  #depth = 0;

  constructor(cursor: MetadataCursor, visitor: CheckpointVisitor) {
    this.cursor = cursor;
    this.visitor = visitor;
  }

  flaw(code: MetadataFlawCode, message: string, offset: number): void {
    this.visitor.flaw?.({ code, message, offset });
  }

  nested<T>(read: () => T): T {
    if (++this.#depth > depthMax) {
      throw new MetadataFault(`handles nest deeper than ${depthMax}`, this.cursor.offset);
    }
    const result = read();
    this.#depth -= 1;
    return result;
  }

  /** The size of a handle that must be there. */
  stream(what: string, shared = false): bigint {
    const at = this.cursor.offset;
    const size = this.optionalStream(shared);
    if (size === null) this.flaw('HANDLE_MISSING', `${what} has no handle`, at);
    return size ?? 0n;
  }

  /** null: there is none. */
  optionalStream(shared = false): bigint | null {
    const at = this.cursor.offset;
    const type = this.cursor.uint8();
    switch (type) {
      case handleType.none:
        return null;
      case handleType.bytes:
        return this.#bytes(at, shared);
      case handleType.file: {
        const size = this.size();
        return this.#tell({ place: 'file', size, path: this.path(), shared, offset: at });
      }
      case handleType.relativeFile: {
        const path = this.path();
        return this.#tell({ place: 'relative-file', path, size: this.size(), shared, offset: at });
      }
      case handleType.segment:
        return this.#segment(at);
      case handleType.emptySegment:
        return this.#tell({ place: 'nowhere', path: null, size: 0n, shared, offset: at });
      case handleType.keyGroups:
        return this.nested(() => {
          this.keyGroupOffsets(false);
          return this.stream('a key groups handle', shared);
        });
    }
    throw new MetadataFault(`${type} is no known type of a stream handle`, at);
  }

  /** First key group and their number, and a long for each. */
  keyGroupOffsets(outermost: boolean): void {
    const { offset, first } = this.#firstKeyGroup();
    const count = this.cursor.count('key groups', 8);
    const offsets = this.cursor.longs(count);
    if (count > 0 && isEmptyRange(first, count)) this.#rangeFlaw(offset, first, count);
    else this.#tellRange({ first, count, offsets, outermost, offset });
  }

  /** A range without places; Flink takes one that ends before it begins as empty. Returns whether it is. */
  keyGroups(outermost: boolean): boolean {
    const { offset, first } = this.#firstKeyGroup();
    const count = this.cursor.int32();
    const isEmpty = isEmptyRange(first, count);
    this.#tellRange({ first, count: isEmpty ? 0 : count, offsets: null, outermost, offset });
    return isEmpty;
  }

  #firstKeyGroup(): Pick<KeyGroups, 'offset' | 'first'> {
    return { offset: this.cursor.offset, first: this.cursor.int32() };
  }

  #tellRange(range: Omit<KeyGroups, 'state' | 'sparse'>): void {
    const { first, count, offset } = range;
    if (count > 0 && first < 0) this.#rangeFlaw(offset, first, count);
    else this.visitor.keyGroups?.({ ...range, state: this.state, sparse: false });
  }

  #rangeFlaw(offset: number, first: number, count: number): void {
    this.flaw('KEY_GROUPS_INVALID', `key groups begin at ${first} and are ${count}`, offset);
  }

  path(): string {
    const at = this.cursor.offset;
    const path = this.cursor.text();
    if (path === '') this.flaw('HANDLE_INVALID', 'a state file has no name', at);
    return path;
  }

  /** -1: the writer did not know it. */
  size(): bigint {
    const at = this.cursor.offset;
    const size = this.cursor.int64();
    if (size < -1n) this.flaw('HANDLE_INVALID', `a state file has a size of ${size}`, at);
    return size;
  }

  #bytes(at: number, shared: boolean): bigint {
    this.cursor.text();
    const bytes = this.cursor.block('inline state');
    return this.#tell({ place: 'inline', path: null, size: BigInt(bytes.length), bytes, shared, offset: at });
  }

  #segment(at: number): bigint {
    const start = this.cursor.int64();
    const size = this.cursor.int64();
    const scopeAt = this.cursor.offset;
    const scope = this.cursor.int32();
    if (scope !== 0 && scope !== 1) this.flaw('HANDLE_INVALID', `${scope} is no scope of a segment`, scopeAt);
    const path = this.path();
    this.cursor.text();
    return this.#tell({ place: 'segment', path, start, size, shared: scope === 1, offset: at });
  }

  #tell(stream: Omit<StateStream, 'state' | 'start' | 'bytes' | 'exact' | 'crc'> & Partial<StateStream>): bigint {
    this.visitor.stream?.({ start: 0n, bytes: null, crc: null, ...stream, exact: this.exact, state: this.state });
    return stream.size;
  }
}

/** With Java's overflow. */
function isEmptyRange(first: number, count: number): boolean {
  return first > ((first + count - 1) | 0);
}
