// The shape of a job file of `mode: streaming`, as valibot schemas: the one place that knows its keys and their values.
// Unknown keys are refused everywhere. Spec: docs/streaming.md, "The job file".
import * as v from 'valibot';
import { parseDurationMs } from '../../model/config-values.ts';
import type { KeyPath } from '../job-file/places.ts';
import { count, detailedInput, flag, input, jobName, jobSections, oneOf, text } from '../job-file/schema.ts';

const duration = v.pipe(
  v.union([v.string(), v.number()], 'must be a duration such as "30 s" or "1 min"'),
  v.transform((value) => parseDurationMs(String(value))),
  v.number('must be a duration such as "30 s" or "1 min"'),
);
const fields = v.union(
  [
    v.pipe(
      text,
      v.transform((field) => [field]),
    ),
    v.pipe(v.array(text), v.nonEmpty('must not be empty')),
  ],
  'must be a field or a list of fields',
);
const rate = v.pipe(v.number('must be a number'), v.minValue(0.001, 'must be more than 0'));
const isoInstant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
const instantRule = 'must be whole milliseconds since 1970, or a time such as 2026-01-31T12:00:00Z';
const whole = v.pipe(v.number('must be a whole number'), v.safeInteger('must be a whole number'));
/** Milliseconds since the epoch, or ISO-8601 with a zone (a date alone is midnight in UTC). */
const instant = v.pipe(
  v.union([whole, v.pipe(v.string(), v.regex(isoInstant, instantRule))], instantRule),
  v.transform((value) => (typeof value === 'number' ? value : Date.parse(value))),
  v.safeInteger(instantRule),
);
const startingOffsets = v.optional(oneOf(['earliest', 'latest']));

const log = v.strictObject(
  { path: text, startingOffsets, bounded: v.optional(flag) },
  'must be a path, or a map with path, startingOffsets and bounded',
);
const kafkaSource = v.strictObject(
  { bootstrapServers: text, topic: text, groupId: v.optional(text), startingOffsets },
  'must be a map with bootstrapServers and topic',
);
const scalar = v.union([v.string(), v.number(), v.boolean()], 'must be text, a number, true or false');
const columnKinds = v.strictObject(
  {
    random: v.optional(v.tuple([whole, whole], 'must be two whole numbers: the least and the greatest')),
    choice: v.optional(v.pipe(v.array(scalar, 'must be a list of values'), v.nonEmpty('must not be empty'))),
    time: v.optional(
      v.strictObject({ start: v.optional(instant), step: duration }, 'must be a map with start and step'),
    ),
  },
  'must be sequence, or a map with random, choice or time',
);
const column = v.lazy((value) =>
  typeof value === 'string' ? v.literal('sequence', 'must be sequence, or a map') : columnKinds,
);
const generator = v.strictObject(
  {
    rowsPerSecond: v.optional(rate),
    rows: v.optional(v.pipe(whole, v.minValue(0, 'must be 0 or more'))),
    columns: v.record(v.string(), column, 'must be a map from column names to what they hold'),
  },
  'must be a map with columns',
);

const source = v.strictObject(
  {
    log: v.optional(v.lazy((value) => (typeof value === 'string' ? text : log))),
    kafka: v.optional(kafkaSource),
    socket: v.optional(text),
    generator: v.optional(generator),
    format: v.optional(oneOf(['json', 'raw'])),
    onBadRow: v.optional(oneOf(['fail', 'skip'])),
    uid: v.optional(text),
    parallelism: v.optional(count),
  },
  'must be a map with log, kafka, socket or generator',
);

const window = v.strictObject(
  {
    tumbling: duration,
    time: text,
    lateness: v.optional(duration),
    outOfOrderness: v.optional(duration),
    idleness: v.optional(duration),
  },
  'must be a map with tumbling and time',
);

const stage = v.strictObject(
  {
    inputs: v.optional(v.record(v.string(), input, 'must be a map from names to sources or stages')),
    map: v.optional(text),
    flatMap: v.optional(text),
    filter: v.optional(text),
    sum: v.optional(text),
    reduce: v.optional(text),
    process: v.optional(text),
    keyBy: v.optional(fields),
    window: v.optional(window),
    uid: v.optional(text),
    parallelism: v.optional(count),
    chain: v.optional(flag),
  },
  'must be a map with inputs and what to do with them',
);

const kafkaSink = v.strictObject(
  { bootstrapServers: text, topic: text, key: v.optional(text) },
  'must be a map with bootstrapServers and topic',
);

const sink = v.strictObject(
  {
    input: text,
    print: v.optional(v.literal(true, 'must be true')),
    path: v.optional(text),
    kafka: v.optional(kafkaSink),
    format: v.optional(oneOf(['json'])),
    uid: v.optional(text),
  },
  'must be a map with input and print, path or kafka',
);

export const streamJobSchema = v.strictObject(
  {
    name: jobName,
    mode: v.literal('streaming', 'must be batch or streaming'),
    ...jobSections(source, stage, sink),
  },
  'must be a map with name, mode, sources, stages and sinks',
);

export type StreamJobFile = v.InferOutput<typeof streamJobSchema>;
export type StreamSourceEntry = v.InferOutput<typeof source>;
export type StreamStageEntry = v.InferOutput<typeof stage>;
export type StreamSinkEntry = v.InferOutput<typeof sink>;

const keysBySection: Readonly<Record<string, readonly string[]>> = {
  sources: Object.keys(source.entries),
  stages: Object.keys(stage.entries),
  sinks: Object.keys(sink.entries),
};

const keysByPart: Readonly<Record<string, readonly string[]>> = {
  'sources/log': Object.keys(log.entries),
  'sources/kafka': Object.keys(kafkaSource.entries),
  'sources/generator': Object.keys(generator.entries),
  'stages/window': Object.keys(window.entries),
  'sinks/kafka': Object.keys(kafkaSink.entries),
};

/** The keys that may stand at a place of the job file; null where they are free names. */
export function streamKeysAt(path: KeyPath): readonly string[] | null {
  const [section = '', , part] = path;
  if (path.length === 0) return Object.keys(streamJobSchema.entries);
  if (path.length === 2) return keysBySection[section] ?? null;
  if (path.length === 3) return keysByPart[`${section}/${part}`] ?? null;
  if (path.length === 4 && part === 'inputs') return Object.keys(detailedInput.entries);
  if (path.length === 5 && part === 'generator') return Object.keys(columnKinds.entries);
  return null;
}

/** Keys under which a list may stand. */
export const streamListKeys = ['by', 'keyBy', 'random', 'choice'];
