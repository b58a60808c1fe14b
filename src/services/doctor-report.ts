// What `doctor` reports; printed as it is with --json. Spec: docs/commands.md "doctor".
import type { Severity } from '../model/job-log.ts';

export type DoctorCode =
  | 'HA_OFF'
  | 'HA_STORAGE_MISSING'
  | 'HA_STORAGE_LOCAL'
  | 'RECOVERY_OFF'
  | 'SCHEDULER'
  | 'SHUFFLE_MASTER'
  | 'SHUFFLE_MODE'
  | 'RUNTIME_MODE'
  | 'SNAPSHOT_PAUSE'
  | 'FLUSH_INTERVAL'
  | 'WORKER_TIMEOUT'
  | 'RESTART_STRATEGY'
  | 'LEGACY_SOURCE'
  | 'SOURCE_UNKNOWN'
  | 'VALUE_INVALID';

export interface DoctorFinding {
  readonly code: DoctorCode;
  /** error: recovery is off; warning: a failover loses work that it need not lose; info: worth knowing. */
  readonly severity: Severity;
  readonly option: string | null;
  /** As it is set; null: not set. */
  readonly value: string | null;
  readonly message: string;
  /** The line to put into the configuration; null where it is not a matter of configuration. */
  readonly fix: string | null;
}

export interface DoctorReport {
  /** No finding above info. */
  readonly ok: boolean;
  /** Whether a batch job of this cluster would recover from the loss of its JobManager. */
  readonly recovery: 'on' | 'on-with-loss' | 'off';
  /** The file or URL that was asked. */
  readonly target: string;
  /** null where the target does not say. */
  readonly flinkVersion: string | null;
  readonly findings: readonly DoctorFinding[];
}
