// What the schema cannot say about a job file: names, references between sources, stages and sinks, and their order.
import { nearestName, nearestNameHint } from '../../model/nearest-name.ts';
import { checkSource } from './check-source.ts';
import type { Places } from './places.ts';
import type { JobFile, StageEntry } from './schema.ts';

/** What job files of every mode have in common: names, and stages that read by name. */
export interface JobSections {
  readonly sources?: Readonly<Record<string, unknown>> | undefined;
  readonly stages?: Readonly<Record<string, Pick<StageEntry, 'inputs'>>> | undefined;
  readonly sinks: Readonly<Record<string, { readonly input: string }>>;
}

/** A stage input with everything optional filled in or null. */
export interface StageInputEntry {
  /** The name in the SQL. */
  readonly alias: string;
  /** The source or stage that it reads. */
  readonly from: string;
  readonly exchange: NonNullable<Exclude<InputEntry, string>['exchange']> | null;
  readonly by: readonly string[];
}

type InputEntry = NonNullable<StageEntry['inputs']>[string];

/** Checks names and references; gives the stages' names, producers before consumers. Throws JOB_FILE_INVALID. */
export function checkJob(job: JobFile, places: Places): string[] {
  checkNames(job, places);
  for (const [name, source] of Object.entries(job.sources ?? {})) checkSource(name, source, places);
  for (const [name, stage] of Object.entries(job.stages ?? {})) checkStage(job, name, stage, places);
  return checkSinksAndOrder(job, places);
}

/** Checks what the sinks read; gives the stages' names, producers before consumers. Throws JOB_FILE_INVALID. */
export function checkSinksAndOrder(job: JobSections, places: Places): string[] {
  for (const [name, sink] of Object.entries(job.sinks))
    checkReference(job, sink.input, ['sinks', name, 'input'], places);
  if (Object.keys(job.sinks).length === 0) {
    throw places.error('JOB_FILE_INVALID', ['sinks'], 'a job needs at least one sink', { atKey: true });
  }
  return stagesInOrder(job, places);
}

export function inputsOf(stage: Pick<StageEntry, 'inputs'>): StageInputEntry[] {
  return Object.entries(stage.inputs ?? {}).map(([alias, entry]) =>
    typeof entry === 'string'
      ? { alias, from: entry, exchange: null, by: [] }
      : { alias, from: entry.from, exchange: entry.exchange ?? null, by: entry.by ?? [] },
  );
}

const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.\- ]*$/u;

export function checkNames(job: JobSections, places: Places): void {
  for (const section of ['sources', 'stages', 'sinks'] as const) {
    for (const name of Object.keys(job[section] ?? {})) {
      if (namePattern.test(name) && name.length <= 100) continue;
      const message = `${JSON.stringify(name)} is no name: letters, digits, "_", "-", "." and spaces, at most 100`;
      throw places.error('JOB_FILE_INVALID', [section, name], message, { atKey: true });
    }
  }
  for (const name of Object.keys(job.stages ?? {})) {
    if (!Object.hasOwn(job.sources ?? {}, name)) continue;
    const message = `${name} is the name of a source and of a stage; inputs could mean either`;
    throw places.error('JOB_FILE_INVALID', ['stages', name], message, { atKey: true });
  }
}

function checkStage(job: JobFile, name: string, stage: StageEntry, places: Places): void {
  const fail = (part: string, message: string) =>
    places.error('JOB_FILE_INVALID', ['stages', name, part], message, { atKey: true });
  if (stage.sql === undefined && stage.map === undefined) throw fail('sql', `stage ${name} needs sql or map`);
  if (stage.sql !== undefined && stage.map !== undefined)
    throw fail('map', `stage ${name} has sql and map; it takes one`);
  if (stage.sql !== undefined && stage.columns) throw fail('columns', 'columns belong to map stages; SQL says its own');
  const inputs = inputsOf(stage);
  if (stage.map !== undefined && inputs.length !== 1) throw fail('inputs', `map stage ${name} takes exactly one input`);
  checkAliases(name, inputs, places);
  for (const input of inputs) checkInput(job, name, input, places);
}

function checkAliases(stage: string, inputs: readonly StageInputEntry[], places: Places): void {
  const seen = new Set<string>();
  for (const { alias } of inputs) {
    if (seen.has(alias.toLowerCase())) {
      const message = `input ${alias} is there twice: SQL does not tell upper from lower case`;
      throw places.error('JOB_FILE_INVALID', ['stages', stage, 'inputs', alias], message, { atKey: true });
    }
    seen.add(alias.toLowerCase());
  }
}

export function checkInput(job: JobSections, stage: string, input: StageInputEntry, places: Places): void {
  const path = ['stages', stage, 'inputs', input.alias];
  const isPlain = typeof job.stages?.[stage]?.inputs?.[input.alias] === 'string';
  checkReference(job, input.from, isPlain ? path : [...path, 'from'], places);
  if (input.exchange === 'hash' && input.by.length === 0) {
    throw places.error('JOB_FILE_INVALID', [...path, 'exchange'], 'exchange hash needs by: the columns to hash');
  }
  if (input.exchange !== 'hash' && input.by.length > 0) {
    throw places.error('JOB_FILE_INVALID', [...path, 'by'], 'by belongs to exchange: hash', { atKey: true });
  }
}

export function checkReference(job: JobSections, name: string, path: readonly string[], places: Places): void {
  const known = [...Object.keys(job.sources ?? {}), ...Object.keys(job.stages ?? {})];
  if (known.includes(name)) return;
  throw places.error('JOB_FILE_INVALID', path, `there is no source or stage ${JSON.stringify(name)}`, {
    hint: nearestNameHint(name, known),
    data: { nearest: nearestName(name, known) },
  });
}

/** Depth first in file order, so that the order is stable and a cycle is found with its path. */
function stagesInOrder(job: JobSections, places: Places): string[] {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const stage = job.stages?.[name];
    if (!stage || done.has(name)) return;
    if (trail.includes(name)) throw cycleError([...trail.slice(trail.indexOf(name)), name], job, places);
    for (const input of inputsOf(stage)) visit(input.from, [...trail, name]);
    done.add(name);
  };
  for (const name of Object.keys(job.stages ?? {})) visit(name, []);
  return [...done];
}

/** Points at the input by which the first stage of the cycle reads the second. */
function cycleError(cycle: readonly string[], job: JobSections, places: Places) {
  const [first = '', second = ''] = cycle;
  const stage = job.stages?.[first];
  const alias = (stage ? inputsOf(stage) : []).find((input) => input.from === second)?.alias ?? '';
  const path = ['stages', first, 'inputs', alias];
  return places.error('JOB_FILE_INVALID', path, `stages read each other in a circle: ${cycle.join(' <- ')}`, {
    data: { cycle },
  });
}
