// jobrec savepoint: takes a savepoint of a running streaming job. Spec: docs/commands.md "savepoint".
import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { homeFlag, homeFolder } from '../cli/flags.ts';

export class SavepointCommand extends BaseCommand<typeof SavepointCommand> {
  static override summary = 'Take a savepoint of a running streaming job: a copy of its state that is yours.';
  static override description =
    'The job goes on. No job ever deletes a savepoint; run --from-savepoint begins from it, also with another parallelism or changed code.';
  static override examples = [
    { description: 'Below a folder of your choice', command: '<%= config.bin %> savepoint word-count savepoints' },
    {
      description: 'Below execution.checkpointing.savepoint-dir, the path alone',
      command: '<%= config.bin %> savepoint word-count --json | jq -r .path',
    },
  ];
  static override args = {
    job: Args.string({ description: "a job's name or id", required: true, ignoreStdin: true }),
    dir: Args.string({
      description: 'folder below which it is made (default: execution.checkpointing.savepoint-dir of the job)',
      ignoreStdin: true,
    }),
  };
  static override flags = { home: homeFlag };

  override async run(): Promise<void> {
    const { takeSavepoint } = await import('../services/savepoint.ts');
    const { renderSavepoint } = await import('../render/savepoint.ts');
    const { job, dir } = this.args;
    const folder = dir === undefined ? null : resolve(dir);
    const report = await takeSavepoint({ home: homeFolder(this.flags.home), job, folder, purpose: 'go-on' });
    await this.finish(report, renderSavepoint, report.failure ? exitCodes.jobFailed : exitCodes.done);
  }
}
