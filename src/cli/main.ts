// The process: hands the command line to oclif, and is the one place where anything thrown becomes output and an exit
// code. Owns process.exitCode; leaves with both streams flushed.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@oclif/core';
import { JobrecError } from '../model/errors.ts';
import { type ErrorOutcome, errorDocument, errorLine, outcomeOfError } from './error-report.ts';
import { toJsonLine } from './json.ts';
import { OutputClosed } from './output.ts';
import { unknownCommand } from './usage-errors.ts';

export { JobrecHelp } from './help.ts';

/** First words of commands of two words. */
const topics: readonly string[] = ['checkpoint'];

/** Runs one command line (without node and script) and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  const args = commandFirst(argv);
  // What is thrown outside of the command's own promise, in a timer or by a socket.
  process.once('uncaughtException', (error) => void leaveWith(error, args).then(leave));
  try {
    if (wantsJson(args) && lacksCommand(args)) throw missingCommand();
    await run(args, { root: packageRoot() });
  } catch (error) {
    await leaveWith(error, args);
  }
  await leave();
}

/** Ends the process; what is still open does not keep it. */
async function leave(): Promise<never> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(process.exitCode ?? 0);
}

/** oclif's `command_not_found` hook: what it throws here is what `run` rejects with. */
export async function commandNotFound(options: {
  readonly id: string;
  readonly config: { readonly commandIDs: readonly string[] };
}): Promise<never> {
  // oclif joins what might be a topic and its command by a colon.
  throw unknownCommand(options.id.split(':'), options.config.commandIDs);
}

async function leaveWith(error: unknown, args: readonly string[]): Promise<void> {
  if (error instanceof OutputClosed) return;
  const outcome = outcomeOfError(error);
  process.exitCode = outcome.exitCode;
  if (wantsJson(args)) process.stdout.write(`${toJsonLine(errorDocument(outcome.report))}\n`);
  else process.stderr.write(`${errorLine(outcome.report)}\n`);
  showStack(outcome);
}

function showStack(outcome: ErrorOutcome): void {
  if (outcome.stack === null || !process.env.JOBREC_DEBUG) return;
  process.stderr.write(`${outcome.stack}\n`);
}

/** Nothing but global flags, or a topic alone: without --json that shows help. */
function lacksCommand(args: readonly string[]): boolean {
  const isGlobal = (each: string) => each === '--json' || each === '--no-color';
  const rest = args.filter((each) => !isGlobal(each));
  return rest.length === 0 || (rest.length === 1 && topics.includes(rest[0] ?? ''));
}

function missingCommand(): JobrecError {
  return new JobrecError('INVALID_ARGUMENT', 'missing command', { hint: 'jobrec --help lists the commands' });
}

/** Global flags may stand before the command; oclif wants the command first, which may be two words. */
function commandFirst(argv: readonly string[]): string[] {
  const isGlobal = (each: string) => each === '--json' || each === '--no-color';
  const command = argv.findIndex((each) => !isGlobal(each));
  if (command <= 0) return [...argv];
  const rest = argv.slice(command);
  const words = rest.findIndex((each) => each.startsWith('-'));
  const end = words === -1 ? rest.length : words;
  return [...rest.slice(0, end), ...argv.slice(0, command), ...rest.slice(end)];
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

function packageRoot(): string {
  return dirname(dirname(fileURLToPath(import.meta.url)));
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}
