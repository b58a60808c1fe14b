// The commands that a report tells its reader to run next: to go on with a suspended job, or to begin from the state of one
// that has ended. With the flags of this run, for the folder that it was run in.
import { resolve } from 'node:path';
import type { RunOptions } from './run-report.ts';

/** The command that goes on with a suspended job. */
export function resumeLine(options: RunOptions): string {
  const flags = [`--home ${quoted(resolve(options.home))}`];
  if (options.workers !== null) flags.push(`--workers ${options.workers}`);
  if (options.slots !== null) flags.push(`--slots ${options.slots}`);
  for (const [name, value] of Object.entries(options.config)) flags.push(`-D ${quoted(`${name}=${value}`)}`);
  return `jobrec run ${quoted(options.jobFile)} ${flags.join(' ')}`;
}

/** The command that starts a suspended job over, where nothing is left to go on from. */
export function freshLine(options: RunOptions): string {
  return `${resumeLine(options)} --fresh`;
}

/** The command that begins a new run from a checkpoint or savepoint. */
export function restoreLine(options: RunOptions, location: string): string {
  return `${resumeLine(options)} --from-savepoint ${quoted(location)}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
