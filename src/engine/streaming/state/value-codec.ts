// Rows and state as bytes: msgpack, with bigint as 64-bit integers (wider ones as extension 3, their digits), Date as
// msgpack's timestamp, Map and Set as extensions 1 and 2. What comes back equals what went in, but for undefined fields,
// which are left out. Bytes of state are read only behind a checksum, rows only from a task of the same job.
import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack';
import { decodeWideBigint, depthMax, encodeWideBigint, WideBigint, wrapWideBigints } from './wide-bigints.ts';

export class ValueCodec {
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;

  constructor() {
    const extensionCodec = new ExtensionCodec();
    extensionCodec.register({
      type: 1,
      encode: (value) => (value instanceof Map ? this.encode([...value]) : null),
      decode: (bytes) => new Map(this.decode(bytes) as [unknown, unknown][]),
    });
    extensionCodec.register({
      type: 2,
      encode: (value) => (value instanceof Set ? this.encode([...value]) : null),
      decode: (bytes) => new Set(this.decode(bytes) as unknown[]),
    });
    extensionCodec.register({
      type: 3,
      encode: (value) => (value instanceof WideBigint ? encodeWideBigint(value.value) : null),
      decode: decodeWideBigint,
    });
    this.#encoder = new Encoder({ extensionCodec, useBigInt64: true, ignoreUndefined: true, maxDepth: depthMax });
    this.#decoder = new Decoder({ extensionCodec, useBigInt64: true });
  }

  /** Bytes of the caller's own. Throws for values that have none (functions, symbols, circles). */
  encode(value: unknown): Uint8Array {
    return this.#encoder.encode(wrapWideBigints(value));
  }

  decode(bytes: Uint8Array): unknown {
    return this.#decoder.decode(bytes);
  }
}
