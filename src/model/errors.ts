// The two tiers of errors (design: "Errors"). A JobrecError is expected: it has a stable code, plain-JSON data and
// a hint that says what to do. An InvariantViolation is a bug in jobrec. Codes are public (docs/exit-codes.md);
// messages are not matched by anyone.

/** Every stable error code, with the process exit code that it maps to (cli-contract: "Exit codes"). */
export const exitCodeByErrorCode = {
  INVALID_FLAG: 2,
  INVALID_ARGUMENT: 2,
  JOB_FILE_INVALID: 2,
  JOB_FILE_UNREADABLE: 2,
  SOURCE_UNREADABLE: 2,
  SQL_INVALID: 2,
  EXCHANGE_REFUSED: 2,
  FUNCTION_INVALID: 2,
  SINK_OCCUPIED: 2,
  JOB_CHANGED: 2,
  JOB_UNKNOWN: 2,
  JOB_NOT_RUNNING: 2,
  STATE_MISFIT: 2,
  AMBIGUOUS_STORE: 2,
  POSITION_INVALID: 2,
  REPORT_INVALID: 2,
  UNSUPPORTED_FOR_FORMAT: 2,
  STORE_NOT_FOUND: 4,
  NOT_A_STORE: 4,
  STORE_DAMAGED: 4,
  STORE_UNREADABLE: 4,
  CHECKPOINT_NOT_FOUND: 4,
  NOT_A_CHECKPOINT: 4,
  CHECKPOINT_DAMAGED: 4,
  REST_UNAVAILABLE: 4,
  JOB_HELD: 5,
  FORMAT_TOO_NEW: 6,
  FORMAT_TOO_OLD: 6,
  JOB_FAILED: 7,
  JOB_CANCELED: 7,
  JOB_SUSPENDED: 7,
  SAVEPOINT_FAILED: 7,
  STORE_POISONED: 7,
  OUTPUT_FAILED: 8,
  INTERRUPTED_HANGUP: 129,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

export type ErrorCode = keyof typeof exitCodeByErrorCode;

export interface JobrecErrorOptions {
  /** Plain JSON: paths, offsets, names; whatever a script needs to act on the error. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What the user can do about it, one line. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An error that a user can meet and act on. One line of message; never shown with a stack trace. */
export class JobrecError extends Error {
  override readonly name = 'JobrecError';
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>>;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: JobrecErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
    this.hint = options.hint ?? null;
  }
}

/** A state that the code holds to be impossible. Meeting one is a bug in jobrec (exit 1). */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Throws an InvariantViolation unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
