// oclif's complaints about a command line, put into one line that says what is allowed (exit 2). oclif's own texts
// run over several lines and, with --json, would dump the parser's whole state.
import { Errors } from '@oclif/core';
import { closest, distance } from 'fastest-levenshtein';
import { JobrecError, messageOf } from '../model/errors.ts';

/** What a command accepts. */
export interface CommandShape {
  readonly id: string;
  readonly flags: Readonly<Record<string, { readonly char?: string; readonly hidden?: boolean }>>;
  readonly args: Readonly<Record<string, { readonly required?: boolean; readonly description?: string }>>;
}

/** The error to show instead of `error`, which a command's parser threw; other errors are given back as they are. */
export function usageErrorOf(error: unknown, shape: CommandShape): unknown {
  if (!(error instanceof Errors.CLIError)) return error;
  const flags = 'flags' in error ? stringsOf(error.flags) : [];
  if (flags.length > 0) return unknownFlag(flags[0] ?? '', shape);
  const extra = 'args' in error ? stringsOf(error.args) : [];
  if (extra.length > 0) return unexpectedArgument(extra[0] ?? '', shape);
  if ('args' in error) return missingArgument(shape);
  return new JobrecError('INVALID_FLAG', `${shape.id}: ${plain(error)}`);
}

/** The known name nearest to a misspelt one; null where none is near. */
export function nearest(text: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const candidate = closest(text, known);
  return distance(text, candidate) <= Math.max(2, Math.floor(candidate.length / 3)) ? candidate : null;
}

/** `words`: what was typed for a command; of a topic, its commands are what is allowed. */
export function unknownCommand(words: readonly string[], commandIds: readonly string[]): JobrecError {
  const known = commandIds.filter((id) => id !== 'help').map(spoken);
  const [first = ''] = words;
  // A command that takes no arguments: oclif looks for a command in a topic of its name.
  const [, extra] = words;
  if (known.includes(first) && extra !== undefined)
    return unexpectedArgument(extra, { id: first, flags: {}, args: {} });
  const ofTopic = known.filter((name) => name.startsWith(`${first} `));
  const argument = ofTopic.length === 0 ? first : words.slice(0, 2).join(' ');
  const allowed = ofTopic.length === 0 ? known : ofTopic;
  const near = nearest(argument, allowed);
  const message = `unknown command "${argument}"${didYouMean(near)}; allowed: ${allowed.join(', ')}`;
  return new JobrecError('INVALID_ARGUMENT', message, { data: { argument, nearest: near, allowed } });
}

/** A command as it is typed: `checkpoint inspect`. */
export function spoken(commandId: string): string {
  return commandId.replaceAll(':', ' ');
}

function unknownFlag(flag: string, shape: CommandShape): JobrecError {
  const name = flag.split('=')[0] ?? flag;
  const allowed = flagNames(shape);
  const near = nearest(name, allowed);
  const message = `${shape.id}: unknown flag ${name}${didYouMean(near)}; allowed: ${allowed.join(', ')}`;
  return new JobrecError('INVALID_FLAG', message, { data: { flag: name, nearest: near, allowed } });
}

function unexpectedArgument(argument: string, shape: CommandShape): JobrecError {
  const message = `${shape.id}: unexpected argument "${argument}"; allowed: ${usage(shape)}`;
  return new JobrecError('INVALID_ARGUMENT', message, { data: { argument } });
}

function missingArgument(shape: CommandShape): JobrecError {
  const [name, spec] = Object.entries(shape.args)[0] ?? ['argument', {}];
  const message = `${shape.id}: missing <${name}>${spec.description === undefined ? '' : `: ${spec.description}`}`;
  return new JobrecError('INVALID_ARGUMENT', `${message}; usage: ${usage(shape)}`, { data: { missing: name } });
}

function usage(shape: CommandShape): string {
  const args = Object.keys(shape.args).map((name) => `<${name}>`);
  return ['jobrec', shape.id, ...args, '[flags]'].join(' ');
}

function flagNames(shape: CommandShape): string[] {
  const shown = Object.entries(shape.flags).filter(([, flag]) => flag.hidden !== true);
  return [...shown.flatMap(([name, flag]) => (flag.char ? [`--${name}`, `-${flag.char}`] : [`--${name}`])), '--help'];
}

function didYouMean(near: string | null): string {
  return near === null ? '' : `, did you mean ${near}?`;
}

function plain(error: Error): string {
  return messageOf(error)
    .replace(/\s*See more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '');
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
