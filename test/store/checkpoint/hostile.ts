// Reads checkpoints from damaged bytes, as `inspect` and `validate` do, and holds what must be true of any bytes: an answer, or
// one expected error that says the file and a byte offset inside it. Never anything else, and soon.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { JobrecError } from '../../../src/model/errors.ts';
import { CheckpointFindings } from '../../../src/services/checkpoint-findings.ts';
import { StructureCheck } from '../../../src/services/checkpoint-structure.ts';
import type { CheckpointContents } from '../../../src/services/checkpoint-summary.ts';
import { summarizeCheckpoint } from '../../../src/services/checkpoint-summary.ts';
import { flinkCheckpointFormat } from '../../../src/store/flink/checkpoint/flink-metadata.ts';
import { ownCheckpoints, sharedSavepoints, truthOf } from './savepoints.ts';

const expectedCodes: readonly string[] = ['CHECKPOINT_DAMAGED', 'FORMAT_TOO_NEW', 'FORMAT_TOO_OLD'];

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Buffer;
}

/** All checkpoints of real Flink that are there: those of the project, and those beside it. */
export function realCheckpoints(): NamedBytes[] {
  return [ownCheckpoints, sharedSavepoints].flatMap((folder) =>
    truthOf(folder).map(({ path: name }) => ({ name, bytes: readFileSync(path.join(folder, name, '_metadata')) })),
  );
}

/** What the bytes say, or the error's offset in them (for a version that is not known: 4). */
export async function readHostile(bytes: Buffer): Promise<CheckpointContents | number> {
  const file = '/nowhere/_metadata';
  if (!flinkCheckpointFormat.recognises(bytes)) return 0;
  try {
    const metadata = flinkCheckpointFormat.open({ file, folder: '/nowhere', bytes });
    const findings = new CheckpointFindings();
    metadata.walk(new StructureCheck(metadata, findings).visitor());
    const summary = summarizeCheckpoint(metadata);
    await metadata.kafkaSources(null);
    return summary;
  } catch (error) {
    return offsetOf(error, file, bytes.length);
  }
}

function offsetOf(error: unknown, file: string, length: number): number {
  if (!(error instanceof JobrecError)) throw error;
  expect(expectedCodes).toContain(error.code);
  expect(error.message).toContain(file);
  expect(error.message).not.toContain('\n');
  if (error.code !== 'CHECKPOINT_DAMAGED') return 4;
  const { path: named, offset } = error.data as { readonly path: string; readonly offset: number };
  expect(named).toBe(file);
  expect(Number.isInteger(offset) && offset >= 0 && offset <= length).toBe(true);
  return offset;
}

/** A sound file uses all its bytes, so that no beginning of it is one. */
export async function expectCut(bytes: Buffer, at: number): Promise<void> {
  const offset = await readHostile(bytes.subarray(0, at));
  expect(typeof offset).toBe('number');
  expect(offset).toBeLessThanOrEqual(at);
}
