// The sinks of a job: where they write, and that they write neither over each other nor into what the job reads.
// (Whether a folder is occupied is asked by the services: free-sinks.ts.)
import { dirname, resolve, sep } from 'node:path';
import type { SinkSpec, SourceSpec } from '../model/job-graph.ts';
import type { Places } from './job-file/places.ts';
import type { JobFile } from './job-file/schema.ts';
import { requireFolder } from './sink-folder.ts';
import { matchesGlob } from './sources/find-files.ts';

/** The sinks in the order of the file. Throws JOB_FILE_INVALID. */
export async function planSinks(
  job: JobFile,
  folder: string,
  sources: readonly SourceSpec[],
  places: Places,
): Promise<SinkSpec[]> {
  const sinks: SinkSpec[] = [];
  for (const [name, entry] of Object.entries(job.sinks)) {
    const path = resolve(folder, entry.path);
    const fail = (message: string) => places.error('JOB_FILE_INVALID', ['sinks', name, 'path'], message);
    const other = sinks.find((each) => isWithin(each.path, path) || isWithin(path, each.path));
    if (other) throw fail(`sink ${name} writes into the folder of sink ${other.name}: each needs a folder of its own`);
    const source = sourceWithin(path, entry.format ?? 'parquet', job, folder, sources);
    if (source !== null) throw fail(`sink ${name} writes where source ${source} reads`);
    await requireFolder(name, path, places);
    sinks.push({ name, path, format: entry.format ?? 'parquet', mode: entry.mode ?? 'error-if-occupied' });
  }
  return sinks;
}

/** Whether a path is the folder or lies in it, by their names alone. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** A source that has a file in the sink's folder, or whose glob would find what the sink writes. */
function sourceWithin(
  sinkPath: string,
  format: string,
  job: JobFile,
  folder: string,
  sources: readonly SourceSpec[],
): string | null {
  const part = `${sinkPath}${sep}part-0.${format}`;
  for (const source of sources) {
    const patterns = [job.sources?.[source.name]?.path ?? []].flat().map((pattern) => resolve(folder, pattern));
    const finds = patterns.some((pattern) => matchesGlob(part, pattern));
    if (finds || source.files.some((file) => isWithin(dirname(file.path), sinkPath))) return source.name;
  }
  return null;
}
