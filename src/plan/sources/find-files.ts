// Which files a source means: paths and globs, relative to the job file, as they are now (size and time are recorded,
// so that a change is noticed later).
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import type { SourceFile } from '../../model/job-graph.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';

/** What is wrong with a path of a source, without its place in the job file. */
export class SourceProblem extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** The files of `patterns`, each once, in the order of the list and by name within a glob. Throws SourceProblem. */
export async function findFiles(
  connection: DuckDBConnection,
  folder: string,
  patterns: readonly string[],
): Promise<SourceFile[]> {
  const files = new Map<string, SourceFile>();
  for (const pattern of patterns) {
    const path = resolve(folder, pattern);
    for (const found of (await isThere(path)) || !isGlob(pattern) ? [path] : await expandGlob(connection, path)) {
      if (!files.has(found)) files.set(found, await describeFile(found, pattern));
    }
  }
  return [...files.values()];
}

function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function expandGlob(connection: DuckDBConnection, pattern: string): Promise<string[]> {
  const reader = await connection.runAndReadAll(`SELECT file FROM glob(${quoteLiteral(pattern)}) ORDER BY file`);
  const found = reader.getRowsJS().map((row) => String(row[0]));
  if (found.length === 0) throw new SourceProblem(`no file matches ${pattern}`);
  return found;
}

async function describeFile(path: string, pattern: string): Promise<SourceFile> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) {
      throw new SourceProblem(
        `${path} is a folder`,
        `name its files, for example ${pattern.replace(/\/+$/, '')}/*.parquet`,
      );
    }
    return { path, bytes: stats.size, modifiedMs: stats.mtimeMs };
  } catch (error) {
    if (error instanceof SourceProblem) throw error;
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new SourceProblem(isMissing ? `there is no file ${path}` : `cannot read ${path}: ${messageOf(error)}`);
  }
}

/** Whether a path matches a glob pattern (both absolute): `*` and `?` stay within a folder, `**` does not. */
export function matchesGlob(path: string, pattern: string): boolean {
  const source = pattern.replace(/\*\*\/?|\*|\?|\[[^\]]*\]|[.+^${}()|\\\]]/g, (token) => {
    if (token.startsWith('**')) return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return token.startsWith('[') ? token.replace(/^\[!/, '[^') : `\\${token}`;
  });
  return new RegExp(`^${source}$`).test(path);
}
