// jobrec jobs: the jobs of a home folder. Spec: docs/commands.md "jobs".
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { homeFlag, homeFolder } from '../cli/flags.ts';

export class JobsCommand extends BaseCommand<typeof JobsCommand> {
  static override summary = 'List the jobs that ran here, with their state and where their events are.';
  static override examples = [
    { description: 'What ran here?', command: '<%= config.bin %> jobs' },
    {
      description: 'The stores of jobs that failed',
      command: '<%= config.bin %> jobs --json | jq -r \'.jobs[] | select(.state == "FAILED") | .store\'',
    },
  ];
  static override flags = { home: homeFlag };

  override async run(): Promise<void> {
    const { listJobs } = await import('../services/jobs.ts');
    const { renderJobs } = await import('../render/jobs.ts');
    const report = await listJobs({ home: homeFolder(this.flags.home) });
    const isSound = report.jobs.every(({ damage }) => damage === null);
    await this.finish(report, renderJobs, isSound ? exitCodes.done : exitCodes.found);
  }
}
