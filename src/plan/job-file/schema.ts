// The shape of a job file, as valibot schemas: the one place that knows its keys and their values. Unknown keys are
// refused everywhere. Spec: docs/job-file.md; the public surface is bound by the contract's "Job file".
import * as v from 'valibot';
import { exchangeKinds, shuffleKinds } from '../../model/job-graph.ts';

export const text = v.pipe(v.string('must be text'), v.trim(), v.nonEmpty('must not be empty'));
export const count = v.pipe(
  v.number('must be a whole number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(10_000, 'must be at most 10000'),
);
export const flag = v.boolean('must be true or false');

export function oneOf<const T extends readonly string[]>(values: T) {
  return v.picklist(values, `must be one of ${values.join(', ')}`);
}

function namedEntries<T extends v.GenericSchema>(what: string, entry: T) {
  return v.record(v.string(), entry, `must be a map from ${what} names to their definitions`);
}

const columns = v.record(v.string(), text, 'must be a map from column names to types');

const options = v.strictObject(
  {
    delimiter: v.optional(v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'))),
    header: v.optional(flag),
    quote: v.optional(v.string('must be text')),
    nullString: v.optional(v.string('must be text')),
    columns: v.optional(columns),
  },
  'must be a map of options',
);

const source = v.strictObject(
  {
    path: v.optional(
      v.union(
        [text, v.pipe(v.array(text), v.nonEmpty('must not be empty'))],
        'must be a path, a glob, or a list of them',
      ),
    ),
    enumerator: v.optional(text),
    read: v.optional(text),
    columns: v.optional(columns),
    parallelism: v.optional(count),
    format: v.optional(oneOf(['parquet', 'csv', 'json'])),
    options: v.optional(options),
    onBadRow: v.optional(oneOf(['fail', 'skip', 'quarantine'])),
  },
  'must be a map with at least a path or an enumerator',
);

export const detailedInput = v.strictObject(
  {
    from: text,
    exchange: v.optional(oneOf(exchangeKinds)),
    by: v.optional(
      v.union(
        [
          v.pipe(
            text,
            v.transform((column) => [column]),
          ),
          v.pipe(v.array(text), v.nonEmpty('must not be empty')),
        ],
        'must be a column or a list of columns',
      ),
    ),
  },
  'must be the name of a source or stage, or a map with from, exchange and by',
);

export const input = v.lazy((value) => (typeof value === 'string' ? text : detailedInput));

const stage = v.strictObject(
  {
    inputs: v.optional(v.record(v.string(), input, 'must be a map from names in the SQL to sources or stages')),
    sql: v.optional(text),
    map: v.optional(text),
    columns: v.optional(columns),
    perTask: v.optional(flag),
    parallelism: v.optional(count),
    chain: v.optional(flag),
  },
  'must be a map with inputs and sql or map',
);

const sink = v.strictObject(
  {
    input: text,
    path: text,
    format: v.optional(oneOf(['parquet', 'csv', 'json'])),
    mode: v.optional(oneOf(['error-if-occupied', 'overwrite', 'append'])),
  },
  'must be a map with input and path',
);

const scalar = v.union([v.string(), v.number(), v.boolean()], 'must be text, a number, true or false');

export const jobName = v.pipe(
  text,
  v.maxLength(200, 'must be at most 200 characters'),
  // It names the job's folder.
  v.regex(/^[^/\\\p{Cc}]+$/u, 'must not contain slashes or control characters'),
  v.check((name) => !/^\.+$/.test(name), 'must not consist of dots'),
);

const config = v.optional(v.record(v.string(), scalar, 'must be a map from option names to values'));

/** What every job file says behind its name and mode, whatever its entries look like. */
export function jobSections<
  Source extends v.GenericSchema,
  Stage extends v.GenericSchema,
  Sink extends v.GenericSchema,
>(source: Source, stage: Stage, sink: Sink) {
  return {
    config,
    sources: v.optional(namedEntries('source', source)),
    stages: v.optional(namedEntries('stage', stage)),
    sinks: namedEntries('sink', sink),
  };
}

export const jobFileSchema = v.strictObject(
  {
    name: jobName,
    mode: v.optional(v.literal('batch', 'must be batch or streaming')),
    shuffle: v.optional(oneOf(shuffleKinds)),
    ...jobSections(source, stage, sink),
  },
  'must be a map with name, sources, stages and sinks',
);

export type JobFile = v.InferOutput<typeof jobFileSchema>;
export type SourceEntry = v.InferOutput<typeof source>;
export type StageEntry = v.InferOutput<typeof stage>;

/** The keys that may stand at a place of the job file; null where they are free names. */
export function knownKeysAt(path: readonly (string | number)[]): readonly string[] | null {
  const [section, , part] = path;
  if (path.length === 0) return Object.keys(jobFileSchema.entries);
  if (path.length === 2 && section === 'sources') return Object.keys(source.entries);
  if (path.length === 2 && section === 'stages') return Object.keys(stage.entries);
  if (path.length === 2 && section === 'sinks') return Object.keys(sink.entries);
  if (path.length === 3 && section === 'sources' && part === 'options') return Object.keys(options.entries);
  if (path.length === 4 && section === 'stages' && part === 'inputs') return Object.keys(detailedInput.entries);
  return null;
}
