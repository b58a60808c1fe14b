// What `checkpoint validate` reports; printed as it is with --json. Spec: docs/commands.md "checkpoint validate".
import type { CheckpointFormatName, MetadataFlawCode } from '../model/checkpoint.ts';
import type { Severity } from '../model/job-log.ts';

export type CheckpointFindingCode =
  | MetadataFlawCode
  | 'TRAILING_BYTES'
  | 'DUPLICATE_OPERATOR'
  | 'DUPLICATE_SUBTASK'
  | 'KEY_GROUPS_OVERLAP'
  | 'KEY_GROUPS_OUT_OF_RANGE'
  | 'KEY_GROUPS_GAP'
  | 'OFFSET_BEYOND_STATE'
  | 'STATE_FILE_MISSING'
  | 'STATE_FILE_MOVED'
  | 'STATE_FILE_LENGTH'
  | 'STATE_FILE_CHECKSUM'
  | 'STATE_FILE_UNREACHABLE'
  | 'STATE_FILE_UNREADABLE'
  | 'STATE_FILES_UNCHECKED';

export interface CheckpointFinding {
  readonly code: CheckpointFindingCode;
  readonly severity: Severity;
  /** The metadata file, or the state file that the finding is about. */
  readonly file: string;
  /** In the metadata file: where it says what is wrong, or names the state file. */
  readonly offset: number;
  readonly message: string;
}

export interface CheckpointValidateReport {
  /** No finding above info. */
  readonly ok: boolean;
  readonly format: CheckpointFormatName;
  readonly formatVersion: number;
  readonly checkpointId: bigint;
  /** Absolute path of the metadata file. */
  readonly location: string;
  /** In the order of the metadata; those about state files behind those about the metadata itself. */
  readonly findings: readonly CheckpointFinding[];
  /** Findings beyond the first 10,000, which are not listed. */
  readonly findingsOmitted: number;
  readonly checked: {
    readonly operators: number;
    readonly subtasks: number;
    /** State files that were looked at, and their bytes. */
    readonly stateFiles: number;
    readonly stateFileBytes: bigint;
    /** Those whose bytes were read and held against a recorded checksum (jobrec's own; Flink records none). */
    readonly checksums: number;
    /** State files that could not be looked at from here. */
    readonly unreachable: number;
  };
}
