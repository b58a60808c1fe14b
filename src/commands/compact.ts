// jobrec compact: retires the history of a store that nobody writes any more. Spec: docs/commands.md "compact".
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { storeArg } from '../cli/flags.ts';

export class CompactCommand extends BaseCommand<typeof CompactCommand> {
  static override summary = 'Make a store small: a snapshot of its last state, and its events retired.';
  static override description =
    'Replay and diff at the end of the log give the same answer before and after, which is proved before anything is retired; a job that has not ended can still be resumed. What happened before the snapshot is gone: --until cannot go there any more. Refuses a store whose JobMaster is alive (exit 5), a damaged one (exit 4), and one that Flink wrote (exit 2). May be killed at any moment: the same command completes it.';
  static override examples = [
    { description: 'What would it save?', command: '<%= config.bin %> compact .jobrec/jobs/<job-id> --dry-run' },
    { description: 'Do it', command: '<%= config.bin %> compact .jobrec/jobs/<job-id>' },
    {
      description: 'Bytes saved, for a script',
      command: "<%= config.bin %> compact .jobrec/jobs/<job-id> --json | jq '.before.bytes - .after.bytes'",
    },
  ];
  static override args = { store: storeArg };
  static override flags = { 'dry-run': Flags.boolean({ description: 'Only say what it would do.' }) };

  override async run(): Promise<void> {
    const { compactStore } = await import('../services/compact.ts');
    const { renderCompact } = await import('../render/compact.ts');
    const report = await compactStore({ location: this.args.store, dryRun: this.flags['dry-run'] });
    await this.finish(report, renderCompact, exitCodes.done);
  }
}
