// Where two ExecutionGraphs differ: for the proof before a retirement, and for a snapshot that is held against its events.
import { isDeepStrictEqual } from 'node:util';
import type { ExecutionGraph } from './execution-graph.ts';
import { graphToParts, submissionOf } from './graph-snapshot.ts';

/** Where two graphs differ, in words; null where they are equal, the order of their Maps and Sets included. */
export function graphDifference(actual: ExecutionGraph, expected: ExecutionGraph): string | null {
  if (!isDeepStrictEqual(submissionOf(actual), submissionOf(expected))) return 'the submission differs';
  const [actualParts, expectedParts] = [graphToParts(actual), graphToParts(expected)];
  for (let part = 0; ; part++) {
    const [one, other] = [actualParts.next(), expectedParts.next()];
    if (one.done === true && other.done === true) return null;
    const [kind, content] = (other.value ?? one.value ?? []) as readonly unknown[];
    if (!isDeepStrictEqual(one.value, other.value)) return `part ${part} differs (${String(kind)}${idOf(content)})`;
  }
}

function idOf(content: unknown): string {
  const id = (content as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? ` ${id}` : '';
}
