// The parser of Java object streams: bytes in, plain data out. Nothing is instantiated, depth and counts are bounded,
// memory is a fraction of the input's, and bad bytes are values. Spec: docs/flink.md, "The Java parser".
import { JavaFault } from './java-cursor.ts';
import { defaultJavaLimits, type JavaLimits } from './java-protocol.ts';
import { JavaScan } from './java-scan.ts';
import { type JavaValue, valueAt } from './java-values.ts';

export type { JavaLimits } from './java-protocol.ts';
export type { JavaContent, JavaFieldValue, JavaPrimitive, JavaValue } from './java-values.ts';
export { JavaArray, JavaClassValue, JavaEnum, JavaObject } from './java-values.ts';

export type JavaParse =
  | { readonly ok: true; readonly value: JavaValue /** First byte behind the value. */; readonly end: number }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly offset: number;
      /** The bytes end before the value does. */
      readonly ended: boolean;
    };

/** The first value of the stream in `bytes`. Never throws for what the bytes say; keeps `bytes`, so do not reuse them. */
export function parseJavaStream(bytes: Uint8Array, limits: Partial<JavaLimits> = {}): JavaParse {
  try {
    const scan = new JavaScan(bytes, { ...defaultJavaLimits, ...limits });
    const start = scan.run();
    return { ok: true, value: valueAt(scan.index, start), end: scan.offset };
  } catch (error) {
    if (!(error instanceof JavaFault)) throw error;
    return { ok: false, reason: error.message, offset: error.offset, ended: error.ended };
  }
}
