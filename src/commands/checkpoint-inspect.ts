// jobrec checkpoint inspect: what a checkpoint or savepoint holds. Spec: docs/commands.md "checkpoint inspect".
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { pathMap } from '../cli/flag-values.ts';
import { checkpointArg, pathMapFlag } from '../cli/flags.ts';

export class CheckpointInspectCommand extends BaseCommand<typeof CheckpointInspectCommand> {
  static override summary = 'Show what a checkpoint or savepoint holds, by operator and subtask.';
  static override description =
    'Reads the metadata file alone, of Flink 1.3 to 2.x (formats 2 to 6). State files that are missing are found by `checkpoint validate`.';
  static override examples = [
    {
      description: 'What is in this savepoint?',
      command: '<%= config.bin %> checkpoint inspect savepoint-7bd90b-3a2c',
    },
    {
      description: 'One operator, subtask by subtask',
      command: '<%= config.bin %> checkpoint inspect chk-42 --operator Sum --subtasks',
    },
    {
      description: 'Operators by size, for a script',
      command:
        "<%= config.bin %> checkpoint inspect chk-42 --json | jq '.operators | sort_by(.stateSize)[] | {name, stateSize}'",
    },
  ];
  static override args = { path: checkpointArg };
  static override flags = {
    operator: Flags.string({
      helpValue: 'O',
      description: 'Only this operator: its id, name, or uid (also where the format keeps no uids).',
    }),
    'state-files': Flags.boolean({ description: 'Also read the state files of sources, for Kafka offsets.' }),
    'path-map': pathMapFlag,
    subtasks: Flags.boolean({ description: 'A table of subtasks for each operator (--json always has them).' }),
  };

  override async run(): Promise<void> {
    const { inspectCheckpoint } = await import('../services/checkpoint-inspect.ts');
    const { renderCheckpointInspect } = await import('../render/checkpoint-inspect.ts');
    const { operator = null, subtasks, 'state-files': stateFiles } = this.flags;
    const pathMaps = (this.flags['path-map'] ?? []).map((text) => pathMap('--path-map', text));
    const report = await inspectCheckpoint({ location: this.args.path, operator, stateFiles, pathMaps });
    await this.finish(report, (each, style) => renderCheckpointInspect(each, style, { subtasks }), exitCodes.done);
  }
}
