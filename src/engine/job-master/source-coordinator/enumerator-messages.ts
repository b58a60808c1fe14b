// What the JobMaster and the thread of a user-written enumerator say to each other. The thread runs user code, so what
// comes out of it is checked before anyone acts on it; what it hands over is plain JSON and bounded in size.
import * as v from 'valibot';

/** Longest id, path and JSON text of one split, and longest state of an enumerator, in UTF-16 units. */
export const splitTextMax = 64 * 1024;
export const stateTextMax = 1024 * 1024;

/** Most splits of one source: they are all kept in memory and in the store. */
export const splitsMax = 1_000_000;

export interface EnumeratorSetup {
  /** `file:` URL of the bundled module. */
  readonly moduleUrl: string;
  readonly functionsFolder: string;
  readonly exportName: string;
  /** What the enumerator is told. */
  readonly context: { readonly source: string; readonly parallelism: number; readonly folder: string };
  /** The state to go on from, JSON text; null: from the beginning. */
  readonly state: string | null;
}

export interface ToEnumerator {
  readonly type: 'next';
  readonly subtask: number;
}

const splitText = v.pipe(v.string(), v.minLength(1), v.maxLength(splitTextMax));
const row = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const state = v.nullable(v.pipe(v.string(), v.maxLength(stateTextMax)));

const split = v.object({
  id: splitText,
  path: v.nullable(splitText),
  rows: v.nullable(v.tuple([row, row])),
  data: v.nullable(splitText),
});

const fromEnumerator = v.variant('type', [
  v.object({ type: v.literal('started'), supportsBatchSnapshot: v.boolean(), state }),
  v.object({ type: v.literal('answer'), split: v.nullable(split), state }),
  v.object({ type: v.literal('failed'), message: v.pipe(v.string(), v.maxLength(splitTextMax)) }),
]);

/** A split as the enumerator described it. */
export type DescribedSplit = v.InferOutput<typeof split>;
export type FromEnumerator = v.InferOutput<typeof fromEnumerator>;

/** A message of the thread; null: it is none (user code got hold of the port). */
export function parseFromEnumerator(value: unknown): FromEnumerator | null {
  const result = v.safeParse(fromEnumerator, value);
  return result.success ? result.output : null;
}
