// The commands that oclif offers (package.json "oclif.commands"). Each class is thin and imports its service when it
// runs, so that loading this list costs next to nothing.
import type { Command } from '@oclif/core';
import { HelpCommand } from './help.ts';
import { InspectCommand } from './inspect.ts';

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  inspect: InspectCommand,
  help: HelpCommand,
};
