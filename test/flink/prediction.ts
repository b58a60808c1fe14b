// What jobrec says before the restart: the built program, asked about a copy of the high-availability folder as an
// operator would ask it.
import type { DiffReport } from '../../src/services/diff-report.ts';
import { type CliResult, runCli } from '../support/cli.ts';

/** Workers by resource id. */
export interface Survivors {
  readonly living: readonly string[];
  readonly dead: readonly string[];
}

export interface Question extends Survivors {
  /** A folder above exactly one store. */
  readonly location: string;
  readonly asksBy: 'lost-worker' | 'workers';
  readonly topology?: string;
  /** A report of partitions; asks by it instead. */
  readonly report?: string;
}

/** @throws Error with all that was printed where there is no prediction */
export async function predict(question: Question): Promise<DiffReport> {
  const args = ['diff', question.location, ...survivorFlags(question), '--json'];
  const result = await runCli(question.topology === undefined ? args : [...args, '--topology', question.topology]);
  if (result.code !== 0 && result.code !== 3) throw noPrediction(args, result);
  return JSON.parse(result.stdout) as DiffReport;
}

function survivorFlags({ asksBy, living, dead, report }: Question): string[] {
  if (report !== undefined) return ['--partitions', report];
  if (asksBy === 'workers') return ['--workers', living.join(',')];
  return dead.flatMap((workerId) => ['--lost-worker', workerId]);
}

function noPrediction(args: readonly string[], { code, stdout, stderr }: CliResult): Error {
  return new Error(`jobrec ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
}
