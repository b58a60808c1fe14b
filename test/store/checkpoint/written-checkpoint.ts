// A `_metadata` in a folder of its own, and the commands' services on it with what tests mostly leave alone.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { JobrecError } from '../../../src/model/errors.ts';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import type { CheckpointInspectReport } from '../../../src/services/checkpoint-inspect-report.ts';
import { validateCheckpoint } from '../../../src/services/checkpoint-validate.ts';
import type { CheckpointValidateReport } from '../../../src/services/checkpoint-validate-report.ts';
import type { PathMap } from '../../../src/store/checkpoint/state-places.ts';
import { temporaryFolder } from '../../support/sample-store.ts';

/** Its path. */
export function written(bytes: Buffer): string {
  const location = path.join(temporaryFolder(), '_metadata');
  writeFileSync(location, bytes);
  return location;
}

export function inspect(location: string, { stateFiles = false } = {}): Promise<CheckpointInspectReport> {
  return inspectCheckpoint({ location, operator: null, stateFiles, pathMaps: [] });
}

export function validate(location: string, pathMaps: readonly PathMap[] = []): Promise<CheckpointValidateReport> {
  return validateCheckpoint({ location, pathMaps });
}

/** The error of an inspect that must not succeed. */
export async function refusal(location: string): Promise<JobrecError> {
  const error = await inspect(location).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(JobrecError);
  return error as JobrecError;
}
