// From an offset in a stage's SQL to an offset in the job file. YAML folds, indents and quotes text, so value and
// source are walked side by side: white space may differ, everything else must match; where it does not (escapes), the
// beginning of the value is the best that can be said.
import type { Node } from 'yaml';

/** Offset in `text` of the character `offset` of the scalar `value`, whose node is `node`. */
export function sourceOffsetOf(text: string, node: Node | null, value: string, offset: number): number | null {
  const range = node?.range;
  if (!range) return null;
  const [start, end] = range;
  let source = contentStart(text, start);
  for (let index = 0; index < offset; index += 1) {
    const next = skipTo(text, source, end, value[index] ?? '');
    if (next === null) return start;
    source = next;
  }
  const found = skipTo(text, source, end, value[offset] ?? '');
  return found === null ? start : found - 1;
}

/** Behind the quote of a quoted scalar, or the header line of a block scalar (`|`, `>-`). */
function contentStart(text: string, start: number): number {
  const first = text[start];
  if (first === '"' || first === "'") return start + 1;
  if (first !== '|' && first !== '>') return start;
  const newline = text.indexOf('\n', start);
  return newline === -1 ? start : newline + 1;
}

/** The place behind `character`, looked for over white space only; null where something else comes first. */
function skipTo(text: string, from: number, end: number, character: string): number | null {
  if (/\s|^$/.test(character)) return from + (/\s/.test(text[from] ?? '') ? 1 : 0);
  let place = from;
  while (place < end && /\s/.test(text[place] ?? '')) place += 1;
  return text[place] === character ? place + 1 : null;
}

/** DuckDB counts bytes of UTF-8; texts here are counted in UTF-16 units. */
export function characterOffset(sql: string, byteOffset: number): number {
  return Buffer.from(sql, 'utf8').subarray(0, byteOffset).toString('utf8').length;
}
