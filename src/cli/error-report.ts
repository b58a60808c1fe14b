// Turns anything thrown into what the user sees: one line on stderr, or one JSON document on stdout with --json.
// Expected errors keep code, data and hint; an operating system's refusal is an answer about the data (exit 4); all
// else is a bug in jobrec (exit 1), shown with its stack only when JOBREC_DEBUG is set. Spec: docs/exit-codes.md.
import { JobrecError, messageOf } from '../model/errors.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly hint: string | null;
}

export interface ErrorOutcome {
  readonly exitCode: number;
  readonly report: ErrorReport;
  /** Only for bugs: worth showing to a developer. */
  readonly stack: string | null;
}

const operatingSystemCodes: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'is a folder',
  ENOSPC: 'no space left on the device',
  EROFS: 'read-only file system',
  EIO: 'input/output error',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'name too long',
};

const bugHint = 'this is a bug in jobrec: run it again with JOBREC_DEBUG=1 and report the output with the command line';

export function outcomeOfError(error: unknown): ErrorOutcome {
  const expected = error instanceof JobrecError ? error : fromOperatingSystem(error);
  if (expected !== null) return { exitCode: exitCodeOfError(expected), report: reportOf(expected), stack: null };
  return {
    exitCode: exitCodes.bug,
    report: { code: 'INTERNAL_ERROR', message: messageOf(error), data: {}, hint: bugHint },
    stack: error instanceof Error ? (error.stack ?? null) : null,
  };
}

function reportOf(error: JobrecError): ErrorReport {
  return { code: error.code, message: messageOf(error), data: error.data, hint: error.hint };
}

/** A refusal by the operating system that no service has put into its own words. */
function fromOperatingSystem(error: unknown): JobrecError | null {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  const reason = refusalOf(error);
  if (reason === null) return null;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : null;
  const message = `${path ?? String(error.syscall)}: ${reason}`;
  return new JobrecError('STORE_UNREADABLE', message, { data: { path, errno: String(error.code) }, cause: error });
}

/** The operating system's refusal in words; null: it is none that has words here. */
export function refusalOf(error: Error): string | null {
  return 'code' in error ? (operatingSystemCodes[String(error.code)] ?? null) : null;
}

/** The one line for people. */
export function errorLine(report: ErrorReport): string {
  return `jobrec: ${report.message}${report.hint === null ? '' : ` (${report.hint})`}`;
}

/** The one document for scripts, on one line, so that it also ends an NDJSON list. */
export function errorDocument(report: ErrorReport): object {
  return { schemaVersion: 1, error: report };
}
