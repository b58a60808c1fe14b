// jobrec diff: what a recovery would keep and what would run again, and why. Spec: docs/commands.md "diff".
import { Flags } from '@oclif/core';
import { type ArgsOf, BaseCommand, type FlagsOf } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { commaListOrNone } from '../cli/flag-values.ts';
import { storeArg, topologyFlag, untilFlag } from '../cli/flags.ts';
import type { DiffOptions } from '../services/diff.ts';
import type { DiffReport } from '../services/diff-report.ts';
import type { SurvivorChoice } from '../services/survivor-choice.ts';

export class DiffCommand extends BaseCommand<typeof DiffCommand> {
  static override summary = 'Predict a recovery: which finished tasks would run again, why, and what it costs.';
  static override description =
    "By default with what lies whole in the workers' folders now. It is the function that recovery itself calls, so the prediction is what would happen. Needs no lock and changes nothing.";
  static override examples = [
    { description: 'What would a restart cost now?', command: '<%= config.bin %> diff .jobrec' },
    { description: 'And without worker w2?', command: '<%= config.bin %> diff .jobrec --lost-worker w2' },
    {
      description: 'With what the workers report',
      command: '$ my-report | <%= config.bin %> diff .jobrec --partitions -',
    },
    { description: 'Fail a script if anything would run again', command: '<%= config.bin %> diff .jobrec --exit-code' },
  ];
  static override args = { store: storeArg };
  static override flags = {
    partitions: Flags.string({
      helpValue: 'FILE',
      description: 'A report of the partitions that are there (- for stdin).',
      exclusive: ['workers', 'lost-worker', 'flink-rest'],
    }),
    workers: Flags.string({
      helpValue: 'A,B',
      description: 'The workers that are back, and no others; "" for none.',
      exclusive: ['lost-worker', 'flink-rest'],
    }),
    'lost-worker': Flags.string({
      helpValue: 'W',
      multiple: true,
      multipleNonGreedy: true,
      description: 'A worker that is gone (repeatable); all others are there.',
      exclusive: ['flink-rest'],
    }),
    until: untilFlag,
    'exit-code': Flags.boolean({ description: 'Exit 3 where a finished task would run again.' }),
    topology: topologyFlag,
    'flink-rest': Flags.string({ helpValue: 'URL', description: "Flink stores: ask Flink's REST interface." }),
    'source-without-batch-snapshot': Flags.string({
      helpValue: 'V',
      multiple: true,
      multipleNonGreedy: true,
      description: 'Flink stores: a source that cannot snapshot (repeatable).',
    }),
  };

  override async run(): Promise<void> {
    const options = diffOptions(this.flags, this.args);
    const { diffStore } = await import('../services/diff.ts');
    const { renderDiff } = await import('../render/diff.ts');
    const report = await diffStore(options);
    for (const warning of report.warnings) this.out.warn(warning);
    await this.finish(report, renderDiff, exitCodeOf(report, this.flags['exit-code']));
  }
}

type DiffFlags = FlagsOf<typeof DiffCommand>;

function diffOptions(flags: DiffFlags, args: ArgsOf<typeof DiffCommand>): DiffOptions {
  const flinkOnly = ['flink-rest', 'source-without-batch-snapshot'] as const;
  return {
    location: args.store,
    topology: flags.topology ?? [],
    until: flags.until ?? null,
    survivors: survivorChoice(flags),
    flinkRest: flags['flink-rest'] ?? null,
    sourcesWithoutSnapshot: flags['source-without-batch-snapshot'] ?? [],
    flinkOnlyFlags: flinkOnly.filter((flag) => flags[flag] !== undefined).map((flag) => `--${flag}`),
  };
}

function survivorChoice(flags: DiffFlags): SurvivorChoice {
  const lost = flags['lost-worker'];
  if (flags.partitions !== undefined) return { kind: 'report', file: flags.partitions };
  if (flags.workers !== undefined) return { kind: 'workers', workers: commaListOrNone('--workers', flags.workers) };
  if (lost !== undefined) return { kind: 'lost-workers', workers: lost };
  return { kind: 'default' };
}

function exitCodeOf(report: DiffReport, isAsked: boolean): number {
  const predictsReruns = report.rerun.length > 0 || report.verdict !== 'recoverable';
  return report.damage !== null || (isAsked && predictsReruns) ? exitCodes.found : exitCodes.done;
}
