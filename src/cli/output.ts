// Where everything that jobrec says goes: data to stdout, the rest to stderr. Writes wait for a slow reader, and a
// reader that went away (EPIPE) ends the command quietly; any other failure to write is an error (exit 8). With --json
// stdout holds exactly one document, or one object per line; nothing else. Spec: docs/commands.md "Conventions".
import type { Writable } from 'node:stream';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { Style } from '../render/style.ts';
import { createStyle } from '../render/style.ts';
import { refusalOf } from './error-report.ts';
import { toJsonDocument, toJsonLine } from './json.ts';

/** Thrown to unwind a command whose reader has closed stdout: an end, not an error. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

const lineBufferBytes = 64 * 1024;

export interface OutputStreams {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class Output {
  readonly json: boolean;
  readonly style: Style;
  /** For stderr, which may be a terminal while stdout is a pipe. */
  readonly noteStyle: Style;
  readonly #streams: OutputStreams;
  #pendingLines = '';

  constructor(streams: OutputStreams, options: { readonly json: boolean; readonly noColor: boolean }) {
    this.#streams = streams;
    this.json = options.json;
    const mayColor = !options.noColor && !isSet(streams.env.NO_COLOR) && streams.env.TERM !== 'dumb';
    this.style = createStyle({
      color: mayColor && !options.json && isTerminal(streams.stdout),
      width: widthOf(streams),
    });
    this.noteStyle = createStyle({ color: mayColor && isTerminal(streams.stderr), width: widthOf(streams) });
  }

  /** Whether a person at a terminal started this, also where the answer goes to a file. */
  get isInteractive(): boolean {
    return isTerminal(this.#streams.stdout) || isTerminal(this.#streams.stderr);
  }

  /** A report: one JSON document with --json, else its text. */
  async report<Report extends object>(report: Report, render: (report: Report, style: Style) => string): Promise<void> {
    if (this.json) await this.#write(`${toJsonDocument({ schemaVersion: 1, ...report })}\n`);
    else await this.#write(withNewline(render(report, this.style)));
  }

  /** One object of an unbounded list (NDJSON). Call flush() at its end. */
  async line(object: object): Promise<void> {
    await this.textLine(toJsonLine(object));
  }

  /** One line of an unbounded list for people. Call flush() at its end. */
  async textLine(text: string): Promise<void> {
    this.#pendingLines += `${text}\n`;
    if (this.#pendingLines.length >= lineBufferBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const pending = this.#pendingLines;
    this.#pendingLines = '';
    if (pending !== '') await this.#write(pending);
  }

  /** A hint or progress: stderr, also with --json. */
  note(text: string): void {
    this.#streams.stderr.write(`${text}\n`);
  }

  /** A warning, marked as one. */
  warn(text: string): void {
    this.note(`${this.noteStyle.warn('warning')}: ${text}`);
  }

  async #write(text: string): Promise<void> {
    const { stdout } = this.#streams;
    if (stdout.destroyed || stdout.writableEnded) throw new OutputClosed();
    await new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => (error ? reject(closedOr(error)) : resolve()));
    });
  }
}

function closedOr(error: Error): Error {
  return isClosedPipe(error) ? new OutputClosed() : outputFailed(error);
}

/** The reader went away. */
export function isClosedPipe(error: Error): boolean {
  const code = 'code' in error ? error.code : null;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** What cannot be written, to a full disk behind stdout for one, is no answer of the command. */
export function outputFailed(error: Error): JobrecError {
  const message = `stdout cannot be written: ${refusalOf(error) ?? messageOf(error)}`;
  return new JobrecError('OUTPUT_FAILED', message, {
    data: { errno: 'code' in error ? String(error.code) : null },
    hint: 'what was done stands, but its answer is not whole: make room for it',
    cause: error,
  });
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function isTerminal(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

function widthOf(streams: OutputStreams): number {
  return isTerminal(streams.stdout) ? Math.max(streams.stdout.columns ?? 80, 60) : 120;
}
