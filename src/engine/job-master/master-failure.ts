// master-failure.json: why a JobMaster could not lead, for the client that started it and would otherwise only see an
// exit code.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type ErrorCode, exitCodeByErrorCode, JobrecError, messageOf } from '../../model/errors.ts';
import { readJsonFile, temporaryPath } from '../../store/atomic-file.ts';
import { diskFailure } from '../../store/disk-error.ts';
import type { JobFolder } from '../../store/job-folder.ts';

const failureSchema = v.object({
  code: v.nullable(v.custom<ErrorCode>((value) => typeof value === 'string' && value in exitCodeByErrorCode)),
  message: v.string(),
  data: v.record(v.string(), v.unknown()),
  hint: v.nullable(v.string()),
});

export function failureFile(folder: JobFolder): string {
  return join(folder.root, 'master-failure.json');
}

export async function writeFailure(folder: JobFolder, error: unknown): Promise<void> {
  const known = error instanceof JobrecError ? error : diskFailure(error, folder.root);
  const failure = {
    code: known?.code ?? null,
    message: known?.message ?? messageOf(error),
    data: known?.data ?? {},
    hint: known?.hint ?? null,
  };
  // Not synced: it is read at once or never, and the disk may be the very reason.
  const target = failureFile(folder);
  const temporary = temporaryPath(target);
  await writeFile(temporary, `${JSON.stringify(failure)}\n`);
  await rename(temporary, target);
}

/** The failure as the error that it was; an unexpected one is returned as a plain Error. null: none is recorded. */
export async function readFailure(folder: JobFolder): Promise<Error | null> {
  const parsed = v.safeParse(failureSchema, await readJsonFile(failureFile(folder)).catch(() => null));
  if (!parsed.success) return null;
  const { code, message, data, hint } = parsed.output;
  return code === null
    ? new Error(message)
    : new JobrecError(code, message, { data, ...(hint === null ? {} : { hint }) });
}
