// Errors of the operating system that mean a disk: full, read-only, failing or forbidden. Expected, though never
// wanted: they become one line that says which path, and what to do (docs/exit-codes.md).
import { JobrecError, messageOf } from '../model/errors.ts';

const diskCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);
const forbiddenCodes: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM']);

/** Whether a disk is full, read-only or failing, by the error's code. */
export function hasDiskCode(error: unknown): boolean {
  return error instanceof Error && diskCodes.has((error as NodeJS.ErrnoException).code);
}

/** What a user is told of such an error of a write below `folder`; null where it is another one. */
export function diskFailure(error: unknown, folder: string): JobrecError | null {
  if (!(error instanceof Error) || error instanceof JobrecError) return null;
  const { code, path = null } = error as NodeJS.ErrnoException;
  if (!diskCodes.has(code) && !forbiddenCodes.has(code)) return null;
  return new JobrecError('STORE_POISONED', `a write below ${folder} failed: ${messageOf(error)}`, {
    data: { folder, path, system: code },
    hint: 'free or repair the disk, then run the same command again: it goes on from what was acknowledged',
    cause: error,
  });
}
