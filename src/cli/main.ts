// The process: hands the command line to oclif, and is the one place where anything thrown becomes output and an exit
// code. Owns process.exitCode; leaves with both streams flushed.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@oclif/core';
import { JobrecError } from '../model/errors.ts';
import { type ErrorOutcome, errorDocument, errorLine, outcomeOfError } from './error-report.ts';
import { toJsonLine } from './json.ts';
import { isClosedPipe, OutputClosed, outputFailed } from './output.ts';
import { unknownCommand } from './usage-errors.ts';

export { JobrecHelp } from './help.ts';

/** First words of commands of two words. */
const topics: readonly string[] = ['checkpoint'];

/** Runs one command line (without node and script) and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // oclif's own listeners throw what is not a closed pipe, which nobody could catch.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  process.stdout.on('error', noteFailure);
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
  const args = commandFirst(argv);
  // What is thrown outside of the command's own promise, in a timer or by a socket.
  process.once('uncaughtException', (error) => void leaveWith(error, args).then(leave));
  try {
    const isIncomplete = lacksCommand(args);
    if (!(isIncomplete && wantsJson(args))) await run(args, { root: packageRoot() });
    if (isIncomplete) throw missingCommand();
  } catch (error) {
    await leaveWith(error, args);
  }
  await leave();
}

/** Why stdout cannot be written, where it cannot: nothing more is written to it then. */
let stdoutFailure: Error | null = null;

function noteFailure(error: Error): void {
  if (!isClosedPipe(error)) stdoutFailure ??= error;
}

/** Ends the process; what is still open does not keep it. */
async function leave(): Promise<never> {
  await drained(process.stdout);
  // Help and the version are written by oclif, which does not look.
  if (stdoutFailure !== null && !process.exitCode) await leaveWith(outputFailed(stdoutFailure), []);
  await drained(process.stderr);
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
  const isSaid = wantsJson(args) && (await isWritten(`${toJsonLine(errorDocument(outcome.report))}\n`));
  if (!isSaid) process.stderr.write(`${errorLine(outcome.report)}\n`);
  showStack(outcome);
}

/** Whether stdout took it. An error keeps its exit code where it did not, and is told on stderr. */
function isWritten(text: string): Promise<boolean> {
  if (isOver(process.stdout)) return Promise.resolve(false);
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}

function isOver(stream: NodeJS.WriteStream): boolean {
  return stream.destroyed || stream.writableEnded || (stream === process.stdout && stdoutFailure !== null);
}

function showStack(outcome: ErrorOutcome): void {
  if (outcome.stack === null || !process.env.JOBREC_DEBUG) return;
  process.stderr.write(`${outcome.stack}\n`);
}

/** Nothing but global flags, or a topic alone: without --json that shows help, too. */
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

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (isOver(stream)) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}
