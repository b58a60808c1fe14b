// jobrec replay: the job's execution graph at a point of the log. Spec: docs/commands.md "replay".
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { storeArg, topologyFlag, untilFlag } from '../cli/flags.ts';

export class ReplayCommand extends BaseCommand<typeof ReplayCommand> {
  static override summary = 'Show the job as it was after any event: what had finished, and where results lay.';
  static override description =
    'What a restarted JobMaster would hold after the events, before it looks which partitions are still there (diff says what that means). Needs no lock and changes nothing.';
  static override examples = [
    { description: 'At the end of the log', command: '<%= config.bin %> replay .jobrec' },
    { description: 'Ten minutes before the last event', command: '<%= config.bin %> replay .jobrec --until -10m' },
    {
      description: 'Right after a task finished',
      command: "<%= config.bin %> replay .jobrec --until 'finished:totals#3'",
    },
  ];
  static override args = { store: storeArg };
  static override flags = { until: untilFlag, topology: topologyFlag };

  override async run(): Promise<void> {
    const { replayStore } = await import('../services/replay.ts');
    const { renderReplay } = await import('../render/replay.ts');
    const { store: location } = this.args;
    const { until, topology } = this.flags;
    const report = await replayStore({ location, until: until ?? null, topology: topology ?? [] });
    await this.finish(report, renderReplay, report.damage === null ? exitCodes.done : exitCodes.found);
  }
}
