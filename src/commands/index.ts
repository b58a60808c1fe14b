// The commands that oclif offers (package.json "oclif.commands"). Each class is thin and imports its service when it
// runs, so that loading this list costs next to nothing.
import type { Command } from '@oclif/core';
import { CancelCommand } from './cancel.ts';
import { CheckpointDiffCommand } from './checkpoint-diff.ts';
import { CheckpointInspectCommand } from './checkpoint-inspect.ts';
import { CheckpointValidateCommand } from './checkpoint-validate.ts';
import { CompactCommand } from './compact.ts';
import { DiffCommand } from './diff.ts';
import { DoctorCommand } from './doctor.ts';
import { HelpCommand } from './help.ts';
import { InspectCommand } from './inspect.ts';
import { JobsCommand } from './jobs.ts';
import { ReplayCommand } from './replay.ts';
import { RunCommand } from './run.ts';
import { SavepointCommand } from './savepoint.ts';
import { StopCommand } from './stop.ts';
import { ValidateCommand } from './validate.ts';

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  run: RunCommand,
  jobs: JobsCommand,
  stop: StopCommand,
  cancel: CancelCommand,
  inspect: InspectCommand,
  validate: ValidateCommand,
  replay: ReplayCommand,
  diff: DiffCommand,
  compact: CompactCommand,
  savepoint: SavepointCommand,
  'checkpoint:inspect': CheckpointInspectCommand,
  'checkpoint:diff': CheckpointDiffCommand,
  'checkpoint:validate': CheckpointValidateCommand,
  doctor: DoctorCommand,
  help: HelpCommand,
};
