// Shows how a run is getting on, on stderr: one live line (ora) on a terminal, else plain lines, each said once. Says
// nothing but notices with --json. Implements RunProgress, so that the run service knows no terminal.
import type { Ora } from 'ora';
import { JobrecError } from '../model/errors.ts';
import type { JobState } from '../model/states.ts';
import { renderNotice, renderProgress, renderStatus } from '../render/progress.ts';
import type { RunProgress, VertexProgress } from '../services/run-report.ts';
import type { Output } from './output.ts';

export interface ProgressView extends RunProgress {
  /** Takes the live line away; call it before anything else is printed. */
  stop(): void;
}

/** The view that fits `out`: ora is loaded only where there is a terminal to show it. */
export async function createProgress(out: Output): Promise<ProgressView> {
  if (out.json) return new NoticesOnly(out);
  if (process.stderr.isTTY !== true) return new PlainProgress(out);
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, discardStdin: false, hideCursor: true });
  return new LiveProgress(out, spinner);
}

class NoticesOnly implements ProgressView {
  protected readonly out: Output;

  constructor(out: Output) {
    this.out = out;
  }

  status(_state: JobState, _reason: string | null): void {}

  vertices(_vertices: readonly VertexProgress[]): void {}

  notice(message: string): void {
    this.out.note(renderNotice(message, this.out.noteStyle));
  }

  /** Data on stdout; with --json that is the report's alone. */
  async rows(lines: readonly string[]): Promise<void> {
    if (this.out.json) return this.out.note(lines.join('\n'));
    await printRows(this.out, lines);
  }

  stop(): void {}
}

class PlainProgress extends NoticesOnly {
  readonly #finishedVertices = new Set<string>();

  override status(state: JobState, reason: string | null): void {
    this.out.note(renderStatus(state, reason, this.out.noteStyle));
  }

  /** One line a vertex, when its last task has finished. */
  override vertices(vertices: readonly VertexProgress[]): void {
    for (const vertex of vertices) {
      if (vertex.finished !== vertex.parallelism) this.#finishedVertices.delete(vertex.name);
      else if (!this.#finishedVertices.has(vertex.name)) this.#announce(vertex);
    }
  }

  #announce(vertex: VertexProgress): void {
    this.#finishedVertices.add(vertex.name);
    this.out.note(`finished ${vertex.name} (${vertex.finished}/${vertex.parallelism})`);
  }
}

class LiveProgress implements ProgressView {
  readonly #out: Output;
  readonly #spinner: Ora;
  #state: JobState = 'CREATED';
  #vertices: readonly VertexProgress[] = [];

  constructor(out: Output, spinner: Ora) {
    this.#out = out;
    this.#spinner = spinner;
  }

  status(state: JobState, reason: string | null): void {
    if (state !== this.#state || reason !== null) this.#above(renderStatus(state, reason, this.#out.noteStyle));
    this.#state = state;
    this.#draw();
  }

  vertices(vertices: readonly VertexProgress[]): void {
    this.#vertices = vertices;
    this.#draw();
  }

  notice(message: string): void {
    this.#above(renderNotice(message, this.#out.noteStyle));
    this.#draw();
  }

  async rows(lines: readonly string[]): Promise<void> {
    this.#spinner.clear();
    await printRows(this.#out, lines);
    this.#draw();
  }

  stop(): void {
    this.#spinner.stop();
  }

  #draw(): void {
    this.#spinner.text = renderProgress(this.#state, this.#vertices, process.stderr.columns ?? 80);
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  /** Prints a line that stays, above the live one. */
  #above(line: string): void {
    this.#spinner.clear();
    this.#out.note(line);
  }
}

/** Where rows cannot be shown the client ends, and the job does not. */
async function printRows(out: Output, lines: readonly string[]): Promise<void> {
  try {
    for (const line of lines) await out.textLine(line);
    await out.flush();
  } catch (error) {
    if (!(error instanceof JobrecError)) throw error;
    const hint = 'a job that has not ended goes on without this client; the same command attaches to it';
    throw new JobrecError(error.code, error.message, { data: error.data, hint, cause: error });
  }
}
