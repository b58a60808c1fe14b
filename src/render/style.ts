// How text is dressed: colours by meaning (never by hue at the call site), off without a terminal, with NO_COLOR and
// with --no-color. Everything that a colour says is also said in words.
import { styleText } from 'node:util';

export interface Style {
  readonly color: boolean;
  /** Columns of the terminal; without one, wide enough that nothing is cut. */
  readonly width: number;
  title(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  /** What may be skipped at a first glance. */
  quiet(text: string): string;
}

type Format = Parameters<typeof styleText>[0];

export function createStyle(options: { readonly color: boolean; readonly width: number }): Style {
  const dress = (format: Format) => (text: string) => (options.color ? styleText(format, text) : text);
  return {
    ...options,
    title: dress('bold'),
    good: dress('green'),
    warn: dress('yellow'),
    bad: dress(['bold', 'red']),
    quiet: dress('dim'),
  };
}
