// A sink writes into a folder, which is made where it is missing: not where a file stands in its way. Found before the
// job starts, since no later run of it would get any further. (Whether the folder is occupied is asked by the services.)
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Places } from './job-file/places.ts';

/** Throws JOB_FILE_INVALID at the path of the sink `name`, which is `path`, absolute. */
export async function requireFolder(name: string, path: string, places: Places): Promise<void> {
  const file = await fileInTheWay(path);
  if (file === null) return;
  const message = `sink ${name} writes into a folder, and ${file} is a file`;
  throw places.error('JOB_FILE_INVALID', ['sinks', name, 'path'], message, {
    data: { sink: name, path: file },
    hint: 'name a folder, which is made where it is missing',
  });
}

/** `path`, or what is nearest above it, where that is no folder; what cannot be looked at says nothing. */
async function fileInTheWay(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found) return found.isDirectory() ? null : path;
  const parent = dirname(path);
  return parent === path ? null : fileInTheWay(parent);
}
