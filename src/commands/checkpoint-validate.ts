// jobrec checkpoint validate: is a checkpoint whole? Spec: docs/commands.md "checkpoint validate".
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { pathMap } from '../cli/flag-values.ts';
import { checkpointArg, pathMapFlag } from '../cli/flags.ts';

export class CheckpointValidateCommand extends BaseCommand<typeof CheckpointValidateCommand> {
  static override summary = 'Check a checkpoint: is its metadata sound, are all its state files there and whole?';
  static override description =
    'Exit 3 where there is a warning or an error. State files are looked for where Flink looks: relative ones beside the metadata, absolute ones where they were written. Their content is read where a checksum was recorded (in checkpoints of jobrec). Files on other file systems (hdfs, s3, ...) are not missing but unreachable, unless --path-map names a copy.';
  static override examples = [
    {
      description: 'Can this savepoint be trusted?',
      command: '<%= config.bin %> checkpoint validate savepoint-7bd90b-3a2c',
    },
    {
      description: 'A copy of a checkpoint that was written to HDFS',
      command: '<%= config.bin %> checkpoint validate chk-42 --path-map hdfs://nn:8020/flink=/backup/flink',
    },
  ];
  static override args = { path: checkpointArg };
  static override flags = {
    'path-map': pathMapFlag,
  };

  override async run(): Promise<void> {
    const pathMaps = (this.flags['path-map'] ?? []).map((text) => pathMap('--path-map', text));
    const { validateCheckpoint } = await import('../services/checkpoint-validate.ts');
    const { renderCheckpointValidate } = await import('../render/checkpoint-validate.ts');
    const report = await validateCheckpoint({ location: this.args.path, pathMaps });
    await this.finish(report, renderCheckpointValidate, report.ok ? exitCodes.done : exitCodes.found);
  }
}
