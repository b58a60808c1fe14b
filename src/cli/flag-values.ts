// Turns flag texts into values, each refusal one line that says what is allowed (INVALID_FLAG, exit 2). oclif hands
// over strings only: its own parsers would wrap these lines in several of its own.
import { JobrecError } from '../model/errors.ts';

/** A whole number of at least `min`; null where the flag is absent. */
export function wholeNumber(flag: string, text: string | undefined, min: number): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw invalidFlag(flag, text, `a whole number of ${min} or more`);
}

/** `a,b,c`, without empty parts; null where the flag is absent. */
export function commaList(flag: string, text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) throw invalidFlag(flag, text, 'names separated by commas');
  return parts;
}

/** As `commaList`, but an empty text names nobody, which is an answer as well. */
export function commaListOrNone(flag: string, text: string): readonly string[] {
  return text.trim() === '' ? [] : (commaList(flag, text) ?? []);
}

/** `option=value` pairs; the last one of a name wins. */
export function configPairs(flag: string, texts: readonly string[] | undefined): Readonly<Record<string, string>> {
  const pairs = (texts ?? []).map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw invalidFlag(flag, text, 'option=value, e.g. restart-strategy.type=none');
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}

/** `FROM=TO`, both given; the first = separates them, so that FROM holds none. */
export function pathMap(flag: string, text: string): { readonly from: string; readonly to: string } {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { from: text.slice(0, at), to: text.slice(at + 1) };
  throw invalidFlag(flag, text, 'FROM=TO, e.g. hdfs://namenode:8020/flink=/backup/flink');
}

export function invalidFlag(flag: string, text: string, allowed: string): JobrecError {
  return new JobrecError('INVALID_FLAG', `${flag}: "${text}" is not allowed; allowed: ${allowed}`, {
    data: { flag, value: text, allowed },
  });
}
