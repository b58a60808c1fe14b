// What the demo says and how: headings, lines, commands with their output, one live line on a terminal (ora). Without a
// terminal, or with NO_COLOR, the same words as plain lines. Everything goes to stdout.
import type { Ora } from 'ora';
import { createStyle, type Style } from '../../src/render/style.ts';

export class Terminal {
  readonly style: Style;
  readonly isInteractive: boolean;
  #spinner: Ora | null = null;
  #chapter = 0;

  constructor() {
    const { NO_COLOR, TERM } = process.env;
    this.isInteractive = process.stdout.isTTY === true && TERM !== 'dumb';
    const color = this.isInteractive && (NO_COLOR === undefined || NO_COLOR === '');
    this.style = createStyle({ color, width: process.stdout.columns ?? 100 });
  }

  /** Starts a numbered part of the story. */
  chapter(title: string): void {
    this.#chapter += 1;
    this.line(`\n${this.style.title(`${this.#chapter}. ${title}`)}\n`);
  }

  line(text: string): void {
    this.#spinner?.clear();
    process.stdout.write(`${text}\n`);
  }

  /** A command as the user would type it, and what it printed. */
  command(commandLine: string, output: string): void {
    this.line(this.style.title(`$ ${commandLine}`));
    for (const line of output.trimEnd().split('\n')) this.line(`  ${line}`);
    this.line('');
  }

  /** One line that changes in place; nothing without a terminal. */
  async live(text: string): Promise<void> {
    if (!this.isInteractive) return;
    if (this.#spinner === null) {
      const { default: ora } = await import('ora');
      this.#spinner ??= ora({ stream: process.stdout, discardStdin: false, color: this.style.color ? 'cyan' : false });
    }
    this.#spinner.text = text;
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  /** Takes the live line away. */
  still(): void {
    this.#spinner?.stop();
    this.#spinner = null;
  }
}
