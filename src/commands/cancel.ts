// jobrec cancel: ends a job for good. Spec: docs/commands.md "cancel".
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { homeFlag, homeFolder } from '../cli/flags.ts';

export class CancelCommand extends BaseCommand<typeof CancelCommand> {
  static override summary = 'End a job for good: its tasks stop, its staged output goes, its record stays.';
  static override description = 'To stop a job and go on later, interrupt its run (Ctrl-C) instead.';
  static override examples = [
    { description: 'By name', command: '<%= config.bin %> cancel delays-by-carrier' },
    {
      description: 'A streaming job, with a savepoint before it ends',
      command: '<%= config.bin %> cancel word-count --with-savepoint savepoints',
    },
  ];
  static override args = {
    job: Args.string({ description: "a job's name or id", required: true, ignoreStdin: true }),
  };
  static override flags = {
    home: homeFlag,
    'with-savepoint': Flags.string({
      helpValue: 'DIR',
      description: 'Take a savepoint below DIR first (streaming jobs); where that fails the job goes on.',
    }),
  };

  override async run(): Promise<void> {
    const { cancelJob } = await import('../services/cancel.ts');
    const { renderCancel } = await import('../render/jobs.ts');
    const path = this.flags['with-savepoint'];
    const savepointFolder = path === undefined ? null : resolve(path);
    const report = await cancelJob({ home: homeFolder(this.flags.home), job: this.args.job, savepointFolder });
    await this.finish(report, renderCancel, report.failure ? exitCodes.jobFailed : exitCodes.done);
  }
}
