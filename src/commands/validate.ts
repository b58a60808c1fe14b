// jobrec validate: every byte of a store checked, and what a recovery would make of it.
// Spec: docs/commands.md "validate".
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { storeArg, topologyFlag } from '../cli/flags.ts';

export class ValidateCommand extends BaseCommand<typeof ValidateCommand> {
  static override summary = 'Check a store: frames, checksums, order, and whether the events make sense.';
  static override description =
    'Names each finding with segment, byte offset and bytes lost, and says what a recovery from exactly these bytes would do. Exit 3 where there is a warning or an error. Needs no lock and changes nothing.';
  static override examples = [
    { description: 'Is this store sound?', command: '<%= config.bin %> validate .jobrec' },
    {
      description: 'Only the errors, for a script',
      command: '<%= config.bin %> validate .jobrec --json | jq \'.findings[] | select(.severity == "error")\'',
    },
  ];
  static override args = { store: storeArg };
  static override flags = { topology: topologyFlag };

  override async run(): Promise<void> {
    const { validateStore } = await import('../services/validate.ts');
    const { renderValidate } = await import('../render/validate.ts');
    const report = await validateStore({ location: this.args.store, topology: this.flags.topology ?? [] });
    await this.finish(report, renderValidate, report.ok ? exitCodes.done : exitCodes.found);
  }
}
