// Which Flink versions the judge runs on, how many rounds, from which seed, and for how long at most: read from the
// environment, so that one failing round can be run again. Spec: docs/testing.md "Real Flink".
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface JudgeSettings {
  readonly versions: readonly string[];
  readonly seeds: readonly number[];
  /** No round begins after this time; it is skipped, and says so. */
  readonly deadlineMs: number;
  /** Where the evidence of a disagreement is kept. */
  readonly keepFolder: string;
  /** Keep the evidence of every round. */
  readonly keepAll: boolean;
}

const defaultVersions = '1.20.3,2.3.0';

/** @throws Error for a value that is no number */
export function judgeSettings(environment: NodeJS.ProcessEnv, nowMs: number): JudgeSettings {
  const rounds = numberOf(environment, 'JOBREC_FLINK_ROUNDS', 2);
  const firstSeed = numberOf(environment, 'JOBREC_FLINK_SEED', 1);
  const minutes = numberOf(environment, 'JOBREC_FLINK_MINUTES', 60);
  return {
    versions: (environment.JOBREC_FLINK_VERSION ?? defaultVersions).split(',').map((version) => version.trim()),
    seeds: Array.from({ length: rounds }, (_, round) => firstSeed + round),
    deadlineMs: nowMs + minutes * 60_000,
    keepFolder: environment.JOBREC_FLINK_KEEP ?? join(tmpdir(), 'flink-disagree'),
    keepAll: environment.JOBREC_FLINK_KEEP_ALL === '1',
  };
}

function numberOf(environment: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const value = Number(environment[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`${name} must be a whole number, not ${environment[name]}`);
  return value;
}
