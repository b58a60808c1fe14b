// jobrec validate: every byte of a store checked, and what a recovery would make of it.
// With --repair, it is cut to what a recovery can go on from. Spec: docs/commands.md "validate".
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { storeArg, topologyFlag } from '../cli/flags.ts';
import { JobrecError } from '../model/errors.ts';
import type { ValidateReport } from '../services/validate-report.ts';

export class ValidateCommand extends BaseCommand<typeof ValidateCommand> {
  static override summary = 'Check a store: frames, checksums, order, and whether the events make sense.';
  static override description =
    'Names each finding with segment, byte offset and bytes lost, and says what a recovery from exactly these bytes would do. Exit 3 where there is a warning or an error. Needs no lock and changes nothing, unless --repair is given: the store then keeps the longest beginning from which its recovery succeeds (the one of Flink, where Flink wrote it), and the original files are put aside. A store whose JobMaster is alive is refused (exit 5). On a terminal a repair is a dry run until --yes is given.';
  static override examples = [
    { description: 'Is this store sound?', command: '<%= config.bin %> validate .jobrec' },
    {
      description: 'Only the errors, for a script',
      command: '<%= config.bin %> validate .jobrec --json | jq \'.findings[] | select(.severity == "error")\'',
    },
    {
      description: 'What would a repair give up?',
      command: '<%= config.bin %> validate .jobrec/jobs/<job-id> --repair --dry-run',
    },
  ];
  static override args = { store: storeArg };
  static override flags = {
    topology: topologyFlag,
    repair: Flags.boolean({ description: 'Keep what a recovery can go on from, put the originals aside.' }),
    'dry-run': Flags.boolean({
      description: 'With --repair: only say what it would do.',
      exclusive: ['yes'],
    }),
    yes: Flags.boolean({ description: 'With --repair: do it, also on a terminal.' }),
  };

  override async run(): Promise<void> {
    const { renderValidate } = await import('../render/validate.ts');
    const report = await this.#report();
    const isLeft = report.repair?.needed === true && !report.repair.applied;
    await this.finish(report, renderValidate, report.ok && !isLeft ? exitCodes.done : exitCodes.found);
  }

  async #report(): Promise<ValidateReport> {
    const input = { location: this.args.store, topology: this.flags.topology ?? [] };
    if (!this.flags.repair) {
      if (this.flags.yes || this.flags['dry-run']) throw needsRepair(this.flags.yes ? '--yes' : '--dry-run');
      const { validateStore } = await import('../services/validate.ts');
      return validateStore(input);
    }
    const { repairStore } = await import('../services/repair.ts');
    return repairStore({ ...input, dryRun: this.flags['dry-run'] || (!this.flags.yes && this.out.isInteractive) });
  }
}

function needsRepair(flag: string): JobrecError {
  return new JobrecError('INVALID_FLAG', `${flag} goes with --repair: without it, validate changes nothing`, {
    data: { flag },
  });
}
