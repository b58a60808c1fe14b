// Frames on a connection: u32 length (big endian), then one msgpack map of that many bytes. The length is checked
// against a bound before memory is taken, and whatever is not such a frame is a ProtocolViolation that names the
// sender, never an exception or a guess: after one, the decoder takes nothing more. Spec: docs/adr/0003-process-protocol.md.
import { Decoder, Encoder } from '@msgpack/msgpack';
import { checkPayloadBounds } from '../../store/payload-bounds.ts';
import { ProtocolViolation } from './protocol-violation.ts';

/** The largest body of a frame, in bytes. */
export const frameBytesMax = 64 * 1024 * 1024;
const headerBytes = 4;

/** The frame of one message. Throws a ProtocolViolation of our own side where it is larger than the bound. */
export function encodeFrame(message: object): Uint8Array {
  const body = new Encoder({ ignoreUndefined: true }).encodeSharedRef(message);
  if (body.length > frameBytesMax) {
    throw new ProtocolViolation('this process', `built a frame of ${body.length} bytes; the limit is ${frameBytesMax}`);
  }
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.set(body, headerBytes);
  return frame;
}

/** Cuts the bytes of one sender into decoded maps, however they were split on the way. */
export class FrameDecoder {
  readonly #side: string;
  readonly #decoder = new Decoder();
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #violation: ProtocolViolation | null = null;

  /** `side`: the sender as violations name it. */
  constructor(side: string) {
    this.#side = side;
  }

  /** The maps that `chunk` completes, in order; then nothing, or the violation behind which nothing is read any more. */
  *push(chunk: Uint8Array): Generator<object | ProtocolViolation, void> {
    if (this.#violation !== null) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#bufferedBytes += chunk.byteLength;
    while (this.#violation === null) {
      const next = this.#next();
      if (next === null) return;
      if (next instanceof ProtocolViolation) this.#violation = next;
      yield next;
    }
    this.#chunks = [];
  }

  /** Whether the sender has ended inside a frame: bytes of an incomplete one are waiting. */
  get insideFrame(): boolean {
    return this.#bufferedBytes > 0;
  }

  #next(): object | ProtocolViolation | null {
    if (this.#bufferedBytes < headerBytes) return null;
    const length = this.#peekLength();
    if (length > frameBytesMax) {
      return new ProtocolViolation(this.#side, `sent a frame of ${length} bytes; the limit is ${frameBytesMax}`);
    }
    if (this.#bufferedBytes < headerBytes + length) return null;
    return this.#decode(this.#take(headerBytes + length).subarray(headerBytes));
  }

  #peekLength(): number {
    if ((this.#chunks[0]?.length ?? 0) < headerBytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return (this.#chunks[0] as Buffer).readUInt32BE(0);
  }

  #take(bytes: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#bufferedBytes -= bytes;
    this.#chunks = this.#bufferedBytes === 0 ? [] : [all.subarray(bytes)];
    return all.subarray(0, bytes);
  }

  #decode(body: Buffer): object | ProtocolViolation {
    let value: unknown;
    try {
      // The decoder takes memory for what the bytes claim: they are walked first.
      checkPayloadBounds(body);
      value = this.#decoder.decode(body);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return new ProtocolViolation(this.#side, `sent a frame that is not msgpack: ${why}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return new ProtocolViolation(this.#side, 'sent a frame that is not a map');
    }
    return value;
  }
}
