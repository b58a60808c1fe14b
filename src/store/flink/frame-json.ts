// A Flink frame as plain JSON, for `inspect --raw`: its Java objects with classes and fields by name, hexadecimal where
// bytes are opaque or do not parse. Spec: docs/flink.md, "Raw frames".
import { frameHeadBytes, frameType } from './frame-walk.ts';
import { type Json, javaToJson } from './java-json.ts';
import { parseJavaStream } from './java-stream.ts';

/** `frame`: head and payload. */
export function frameToJson(frame: Buffer): Json {
  const type = frame.readInt32BE(0);
  const payload = frame.subarray(frameHeadBytes);
  if (type !== frameType.vertexFinished) return { type, event: streamJson(payload) };
  const [event = null, coordinatorSnapshots = null, shuffleMasterSnapshot = null] = [...parts(payload)].map(streamJson);
  return { type, event, coordinatorSnapshots, shuffleMasterSnapshot };
}

/** Parts behind their lengths, as far as they are whole. */
function* parts(payload: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= payload.length; ) {
    const length = payload.readInt32BE(at);
    if (length <= 0 || at + 4 + length > payload.length) return;
    yield payload.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}

function streamJson(bytes: Buffer): Json {
  const parsed = parseJavaStream(bytes);
  return parsed.ok ? javaToJson(parsed.value) : { unreadable: parsed.reason, hex: bytes.toString('hex') };
}
