// Reads the TypeScript sources as text and finds what each imports: enough for the layering test, without a compiler
// (typescript 7 has no JavaScript interface).
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const sourceRoot = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'src');

export interface SourceImport {
  /** As written: `../model/ids.ts`, `node:fs`, `cli-table3`. */
  readonly specifier: string;
  /** Path below src/ for a relative import, else null. */
  readonly file: string | null;
  /** Whether the whole import is erased by the compiler. */
  readonly isTypeOnly: boolean;
}

export interface SourceFile {
  /** Path below src/, with forward slashes. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly SourceImport[];
}

export function readSources(root = sourceRoot): SourceFile[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return names.map((name) => parseSource(name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')));
}

/** Static, dynamic and re-exporting imports. */
export function parseSource(file: string, text: string): SourceFile {
  const code = withoutComments(text);
  const statements = [...code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)';?/gm)];
  const dynamic = [...code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)];
  const imports = [
    ...statements.map(([, type, specifier = '']) => sourceImport(file, specifier, type !== undefined)),
    ...dynamic.map(([, specifier = '']) => sourceImport(file, specifier, false)),
  ];
  return { file, text, imports };
}

function sourceImport(from: string, specifier: string, isTypeOnly: boolean): SourceImport {
  if (!specifier.startsWith('.')) return { specifier, file: null, isTypeOnly };
  const file = relative('/', resolve('/', dirname(from), specifier)).replaceAll('\\', '/');
  return { specifier, file, isTypeOnly };
}

/** Line comments and block comments go; a `//` inside a string stays, which is harmless here. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
