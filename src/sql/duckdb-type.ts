// DuckDB's type names taken apart and put together again, e.g. `MAP(VARCHAR, STRUCT(a HUGEINT, "b c" ENUM('x'))[3])`.
// Invariant: typeText(parseType(text)) names the same type. What cannot be taken apart is one opaque leaf.

/** Nested types by their parts; everything else (also DECIMAL(…) and ENUM(…)) is a leaf with its text. */
export type TypeNode =
  | { readonly kind: 'leaf'; readonly name: string; readonly text: string }
  /** `size` null: a LIST */
  | { readonly kind: 'list'; readonly child: TypeNode; readonly size: number | null }
  | { readonly kind: 'map'; readonly key: TypeNode; readonly value: TypeNode }
  | { readonly kind: 'struct' | 'union'; readonly fields: readonly TypeField[] };

export interface TypeField {
  /** As spelled, quotes included; null in an unnamed struct (`row(1, 2)`), which no CAST can spell. */
  readonly name: string | null;
  readonly type: TypeNode;
}

export function parseType(text: string): TypeNode {
  const trimmed = text.trim();
  const list = /^(.*)\[(\d*)\]$/s.exec(trimmed);
  if (list && !trimmed.startsWith('"')) {
    const [, child = '', size = ''] = list;
    return { kind: 'list', child: parseType(child), size: size === '' ? null : Number(size) };
  }
  if (list && /^"(?:[^"]|"")*"(\[\d*\])+$/s.test(trimmed)) {
    return { kind: 'list', child: parseType(list[1] ?? ''), size: list[2] ? Number(list[2]) : null };
  }
  return parseBase(trimmed);
}

function parseBase(text: string): TypeNode {
  const name = /^[A-Za-z_][A-Za-z0-9_ ]*/.exec(text)?.[0].trim().toUpperCase() ?? text;
  const inner = /^[A-Za-z]+\((.*)\)$/s.exec(text)?.[1];
  if (inner === undefined) return { kind: 'leaf', name, text };
  switch (name) {
    case 'STRUCT':
      return { kind: 'struct', fields: splitTopLevel(inner).map(parseField) };
    case 'UNION':
      return { kind: 'union', fields: splitTopLevel(inner).map(parseField) };
    case 'MAP': {
      const [key = '', value = ''] = splitTopLevel(inner);
      return { kind: 'map', key: parseType(key), value: parseType(value) };
    }
    default:
      return { kind: 'leaf', name, text };
  }
}

/** A field is `name TYPE`; a lone type (two words at most are not a name and a type) is an unnamed field. */
function parseField(text: string): TypeField {
  const named = /^("(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_$]*)\s+(.+)$/s.exec(text.trim());
  if (!named || /^(TIME|TIMESTAMP) WITH TIME ZONE/.test(text.trim())) return { name: null, type: parseType(text) };
  const [, name = '', type = ''] = named;
  return { name, type: parseType(type) };
}

/** Cuts at commas outside of parentheses, brackets and quotes. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { index, 0: token } of text.matchAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'|[(),]/g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (token === ',' && depth === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

export function typeText(node: TypeNode): string {
  switch (node.kind) {
    case 'leaf':
      return node.text;
    case 'list':
      return `${typeText(node.child)}[${node.size ?? ''}]`;
    case 'map':
      return `MAP(${typeText(node.key)}, ${typeText(node.value)})`;
    default: {
      const fields = node.fields.map(({ name, type }) =>
        name === null ? typeText(type) : `${name} ${typeText(type)}`,
      );
      return `${node.kind.toUpperCase()}(${fields.join(', ')})`;
    }
  }
}

/** The type with leaves replaced (where `leaf` gives another text) and, unless they are kept, arrays made lists. */
export function replaceLeaves(node: TypeNode, leaf: (name: string) => string | null, keepArrays: boolean): TypeNode {
  const inner = (child: TypeNode) => replaceLeaves(child, leaf, keepArrays);
  switch (node.kind) {
    case 'leaf': {
      const text = leaf(node.name);
      return text === null ? node : { kind: 'leaf', name: text, text };
    }
    case 'list':
      return { kind: 'list', child: inner(node.child), size: keepArrays ? node.size : null };
    case 'map':
      return { kind: 'map', key: inner(node.key), value: inner(node.value) };
    default:
      return { kind: node.kind, fields: node.fields.map(({ name, type }) => ({ name, type: inner(type) })) };
  }
}

/** Whether some struct in the type has fields without names: such a type exists, but no CAST can spell it. */
export function hasUnnamedFields(node: TypeNode): boolean {
  switch (node.kind) {
    case 'leaf':
      return false;
    case 'list':
      return hasUnnamedFields(node.child);
    case 'map':
      return hasUnnamedFields(node.key) || hasUnnamedFields(node.value);
    default:
      return node.fields.some(({ name, type }) => name === null || hasUnnamedFields(type));
  }
}
