// jobrec doctor: whether job recovery is really on in a Flink cluster. Spec: docs/commands.md "doctor".
import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { topologyFlag } from '../cli/flags.ts';

export class DoctorCommand extends BaseCommand<typeof DoctorCommand> {
  static override summary = 'Check a Flink cluster: would a batch job survive the loss of its JobManager?';
  static override description =
    'Looks at high availability, scheduler, shuffle, and the settings that lose progress; with --topology also at the sources of a submitted job. Each finding names the option to change. Exit 3 where there is a warning or an error. Only reads.';
  static override examples = [
    { description: 'Before a cluster starts', command: '<%= config.bin %> doctor conf/config.yaml' },
    { description: 'A running cluster', command: '<%= config.bin %> doctor http://localhost:8081' },
    {
      description: 'And the sources of a job',
      command: '<%= config.bin %> doctor conf/config.yaml --topology ha/submittedJobGraph1a2b3c',
    },
  ];
  static override args = {
    cluster: Args.string({
      description: "a cluster's config.yaml (- for stdin), or the URL of its REST interface",
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = { topology: topologyFlag };

  override async run(): Promise<void> {
    const { diagnose } = await import('../services/doctor.ts');
    const { renderDoctor } = await import('../render/doctor.ts');
    const report = await diagnose({ target: this.args.cluster, topology: this.flags.topology ?? [] });
    await this.finish(report, renderDoctor, report.ok ? exitCodes.done : exitCodes.found);
  }
}
