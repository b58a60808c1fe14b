// Digests by which a later run notices what has changed since a job was planned. `plan` covers what the job file means,
// not where it lies nor what was decided from the data (splits, chosen exchanges: those are recorded with the graph);
// `functions` the bundled code; `inputs` path, size and time of every file.
import { createHash } from 'node:crypto';
import type { Fingerprint } from '../model/job-events.ts';
import type { SourceSpec } from '../model/job-graph.ts';
import type { BundledModule } from './functions/bundle-functions.ts';
import { inputsOf } from './job-file/check-job.ts';
import type { JobFile, SourceEntry } from './job-file/schema.ts';

export function fingerprintOf(
  job: JobFile,
  sources: readonly SourceSpec[],
  modules: readonly BundledModule[],
): Fingerprint {
  return {
    plan: digest(planMeaning(job)),
    functions: digest(modules.map((module) => module.fileName).sort()),
    inputs: digest(
      sources.map((source) => [source.name, source.files.map((file) => [file.path, file.bytes, file.modifiedMs])]),
    ),
  };
}

/** Options are left out: other timeouts or buffer sizes do not make another job. */
function planMeaning(job: JobFile): unknown {
  const stages = Object.entries(job.stages ?? {}).map(([name, stage]) => {
    const { inputs: _, map, ...rest } = stage;
    return { name, ...rest, inputs: inputsOf(stage), map: map && exportOf(map) };
  });
  const sources = Object.fromEntries(
    Object.entries(job.sources ?? {}).map(([name, source]) => [name, sourceMeaning(source)]),
  );
  const shuffle = job.shuffle === 'service' ? { shuffle: job.shuffle } : {};
  return { name: job.name, sources, stages, sinks: job.sinks, ...shuffle };
}

/** SHA-256 of a plain value, whatever the order of its keys. */
export function sourceMeaning({ enumerator, read, ...rest }: SourceEntry): unknown {
  if (enumerator === undefined) return rest;
  return { ...rest, enumerator: exportOf(enumerator), read: read && exportOf(read) };
}

/** Where the file lies does not matter; what is in it is the functions' digest. */
function exportOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('#'));
}

export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortedKeys)).digest('hex');
}

/** The order of keys in the file means nothing. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
