// Which keys of a source belong together: files are found by `path` while planning, or by an `enumerator` while the job
// runs; then nothing can be read or sniffed before, so columns are stated. Spec: docs/job-file.md, "Sources".
import type { JobrecError } from '../../model/errors.ts';
import type { Places } from './places.ts';
import type { SourceEntry } from './schema.ts';

/** Throws JOB_FILE_INVALID at the key that does not fit. */
export function checkSource(name: string, source: SourceEntry, places: Places): void {
  const fail = (key: string, message: string, atKey = true): JobrecError =>
    places.error('JOB_FILE_INVALID', ['sources', name, key], message, { atKey });
  if (source.enumerator === undefined) return checkFileSource(name, source, fail);
  if (source.path !== undefined) throw fail('path', `source ${name} has path and enumerator; it takes one`);
  if (source.columns === undefined || Object.keys(source.columns).length === 0) {
    throw fail('enumerator', `source ${name} needs columns: its splits are known only when the job runs`);
  }
  if (source.read === undefined && source.format === undefined) {
    throw fail('enumerator', `source ${name} needs format (parquet, csv or json), or read: ./file.ts#export`);
  }
  checkSplits(source, fail);
}

type Fail = (key: string, message: string, atKey?: boolean) => JobrecError;

function checkFileSource(name: string, source: SourceEntry, fail: Fail): void {
  if (source.path === undefined) throw fail('path', `sources.${name}.path is missing`, false);
  for (const key of ['read', 'columns', 'parallelism'] as const) {
    if (source[key] === undefined) continue;
    const hint = key === 'columns' ? '; for files state them under options' : '';
    throw fail(key, `${key} belongs to sources with an enumerator${hint}`);
  }
}

/** How the splits of an enumerator are read. */
function checkSplits(source: SourceEntry, fail: Fail): void {
  if (source.read !== undefined) {
    for (const key of ['format', 'options'] as const) {
      if (source[key] !== undefined) throw fail(key, `${key} says how files are read; read does that here`);
    }
  }
  if (source.options?.columns !== undefined)
    throw fail('options', 'columns of a source with an enumerator stand beside it');
  if (source.options !== undefined && source.format !== 'csv')
    throw fail('options', `options do not apply to ${source.format} files`);
  if (source.onBadRow !== undefined && source.onBadRow !== 'fail') {
    throw fail('onBadRow', 'a source with an enumerator takes onBadRow: fail only', false);
  }
}
