// `jobrec --help`: the commands by what one wants to do, a first session, and the exit codes; and the commands of a topic
// (`jobrec checkpoint --help`). Help of one command: command-help.ts.
import { Help, type Interfaces } from '@oclif/core';
import { JobrecCommandHelp } from './command-help.ts';
import { spoken, unknownCommand } from './usage-errors.ts';

const groups: readonly (readonly [string, readonly string[]])[] = [
  ['RUN A JOB', ['run', 'jobs', 'stop', 'cancel']],
  ['READ WHAT IT RECORDED', ['inspect', 'validate', 'replay', 'diff']],
  ['LOOK AFTER A STORE', ['compact']],
  ['CHECKPOINTS AND SAVEPOINTS', ['savepoint', 'checkpoint:inspect', 'checkpoint:diff', 'checkpoint:validate']],
  ['REAL FLINK', ['doctor']],
];

const firstSession: readonly (readonly [string, string])[] = [
  ['jobrec run job.yaml', 'run it; the same line resumes it after a crash'],
  ['jobrec jobs', 'what ran here, and where its events are'],
  ['jobrec inspect .jobrec', 'what the store holds'],
  ['jobrec replay .jobrec --until -10m', 'what the job looked like ten minutes before its last event'],
  ['jobrec diff .jobrec --lost-worker W', 'what would run again, and why, if worker W were gone'],
];

const exitCodeLines: readonly string[] = [
  '0 done · 1 a bug in jobrec · 2 usage · 3 done, and it found something · 4 data that cannot be read',
  '5 held by a live process · 6 format version · 7 the job failed · 8 stdout cannot be written',
  '129/130/143 interrupted, state kept',
];

export class JobrecHelp extends Help {
  protected override CommandHelpClass = JobrecCommandHelp;

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, { ...options, hideCommandSummaryInDescription: true, flagSortOrder: 'none' });
  }

  override async showHelp(argv: string[]): Promise<void> {
    const words = argv.filter((each) => !each.startsWith('-') && each !== 'help').flatMap((each) => each.split(':'));
    const [first] = words;
    const known = this.config.commandIDs;
    const isTopic = known.some((id) => id.startsWith(`${first}:`));
    if (isTopic && words.length === 1) return this.#showTopic(first ?? '');
    const id = isTopic ? words.slice(0, 2).join(':') : first;
    if (id !== undefined && !known.includes(id)) throw unknownCommand(words, known);
    await super.showHelp(id === undefined ? argv : [id]);
  }

  #showTopic(topic: string): void {
    const ids = this.sortedCommands.map((each) => each.id).filter((id) => id.startsWith(`${topic}:`));
    const usage = this.section('USAGE', `$ jobrec ${topic} COMMAND [ARGUMENT] [FLAGS]`);
    const more = `\`jobrec ${topic} COMMAND --help\` shows flags and examples.`;
    this.log([usage, this.section('COMMANDS', this.#list(ids)), more].join('\n\n'));
  }

  protected override async showRootHelp(): Promise<void> {
    const sections = [...groups.map(([title, ids]) => this.section(title, this.#list(ids))), ...this.#rest()];
    const intro = `${this.config.pjson.description ?? ''}\n`;
    const usage = this.section('USAGE', '$ jobrec COMMAND [ARGUMENT] [FLAGS]');
    const start = this.section('A FIRST SESSION', this.renderList(pairs(firstSession), listOptions));
    const codes = this.section('EXIT CODES', exitCodeLines.join('\n'));
    const more = '`jobrec COMMAND --help` shows flags and examples; every command takes --json.';
    this.log([intro, usage, ...sections, start, codes, more].join('\n\n').replace('\n\n\n', '\n\n'));
  }

  /** Commands that no group names, so that a new one is never hidden. */
  #rest(): string[] {
    const grouped = new Set(groups.flatMap(([, ids]) => ids));
    const rest = this.sortedCommands.map((each) => each.id).filter((id) => !grouped.has(id) && id !== 'help');
    return rest.length === 0 ? [] : [this.section('MORE', this.#list(rest))];
  }

  #list(ids: readonly string[]): string {
    const found = ids.flatMap((id) => this.sortedCommands.filter((each) => each.id === id));
    return this.renderList(
      found.map((each) => [spoken(each.id), this.summary(each) ?? '']),
      listOptions,
    );
  }
}

const listOptions = { indentation: 2, spacer: '\n' };

function pairs(rows: readonly (readonly [string, string])[]): [string, string | undefined][] {
  return rows.map(([left, right]) => [left, right]);
}
