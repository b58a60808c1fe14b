// jobrec checkpoint diff: what differs between two checkpoints. Spec: docs/commands.md "checkpoint diff".
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';

export class CheckpointDiffCommand extends BaseCommand<typeof CheckpointDiffCommand> {
  static override summary = 'Compare two checkpoints: operators added, removed, rescaled, and how their state grew.';
  static override description =
    'Reads both metadata files. Operators are the same where their ids are: those come from uids, or where there is no uid from the shape of the job graph. Formats may differ.';
  static override examples = [
    { description: 'What grew since?', command: '<%= config.bin %> checkpoint diff chk-41 chk-42' },
    {
      description: 'Does a new release keep its operators?',
      command: "<%= config.bin %> checkpoint diff before after --json | jq '{added, removed}'",
    },
  ];
  static override args = {
    from: Args.string({ description: 'the earlier checkpoint or savepoint', required: true, ignoreStdin: true }),
    to: Args.string({ description: 'the later one', required: true, ignoreStdin: true }),
  };
  static override flags = {
    'state-files': Flags.boolean({ description: 'Also read the state files of sources, for Kafka offsets.' }),
    'exit-code': Flags.boolean({ description: 'Exit 3 where they differ in more than id and source offsets.' }),
  };

  override async run(): Promise<void> {
    const { diffCheckpoints } = await import('../services/checkpoint-diff.ts');
    const { renderCheckpointDiff } = await import('../render/checkpoint-diff.ts');
    const report = await diffCheckpoints({ ...this.args, stateFiles: this.flags['state-files'] });
    const isFound = this.flags['exit-code'] && report.different;
    await this.finish(report, renderCheckpointDiff, isFound ? exitCodes.found : exitCodes.done);
  }
}
