// Flags and arguments that several commands share, so that they read and behave the same everywhere.
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';

export const storeArg = Args.string({
  description: 'a job-events folder, or a folder above it that holds exactly one store',
  required: true,
  ignoreStdin: true,
});

export const checkpointArg = Args.string({
  description: "a checkpoint's or savepoint's folder, the _metadata file in it, or - (its bytes on stdin)",
  required: true,
  ignoreStdin: true,
});

export const pathMapFlag = Flags.string({
  helpValue: 'FROM=TO',
  multiple: true,
  multipleNonGreedy: true,
  description: 'Look below TO for state files that were recorded below FROM (repeatable).',
});

export const untilFlag = Flags.string({
  helpValue: 'P',
  description: 'Last event to take in: a sequence number, an ISO-8601 time, -10m, or finished:<vertex>#<subtask>.',
});

export const topologyFlag = Flags.string({
  helpValue: 'FILE',
  multiple: true,
  multipleNonGreedy: true,
  description: 'Names and edges for a Flink store (repeatable; - for stdin); a jobrec store has its own.',
});

export const homeFlag = Flags.string({
  helpValue: 'DIR',
  description: 'Folder that holds the jobs (default: .jobrec here, or JOBREC_HOME).',
});

/** The home folder, absolute: the flag, else JOBREC_HOME, else `.jobrec` in the working folder. */
export function homeFolder(flag: string | undefined): string {
  return resolve(flag ?? (process.env.JOBREC_HOME || '.jobrec'));
}
