// What a frame says, or why it says nothing. `ended` matters: Flink takes an end of input inside a frame's Java stream for
// the end of the file (types 2 and 3), and anything else for a failed replay.
import { FieldFault } from './flink-fields.ts';
import { JavaObject, type JavaParse, parseJavaStream } from './java-stream.ts';

export interface Undecodable {
  readonly ok: false;
  /** For an operator, one line. */
  readonly reason: string;
  /** In the payload. */
  readonly offset: number;
  readonly ended: boolean;
}

export type Decoded<T> = { readonly ok: true; readonly value: T } | Undecodable;

export function undecodable(reason: string, offset: number, ended = false): Undecodable {
  return { ok: false, reason, offset, ended };
}

/** The object in the stream that bytes `start` to `end` of a payload hold; offsets in it count from `start`. */
export function parseObject(payload: Buffer, start: number, end: number): Decoded<JavaObject> {
  const parsed: JavaParse = parseJavaStream(payload.subarray(start, end));
  if (!parsed.ok) return undecodable(parsed.reason, start + parsed.offset, parsed.ended);
  if (parsed.value instanceof JavaObject) return { ok: true, value: parsed.value };
  return undecodable('the stream holds no object', start);
}

/** Runs `read`, which may meet a field that is not as it must be. */
export function readFields<T>(offset: number, read: () => T): Decoded<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    return undecodable(error.message, offset);
  }
}
