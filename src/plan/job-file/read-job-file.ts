// From the text of a job file (YAML, or JSON, which is YAML) to a checked JobFile with the places of everything in it.
// Errors are thrown one at a time, the first in the file first. Spec: docs/job-file.md.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { LineCounter, parseDocument } from 'yaml';
import { JobrecError, messageOf } from '../../model/errors.ts';
import { nearestName, nearestNameHint } from '../../model/nearest-name.ts';
import { type KeyPath, Places } from './places.ts';
import { type JobFile, jobFileSchema, knownKeysAt } from './schema.ts';

export interface ReadJobFile {
  readonly job: JobFile;
  readonly places: Places;
}

/** Reads the file at `path`. Throws JOB_FILE_UNREADABLE. */
export async function readJobText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new JobrecError('JOB_FILE_UNREADABLE', `cannot read the job file ${path}: ${messageOf(error)}`, {
      data: { file: path },
      cause: error,
    });
  }
}

/** A file as plain values, with the places of everything in it. */
export interface ReadDocument {
  readonly value: unknown;
  readonly places: Places;
}

/** What a kind of job file consists of. */
export interface JobFileShape<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** The keys that may stand at a place; null where they are free names. */
  readonly knownKeysAt: (path: KeyPath) => readonly string[] | null;
  /** Keys under which a list may stand. */
  readonly listKeys: readonly string[];
}

const batchShape = { schema: jobFileSchema, knownKeysAt, listKeys: ['path', 'by'] };

/** Parses and checks the text of a batch job. Throws JOB_FILE_INVALID with file, line and column. */
export function parseJobFile(file: string, text: string): ReadJobFile {
  return checkJobFile(readDocument(file, text));
}

/** Checks a batch job. Throws JOB_FILE_INVALID. */
export function checkJobFile(document: ReadDocument): ReadJobFile {
  return { job: checkShape(document, batchShape), places: document.places };
}

/** Parses `text`. Throws JOB_FILE_INVALID for what is not YAML. */
export function readDocument(file: string, text: string): ReadDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const places = new Places(file, text, document, lines);
  const [syntaxError] = document.errors;
  if (syntaxError) throw places.errorAtOffset('JOB_FILE_INVALID', syntaxError.pos[0], syntaxMessage(syntaxError));
  return { value: plainValue(document, places), places };
}

/** The file as what its schema says. Throws JOB_FILE_INVALID at the first thing that does not fit. */
export function checkShape<Schema extends v.GenericSchema>(
  { value, places }: ReadDocument,
  shape: JobFileShape<Schema>,
): v.InferOutput<Schema> {
  checkMaps(value, places, shape.listKeys);
  const result = v.safeParse(shape.schema, value);
  if (!result.success) throw firstError(result.issues, places, shape.knownKeysAt);
  return result.output;
}

function syntaxMessage(error: { readonly code: string; readonly message: string }): string {
  if (error.code === 'DUPLICATE_KEY') return 'this key stands here twice; keys must be unique';
  return messageOf(error.message);
}

/** The document as plain values; aliases are bounded by the library. */
function plainValue(document: ReturnType<typeof parseDocument>, places: Places): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw places.errorAtOffset('JOB_FILE_INVALID', 0, messageOf(error), { cause: error });
  }
}

/** Lists are objects to the schemas: where a map belongs they are refused here. */
function checkMaps(value: unknown, places: Places, listKeys: readonly string[], path: KeyPath = []): void {
  if (Array.isArray(value)) throw places.error('JOB_FILE_INVALID', path, `${nameOf(path)} must be a map, not a list`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    // Options hold values, no maps either: the schema says so.
    const mayBeList = (path.length >= 2 && listKeys.includes(key)) || (path.length === 1 && path[0] === 'config');
    if (!mayBeList) checkMaps(child, places, listKeys, [...path, key]);
  }
}

function nameOf(path: KeyPath): string {
  return path.length === 0 ? 'a job file' : path.join('.');
}

type Issue = v.BaseIssue<unknown>;

function pathOf(issue: Issue): KeyPath {
  return (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)));
}

/** Unknown keys come first: a misspelt key is the cause of the key that is missing. */
function firstError(
  issues: readonly Issue[],
  places: Places,
  keysAt: JobFileShape<v.GenericSchema>['knownKeysAt'],
): JobrecError {
  const isUnknownKey = (issue: Issue) => issue.type === 'strict_object' && issue.expected === 'never';
  const issue = issues.find(isUnknownKey) ?? issues[0];
  if (!issue) return places.error('JOB_FILE_INVALID', [], 'not a job file');
  const path = pathOf(issue);
  return isUnknownKey(issue)
    ? unknownKey(path, places, keysAt(path.slice(0, -1)) ?? [])
    : valueError(issue, path, places);
}

function unknownKey(path: KeyPath, places: Places, known: readonly string[]): JobrecError {
  const key = String(path.at(-1));
  return places.error('JOB_FILE_INVALID', path, `unknown key ${JSON.stringify(key)}`, {
    atKey: true,
    hint: nearestNameHint(key, known),
    data: { key, nearest: nearestName(key, known) },
  });
}

function valueError(issue: Issue, path: KeyPath, places: Places): JobrecError {
  const name = nameOf(path);
  const isMissing = issue.received === 'undefined' && path.length > 0;
  if (isMissing) {
    return places.error('JOB_FILE_INVALID', path, `${name} is missing`, { data: { key: path.at(-1) } });
  }
  return places.error('JOB_FILE_INVALID', path, `${name} ${issue.message}`);
}
