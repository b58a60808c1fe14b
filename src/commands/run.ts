// jobrec run: runs a job file, or resumes the run of it that has not ended. Spec: docs/commands.md "run".
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type ArgsOf, BaseCommand, type FlagsOf } from '../cli/base-command.ts';
import { exitCodeOfRun, exitCodes } from '../cli/exit-codes.ts';
import { configPairs, wholeNumber } from '../cli/flag-values.ts';
import { homeFlag, homeFolder } from '../cli/flags.ts';
import { createProgress } from '../cli/progress.ts';
import type { RunOptions } from '../services/run-report.ts';

export class RunCommand extends BaseCommand<typeof RunCommand> {
  static override summary = 'Run a job file, or resume its last run where that has not ended.';
  static override description =
    'Every step is recorded in the store of the job, so that the same command goes on after a crash of any process, or of all of them: finished tasks whose results are whole are kept. Ctrl-C suspends the job and prints the line that resumes it.';
  static override examples = [
    { description: 'Run a job (and the same line again to resume it)', command: '<%= config.bin %> run job.yaml' },
    { description: 'What would run, and how rows move', command: '<%= config.bin %> run job.yaml --dry-run' },
    {
      description: 'Two workers of four slots, no retries',
      command: '<%= config.bin %> run job.yaml --workers 2 --slots 4 -D restart-strategy.type=none',
    },
    {
      description: 'Go on from a savepoint, with twice the tasks',
      command:
        '<%= config.bin %> run job.yaml --from-savepoint savepoints/savepoint-4f1a0c-90b1d2e3f4a5 -D parallelism.default=2',
    },
    { description: 'A job file made by another program', command: '$ make-job | <%= config.bin %> run -' },
  ];
  static override args = {
    'job-file': Args.string({
      description: 'a job file, YAML or JSON (- for stdin)',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    define: Flags.string({
      char: 'D',
      helpValue: 'option=value',
      multiple: true,
      multipleNonGreedy: true,
      description: "A setting under Flink's name (repeatable); wins over the file's config.",
    }),
    home: homeFlag,
    workers: Flags.string({ helpValue: 'N', description: 'Number of TaskManager processes.' }),
    slots: Flags.string({ helpValue: 'N', description: 'Tasks that each of them runs at a time.' }),
    fresh: Flags.boolean({ description: 'Start over instead of resuming a run that has not ended.' }),
    'from-savepoint': Flags.string({
      helpValue: 'PATH',
      description: 'Begin from this savepoint or retained checkpoint, also of another job (streaming jobs).',
    }),
    'allow-non-restored-state': Flags.boolean({
      dependsOn: ['from-savepoint'],
      description: 'Leave state behind that no operator of the job takes.',
    }),
    'dry-run': Flags.boolean({ description: 'Print the planned vertices and exchanges; start nothing.' }),
  };

  override async run(): Promise<void> {
    const options = runOptions(this.flags, this.args);
    if (this.flags['dry-run']) await this.#plan(options);
    else await this.#run(options);
  }

  async #plan(options: RunOptions): Promise<void> {
    const { planDryRun } = await import('../services/dry-run.ts');
    const { renderDryRun } = await import('../render/dry-run.ts');
    await this.finish(await planDryRun(options), renderDryRun, exitCodes.done);
  }

  async #run(options: RunOptions): Promise<void> {
    const { runJob } = await import('../services/run.ts');
    const { renderRun } = await import('../render/run.ts');
    const progress = await createProgress(this.out);
    try {
      const report = await runJob(options, progress);
      progress.stop();
      await this.finish(report, renderRun, exitCodeOfRun(report));
    } finally {
      progress.stop();
    }
  }
}

function runOptions(flags: FlagsOf<typeof RunCommand>, args: ArgsOf<typeof RunCommand>): RunOptions {
  return {
    jobFile: args['job-file'],
    home: homeFolder(flags.home),
    workers: wholeNumber('--workers', flags.workers, 1),
    slots: wholeNumber('--slots', flags.slots, 1),
    config: configPairs('-D', flags.define),
    fresh: flags.fresh,
    fromSavepoint: flags['from-savepoint'] === undefined ? null : resolve(flags['from-savepoint']),
    allowNonRestoredState: Boolean(flags['allow-non-restored-state']),
  };
}
