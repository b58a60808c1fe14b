// jobrec help [command]: the same text as --help, for those who type it first.
import { Args, loadHelpClass } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export class HelpCommand extends BaseCommand<typeof HelpCommand> {
  static override summary = 'Show help, of one command or of all.';
  static override hidden = true;
  static override args = {
    command: Args.string({ description: 'a command', ignoreStdin: true }),
    subcommand: Args.string({ description: 'its second word', ignoreStdin: true }),
  };

  override async run(): Promise<void> {
    const HelpClass = await loadHelpClass(this.config);
    const { command, subcommand } = this.args;
    const words = [command, subcommand].filter((word) => word !== undefined);
    await new HelpClass(this.config, this.config.pjson.oclif.helpOptions).showHelp(words);
  }
}
