// A bounded walk over the bytes of one `_metadata`, with the reads of Java's DataInputStream. Bad bytes are a MetadataFault,
// which read-checkpoint.ts turns into an error with the file's name: it never leaves store/. Every length is held against
// the bytes that are left before anything is taken for it. Spec: docs/checkpoints.md, "The file".
import type { LongList } from '../../../model/checkpoint.ts';
import { decodeModifiedUtf8 } from '../modified-utf8.ts';

/** What is wrong with the metadata, and where. */
export class MetadataFault extends Error {
  override readonly name = 'MetadataFault';
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

export class MetadataCursor {
  readonly bytes: Buffer;
  offset: number;

  constructor(bytes: Buffer, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Steps over `count` bytes; the offset before them. */
  skip(count: number): number {
    const from = this.offset;
    if (count > this.remaining) {
      throw new MetadataFault(`the file ends: ${count} bytes are needed here, ${this.remaining} are left`, from);
    }
    this.offset = from + count;
    return from;
  }

  uint8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.skip(8));
  }

  /** A number of things of at least `bytesEach` bytes each: negative or impossible ones are refused. */
  count(what: string, bytesEach: number): number {
    const at = this.offset;
    const count = this.int32();
    if (count < 0) throw new MetadataFault(`the number of ${what} is negative (${count})`, at);
    if (count * bytesEach > this.remaining) {
      throw new MetadataFault(`${count} ${what} are declared, ${this.remaining} bytes are left`, at);
    }
    return count;
  }

  /** Bytes behind their length; a view. */
  block(what: string): Buffer {
    const length = this.count(`bytes of ${what}`, 1);
    const from = this.skip(length);
    return this.bytes.subarray(from, from + length);
  }

  /** Java's readUTF. */
  text(): string {
    const at = this.offset;
    const length = this.bytes.readUInt16BE(this.skip(2));
    const from = this.skip(length);
    const text = decodeModifiedUtf8(this.bytes, from, from + length);
    if (text === null) throw new MetadataFault('a text is no modified UTF-8', at);
    return text;
  }

  /** `count` longs, left in the file. */
  longs(count: number): LongList {
    return new LongsInFile(this.bytes, this.skip(count * 8), count);
  }
}

class LongsInFile implements LongList {
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #offset: number;

  constructor(bytes: Buffer, offset: number, length: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.length = length;
  }

  *[Symbol.iterator](): Generator<bigint> {
    for (let each = 0; each < this.length; each++) yield this.#bytes.readBigInt64BE(this.#offset + each * 8);
  }
}
