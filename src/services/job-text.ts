// The job file's text: read by the planner from its path, or from stdin for `-` (paths in it are then relative to the
// working folder).

import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export async function readJobText(jobFile: string): Promise<{ readonly path: string; readonly text: string | null }> {
  if (jobFile !== '-') return { path: resolve(jobFile), text: null };
  return { path: resolve('stdin.yaml'), text: await text(process.stdin) };
}
