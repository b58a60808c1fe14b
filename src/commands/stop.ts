// jobrec stop: ends a streaming job with a savepoint. Spec: docs/commands.md "stop".
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { homeFlag, homeFolder } from '../cli/flags.ts';

export class StopCommand extends BaseCommand<typeof StopCommand> {
  static override summary = 'Stop a running streaming job with a savepoint, from which it can go on later.';
  static override description =
    'No row leaves the job between the savepoint and its end. The job is FINISHED. Where the savepoint fails, the job goes on.';
  static override examples = [
    { description: 'Stop, to go on later', command: '<%= config.bin %> stop word-count --savepoint-path savepoints' },
    {
      description: 'End it for good: open windows give their results first',
      command: '<%= config.bin %> stop visits --drain --savepoint-path savepoints',
    },
  ];
  static override args = {
    job: Args.string({ description: "a job's name or id", required: true, ignoreStdin: true }),
  };
  static override flags = {
    home: homeFlag,
    'savepoint-path': Flags.string({
      helpValue: 'DIR',
      description: 'Folder below which the savepoint is made (default: execution.checkpointing.savepoint-dir).',
    }),
    drain: Flags.boolean({ description: 'Let the watermark pass everything first: open windows give their results.' }),
  };

  override async run(): Promise<void> {
    const { takeSavepoint } = await import('../services/savepoint.ts');
    const { renderSavepoint } = await import('../render/savepoint.ts');
    const { drain, 'savepoint-path': path } = this.flags;
    const folder = path === undefined ? null : resolve(path);
    const purpose = drain ? 'drain' : 'stop';
    const report = await takeSavepoint({ home: homeFolder(this.flags.home), job: this.args.job, folder, purpose });
    await this.finish(report, renderSavepoint, report.failure ? exitCodes.jobFailed : exitCodes.done);
  }
}
