// A bounded walk over the bytes of one Java stream. A read beyond the end is a JavaFault, which `parseJavaStream` turns
// into a value: it never leaves this folder. Spec: docs/flink.md, "The Java parser".

/** What is wrong with a stream, and where. Internal to the parser; its callers get a value. */
export class JavaFault extends Error {
  override readonly name = 'JavaFault';
  readonly offset: number;
  /** The bytes end before the value does: what Java reports as the end of its input. */
  readonly ended: boolean;

  constructor(reason: string, offset: number, ended = false) {
    super(reason);
    this.offset = offset;
    this.ended = ended;
  }
}

export class JavaCursor {
  readonly bytes: Buffer;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Steps over `count` bytes; the offset before them. */
  skip(count: number): number {
    const from = this.offset;
    if (count > this.bytes.length - from) {
      throw new JavaFault(`${count} bytes are declared, ${this.bytes.length - from} are left`, from, true);
    }
    this.offset = from + count;
    return from;
  }

  uint8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.skip(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  /** A count of things that take at least `bytesEach` bytes each: negative or impossible ones are refused. */
  count(bytesEach: number): number {
    const at = this.offset;
    const count = this.int32();
    if (count < 0) throw new JavaFault(`a count is negative (${count})`, at);
    if (count * bytesEach > this.remaining) {
      throw new JavaFault(`${count} values are declared, ${this.remaining} bytes are left`, at, true);
    }
    return count;
  }

  /** Length of a long string: eight bytes on the wire. */
  longLength(): number {
    const at = this.skip(8);
    const high = this.bytes.readUInt32BE(at);
    const length = high * 2 ** 32 + this.bytes.readUInt32BE(at + 4);
    if (length > this.remaining)
      throw new JavaFault(`a string of ${length} bytes, ${this.remaining} are left`, at, true);
    return length;
  }
}
