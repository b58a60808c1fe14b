// Rows of a csv or NDJSON source that do not have the source's types: what was wrong, in which file and line.
import type { SourceSpec } from '../../model/job-graph.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';
import { badJsonLinesSql } from '../../sql/source-scan.ts';
import type { Attempt } from './attempt.ts';

export interface BadRow {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly text: string;
}

/** The rows that a scan with `onBadRow: skip | quarantine` left out, in file and line order; once each. */
export async function collectBadRows(
  attempt: Attempt,
  source: SourceSpec,
  splits: readonly number[],
): Promise<readonly BadRow[]> {
  if (splits.length === 0) return [];
  const rows = await attempt.rows(source.format === 'json' ? orderedJson(source, splits) : rejectedCsv(source));
  return rows.map(([file, line, text]) => ({ file: String(file), line: Number(line), text: String(text ?? '') }));
}

/** One line can be rejected for several of its columns, and other sources of the task have rejected lines too. */
function rejectedCsv(source: SourceSpec): string {
  const files = source.files.map(({ path }) => quoteLiteral(path)).join(', ');
  return `
    SELECT scans.file_path, errors.line, any_value(errors.csv_line)
    FROM reject_errors AS errors JOIN reject_scans AS scans USING (scan_id, file_id)
    WHERE scans.file_path IN (${files})
    GROUP BY ALL ORDER BY ALL`;
}

function orderedJson(source: SourceSpec, splits: readonly number[]): string {
  return `SELECT file, line, text FROM (${badJsonLinesSql(source, splits)}) ORDER BY file, line`;
}

/** One line that names source, file and line, where `error` is about a row of one of the sources; else null. */
export async function rowMessageOf(attempt: Attempt, error: unknown): Promise<string | null> {
  for (const input of attempt.deployment.inputs) {
    if (input.kind !== 'source') continue;
    const message = await rowMessageIn(attempt, input.source, input.splits, error);
    if (message !== null) return message;
  }
  return null;
}

/** As `rowMessageOf`, for splits of one source. */
export async function rowMessageIn(
  attempt: Attempt,
  source: SourceSpec,
  splits: readonly number[],
  error: unknown,
): Promise<string | null> {
  const raw = rawMessage(error);
  if (!isAboutFileOf(source, raw)) return null;
  return source.format === 'json' ? firstBadJson(attempt, source, splits) : rowMessage(source, raw);
}

const advice = '(onBadRow: skip or quarantine leaves such rows out)';

/** Where the splits are an enumerator's, bad rows always fail. */
function adviceFor(source: SourceSpec): string {
  return source.enumerator === undefined ? ` ${advice}` : '';
}

/** DuckDB's JSON messages count lines from where a thread began to read, so the line is looked for. */
async function firstBadJson(attempt: Attempt, source: SourceSpec, splits: readonly number[]): Promise<string | null> {
  const [row] = await attempt.rows(`${orderedJson(source, splits)} LIMIT 1`);
  if (row === undefined) return null;
  const [file, line, text] = row;
  const excerpt = String(text).slice(0, 80);
  return `source ${source.name}: ${file} line ${line}: not a row of the source's columns: ${excerpt}${adviceFor(source)}`;
}

function isAboutFileOf(source: SourceSpec, raw: string): boolean {
  return source.files.some(({ path }) => raw.includes(path));
}

function rowMessage(source: SourceSpec, raw: string): string | null {
  const line = /CSV Error on Line: (\d+)/.exec(raw)?.[1];
  const file = source.files.find(({ path }) => raw.includes(path))?.path;
  if (line === undefined || file === undefined) return null;
  return `source ${source.name}: ${file} line ${line}: ${csvReason(raw)}${adviceFor(source)}`;
}

/** The line of DuckDB's long message that says what is wrong. */
function csvReason(raw: string): string {
  const lines = raw.split('\n').map((line) => line.trim());
  const original = lines.findIndex((line) => line.startsWith('Original Line'));
  return lines.slice(original + 1).find((line) => line !== '') ?? 'it does not have the columns of the source';
}

function rawMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
