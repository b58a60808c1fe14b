// The demo's story: run a real job, kill its JobMaster half-way and lose a result with it, ask what a recovery would
// do, let it happen, compare; then check the answer and look at the store that is left. Ends with exit code 1 where
// the prediction, the answer or the job's end is not what it should be.
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { table } from '../../src/render/table.ts';
import { counted, cut, duration } from '../../src/render/text.ts';
import type { DiffReport } from '../../src/services/diff-report.ts';
import { readAnswers } from './answer.ts';
import { checkout, home, JobRun, jobFile, jobrec, kill, pause } from './job-run.ts';
import { losePartition } from './lose-partition.ts';
import { compare, outcomeOf } from './prediction.ts';
import { progressOf, type Recorded, readRecorded, recoveryOf, statesOf, taskMap } from './recorded.ts';
import { Terminal } from './terminal.ts';

const pollIntervalMs = 3;
const worstShown = 10;

class Demo {
  readonly #terminal = new Terminal();
  #run: JobRun | null = null;
  #failures = 0;

  async play(): Promise<number> {
    const startedMs = performance.now();
    await rm(join(checkout, home), { recursive: true, force: true });
    await this.#showPlan();
    const run = this.#start();
    const { diff, atMs } = await this.#kill(run);
    await this.#recover(run, atMs);
    const recorded = await this.#compare(run, diff);
    await this.#checkAnswer(recorded);
    await this.#lookAtStore(recorded);
    this.#conclude(performance.now() - startedMs);
    return this.#failures === 0 ? 0 : 1;
  }

  /** Leaves nothing running behind. */
  async abandon(): Promise<void> {
    this.#terminal.mute();
    await this.#run?.abandon();
  }

  async #showPlan(): Promise<void> {
    this.#terminal.chapter('The job: 3 million flights; which hour is the worst to leave each US state?');
    await this.#show(['run', jobFile, '--dry-run']);
  }

  #start(): JobRun {
    this.#terminal.chapter('Run it, as real processes: a client, a JobMaster, TaskManagers');
    this.#terminal.prompt(`jobrec run ${jobFile} --home ${home}`);
    this.#run = new JobRun(this.#terminal.style.color, (line) => this.#terminal.line(`  ${line}`));
    return this.#run;
  }

  async #kill(run: JobRun): Promise<{ diff: DiffReport; atMs: number }> {
    const { style } = this.#terminal;
    await this.#untilHalfDone(run);
    run.freezeClient();
    const processes = await run.processes();
    if (processes === null) throw new Error('the job had ended before it could be killed half-way: run the demo again');
    const { pid } = processes.jobMaster;
    kill(pid, 'SIGKILL');
    const atMs = performance.now();
    this.#terminal.still();
    const { graph } = await readRecorded(await run.folder());
    const { finished, total } = progressOf(graph);
    const workers = processes.taskManagers.map((worker) => `${worker.workerId} (${worker.pid})`).join(', ');
    this.#terminal.chapter(`Half-way, ${finished} of ${total} tasks finished: kill the JobMaster`);
    this.#terminal.line(`  tasks    ${taskMap(graph, 'all')}`);
    this.#terminal.line(
      `  ${style.bad('SIGKILL')}  JobMaster, process ${pid}; nothing could be saved at the last moment`,
    );
    this.#terminal.line(`  SIGSTOP  the client, so that nobody starts the next JobMaster yet`);
    this.#terminal.line(`  alive    TaskManagers ${workers}`);
    await this.#loseDisk(run, graph);
    this.#terminal.line(`\n  What would a recovery do now? The store and the workers' folders tell:\n`);
    return { diff: await this.#predict(), atMs };
  }

  async #untilHalfDone(run: JobRun): Promise<void> {
    for (;;) {
      const { graph } = await readRecorded(await run.folder());
      const { finished, total } = progressOf(graph);
      if (finished > 0 && finished * 2 >= total) return;
      await this.#terminal.live(this.#stateLine(graph));
      if (run.hasEnded) throw await this.#endedEarly(run);
      await pause(pollIntervalMs);
    }
  }

  async #endedEarly(run: JobRun): Promise<Error> {
    const { code, stdout, stderr } = await run.ended;
    return new Error(
      `the job ended (exit code ${code}) before half of its tasks were seen to finish\n${stdout}${stderr}`,
    );
  }

  async #loseDisk(run: JobRun, graph: Recorded['graph']): Promise<void> {
    const lost = await losePartition((await run.folder()) ?? '', graph);
    if (lost === null) throw new Error('no finished task had a result to lose');
    this.#terminal.line(
      `  ${this.#terminal.style.bad('lost')}     the result of ${lost.task} with its disk, so that something has to run again:`,
    );
    this.#terminal.line(this.#terminal.style.quiet(`           rm ${lost.files}`));
  }

  async #predict(): Promise<DiffReport> {
    const { stdout } = await jobrec(['diff', home, '--json'], false);
    await this.#show(['diff', home]);
    return JSON.parse(stdout) as DiffReport;
  }

  async #recover(run: JobRun, killedAtMs: number): Promise<void> {
    this.#terminal.chapter('Let the client go on: it starts the next JobMaster');
    const pausedMs = performance.now() - killedAtMs;
    const resumedMs = performance.now();
    run.thawClient();
    while (!run.hasEnded) {
      const { graph } = await readRecorded(await run.folder());
      await this.#terminal.live(this.#stateLine(graph));
      await Promise.race([run.ended, pause(20)]);
    }
    this.#terminal.still();
    const { code, stdout } = await run.ended;
    this.#check(code === 0, `the job ended with exit code ${code}`);
    this.#terminal.line('');
    this.#terminal.block(stdout);
    this.#terminal.line('');
    const { records } = await readRecorded(await run.folder());
    const states = statesOf(records, 2).map(({ state, afterMs }) => `${state} (+${duration(afterMs)})`);
    this.#terminal.line(`  The second JobMaster: ${states.join(' → ')}`);
    this.#terminal.line(
      this.#terminal.style.quiet(
        `  ${duration(performance.now() - resumedMs)} from the client's return to its end; it had been held for ${duration(pausedMs)}`,
      ),
    );
  }

  async #compare(run: JobRun, diff: DiffReport): Promise<Recorded> {
    this.#terminal.chapter("diff's prediction beside what really ran");
    const { style } = this.#terminal;
    const recorded = await readRecorded(await run.folder());
    const actual = outcomeOf(recorded.records, diff.at.sequence ?? -1);
    const comparison = compare(diff, actual);
    const columns = ['finished at the kill', 'predicted: kept', 'to rerun', 'really: kept', 'rerun'].map((title) => ({
      title,
    }));
    const rows = comparison.vertices.map(({ name, predicted, actual: real }) => [
      name,
      predicted.kept,
      predicted.rerun,
      real.kept,
      real.rerun,
    ]);
    this.#terminal.line(table(columns, rows, style));
    const { kept, rerun } = diff.summary;
    const said = recoveryOf(recorded.records, 2);
    const counts = said?.kept === actual.kept.size && said.rerun === actual.rerun.size;
    this.#check(comparison.isEqual && counts, 'the recovery did not do what diff had predicted');
    if (comparison.isEqual && counts) {
      this.#terminal.line(
        `\n  ${style.good('as predicted')}: ${counted(kept, 'finished task')} kept, ${rerun} run again`,
      );
    }
    return recorded;
  }

  async #checkAnswer({ graph }: Recorded): Promise<void> {
    this.#terminal.chapter("The answer, and DuckDB's own to the same question as a single query");
    const { style } = this.#terminal;
    const sink = graph.graph?.sinks[0]?.path ?? '';
    const { job, duckdb, differences } = await readAnswers(sink);
    const worst = [...job.rows].sort((left, right) => Number(right[3]) - Number(left[3])).slice(0, worstShown);
    const columns = job.columns.map(
      (title) => ({ title, align: /flights|hour|delay/.test(title) ? 'right' : 'left' }) as const,
    );
    this.#terminal.line(table(columns, worst, style));
    this.#terminal.line(
      style.quiet(`  … and ${job.rows.length - worst.length} more rows in ${relative(checkout, sink)}/`),
    );
    for (const difference of differences.slice(0, 5)) this.#terminal.line(`  ${difference}`);
    const isSame = differences.length === 0 && job.rows.length > 0;
    this.#check(isSame, `the job's answer differs from DuckDB's in ${differences.length} rows`);
    if (isSame)
      this.#terminal.line(`\n  ${style.good('the same')}: ${counted(duckdb.rows.length, 'row')}, equal one by one`);
  }

  async #lookAtStore({ graph }: Recorded): Promise<void> {
    this.#terminal.chapter('The flight record that is left: read it at any point');
    const lastVertex = [...graph.vertices.values()].find((vertex) => vertex.index === 1);
    await this.#show(['inspect', home]);
    await this.#show(['inspect', home, '--events', '--type', 'job-status-changed,worker-lost,recovery-completed']);
    await this.#show(['replay', home, '--until', `finished:${lastVertex?.name ?? ''}#0`]);
    await this.#show(['validate', home]);
  }

  #conclude(tookMs: number): void {
    const { style } = this.#terminal;
    const summary =
      this.#failures === 0 ? style.good('All of it held.') : style.bad(`${this.#failures} of the checks failed.`);
    this.#terminal.line(`${summary} ${duration(tookMs)}. The store stays in ${home}: try`);
    this.#terminal.line(`  node bin/run.js inspect ${home} --events`);
  }

  #stateLine(graph: Recorded['graph']): string {
    const { finished, total } = progressOf(graph);
    return cut(
      `${graph.state} ${finished}/${total} tasks  ${taskMap(graph, 'at-work')}`,
      this.#terminal.style.width - 4,
    );
  }

  async #show(args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await jobrec(args, this.#terminal.style.color);
    this.#terminal.command(`jobrec ${args.map(quoted).join(' ')}`, `${stderr}${stdout}`);
    this.#check(code === 0, `jobrec ${args[0]} ended with exit code ${code}`);
  }

  #check(holds: boolean, otherwise: string): void {
    if (holds) return;
    this.#failures += 1;
    this.#terminal.line(`  ${this.#terminal.style.bad('FAILED')}: ${otherwise}`);
  }
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

async function main(): Promise<void> {
  const demo = new Demo();
  endOnSignals(demo);
  try {
    process.exitCode = await demo.play();
  } catch (error) {
    await demo.abandon();
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** Not `once`: ora's own handler ends the process at once where it finds no other listener left. */
function endOnSignals(demo: Demo): void {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      void demo.abandon().finally(() => process.exit(codes[signal]));
    });
  }
}

await main();
