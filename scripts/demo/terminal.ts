// What the demo says and how: headings, lines, commands with their output, one live line on a terminal (ora). Without a
// terminal, or with NO_COLOR, the same words as plain lines. Everything goes to stdout.
import type { Ora } from 'ora';
import { createStyle, type Style } from '../../src/render/style.ts';

export class Terminal {
  readonly style: Style;
  readonly isInteractive: boolean;
  #spinner: Ora | null = null;
  #chapter = 0;
  #isMuted = false;

  constructor() {
    const { NO_COLOR, TERM } = process.env;
    this.isInteractive = process.stdout.isTTY === true && TERM !== 'dumb';
    const color = this.isInteractive && (NO_COLOR === undefined || NO_COLOR === '');
    this.style = createStyle({ color, width: process.stdout.columns ?? 100 });
  }

  /** Starts a numbered part of the story. */
  chapter(title: string): void {
    this.#chapter += 1;
    const head = `── ${this.#chapter}. ${title} `;
    const rule = this.style.quiet('─'.repeat(Math.max(2, Math.min(this.style.width, 100) - head.length)));
    this.line(`\n${this.style.title(head)}${rule}\n`);
  }

  line(text: string): void {
    if (this.#isMuted) return;
    this.#spinner?.clear();
    process.stdout.write(`${text}\n`);
  }

  prompt(commandLine: string): void {
    this.line(`${this.style.good('$')} ${this.style.title(commandLine)}`);
  }

  /** A command as the user would type it, and what it printed. */
  command(commandLine: string, output: string): void {
    this.prompt(commandLine);
    this.block(output);
    this.line('');
  }

  /** Indented, as something that another program said. */
  block(output: string): void {
    for (const line of output.trimEnd().split('\n')) this.line(`  ${line}`.trimEnd());
  }

  /** One line that changes in place; nothing without a terminal. */
  async live(text: string): Promise<void> {
    if (!this.isInteractive || this.#isMuted) return;
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

  /** Says nothing from now on: the demo is being ended. */
  mute(): void {
    this.still();
    this.#isMuted = true;
  }
}
