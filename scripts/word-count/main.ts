// The word count of examples/word-count, fed and watched: three words, a checkpoint, two more and the word ERROR, which no
// attempt can process. Says what the job printed and checks it row by row: the restarts print again what came behind the
// checkpoint, and then the restart strategy ends the job. Exit code 1 where a row differs.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Terminal } from '../demo/terminal.ts';
import { kafkaFeed, logFeed, type WordFeed } from './words.ts';

/** The checkout; this module is bundled to build/scripts/word-count/. */
const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(checkout, 'build/word-count');
const attempts = 3;
const stepTimeoutMs = 120_000;
// The example's 30 s and 10 s would make this a story of minutes.
const faster = ['execution.checkpointing.interval=1 s', 'restart-strategy.fixed-delay.delay=1 s'];

const before = ['a', 'b', 'a'];
const behind = ['a', 'c', 'ERROR'];
const counts = ['(a,1)', '(b,1)', '(a,2)', '(a,3)', '(c,1)'];
const expected = [...counts, ...Array.from({ length: attempts }, () => counts.slice(before.length)).flat()];

class WordCount {
  readonly #terminal = new Terminal();
  readonly #printed: string[] = [];
  #job: ChildProcess | null = null;

  async play(feed: WordFeed): Promise<number> {
    await this.#prepare(feed);
    const job = this.#start();
    const ended = new Promise<number | null>((resolve) => void job.once('close', resolve));
    // The job is at its place in the stream when its first checkpoint is complete.
    await this.#nextCheckpoint(1);
    await this.#feed(feed, before);
    await this.#until(() => this.#printed.length === before.length);
    await this.#nextCheckpoint(2);
    await this.#feed(feed, behind);
    const code = await ended;
    return this.#conclude(code);
  }

  abandon(): void {
    this.#job?.kill('SIGTERM');
  }

  async #prepare(feed: WordFeed): Promise<void> {
    const example = join(checkout, 'examples/word-count');
    await rm(folder, { recursive: true, force: true });
    await mkdir(join(folder, 'data/words'), { recursive: true });
    await copyFile(join(example, 'word-count.ts'), join(folder, 'word-count.ts'));
    const text = await readFile(join(example, 'job.yaml'), 'utf8');
    await writeFile(
      join(folder, 'job.yaml'),
      text.replace('log: data/words', () => feed.source),
    );
    this.#terminal.chapter(`Counting words from ${feed.source}`);
  }

  #start(): ChildProcess {
    const options = faster.flatMap((option) => ['-D', option]);
    const args = ['run', 'job.yaml', ...options];
    this.#terminal.prompt(`jobrec ${args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' ')}`);
    const job = spawn(process.execPath, [join(checkout, 'bin/run.js'), ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#job = job;
    eachLine(job, 'stdout', (line) => this.#said(line));
    eachLine(job, 'stderr', (line) => this.#terminal.line(`  ${line}`));
    return job;
  }

  #said(line: string): void {
    this.#terminal.line(`  ${line}`);
    if (!line.startsWith('{')) return;
    const { word, frequency } = JSON.parse(line) as { word: string; frequency: number };
    this.#printed.push(`(${word},${frequency})`);
  }

  async #feed(feed: WordFeed, words: readonly string[]): Promise<void> {
    this.#terminal.line(`  → ${words.join(', ')}`);
    await feed.append(words);
  }

  /** Waits for `count` checkpoints more: the second has begun after now. */
  async #nextCheckpoint(count: number): Promise<void> {
    const wanted = (await checkpoints()) + count;
    await this.#until(async () => (await checkpoints()) >= wanted);
    this.#terminal.line('  → a checkpoint is complete');
  }

  async #until(holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = performance.now() + stepTimeoutMs;
    while (!(await holds())) {
      if (this.#job?.exitCode !== null) throw new Error('the job ended too early');
      if (performance.now() > deadline) throw new Error(`nothing happened for ${stepTimeoutMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #conclude(code: number | null): number {
    const { style } = this.#terminal;
    const isRight = this.#printed.join(' ') === expected.join(' ') && code === 7;
    this.#terminal.line(`\n  printed   ${this.#printed.join(' ')}`);
    this.#terminal.line(`  expected  ${expected.join(' ')}, then FAILED (exit code 7)`);
    this.#terminal.line(isRight ? style.good('  the same, row by row') : style.bad(`  DIFFERENT (exit code ${code})`));
    return isRight ? 0 : 1;
  }
}

/** Complete checkpoints of the only job. */
async function checkpoints(): Promise<number> {
  const args = ['bin/run.js', 'inspect', join(folder, '.jobrec'), '--json'];
  const inspect = spawn(process.execPath, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  inspect.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => inspect.once('close', resolve));
  const report = JSON.parse(text) as { byType?: Readonly<Record<string, number>> };
  return report.byType?.['checkpoint-completed'] ?? 0;
}

function eachLine(job: ChildProcess, stream: 'stdout' | 'stderr', said: (line: string) => void): void {
  let rest = '';
  job[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) said(line);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kafka: { type: 'string' } } });
  const feed = values.kafka === undefined ? logFeed(join(folder, 'data/words/0.jsonl')) : await kafkaFeed(values.kafka);
  const story = new WordCount();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => story.abandon());
  try {
    process.exitCode = await story.play(feed);
  } catch (error) {
    story.abandon();
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    await feed.close();
  }
}

await main();
