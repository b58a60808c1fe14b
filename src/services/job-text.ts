// The job file's text: read by the planner from its path, or from stdin for `-` (paths in it are then relative to the
// working folder).
import { resolve } from 'node:path';
import { JobrecError } from '../model/errors.ts';
import { readStandardInput, standardInput } from '../store/standard-input.ts';

const jobTextBytesMax = 64 * 1024 * 1024;

export async function readJobText(jobFile: string): Promise<{ readonly path: string; readonly text: string | null }> {
  if (jobFile !== standardInput) return { path: resolve(jobFile), text: null };
  const bytes = await readStandardInput(jobTextBytesMax);
  if (bytes === null) throw new JobrecError('JOB_FILE_UNREADABLE', `stdin is larger than ${jobTextBytesMax} bytes`);
  return { path: resolve('stdin.yaml'), text: bytes.toString('utf8') };
}
