// Every checkpoint that real Flink wrote: our report says what Flink's own reader says, number by number.
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import { readCheckpoint } from '../../../src/store/checkpoint/read-checkpoint.ts';
import { asTruth, sharedSavepoints, truthOf } from './savepoints.ts';

const shared = truthOf(sharedSavepoints);

describe.skipIf(shared.length === 0)(
  `savepoints of Flink 1.8 to 2.2${shared.length === 0 ? ` (skipped: no ${sharedSavepoints})` : ''}`,
  () => {
    test.each(shared.map((truth) => [truth.path, truth] as const))('%s', async (name, truth) => {
      const location = path.join(sharedSavepoints, name);
      const report = await inspectCheckpoint({ location, operator: null });
      expect(asTruth(report, truth)).toEqual(truth);
      expect(await unusedBytes(location)).toBe(0);
    });

    test('are as many as Flink read', () => {
      expect(shared.length).toBe(79);
    });
  },
);

/** Behind the last byte that the walk used. */
async function unusedBytes(location: string): Promise<number> {
  const metadata = await readCheckpoint(location);
  let end = 0;
  metadata.walk({
    end: (offset) => {
      end = offset;
    },
    flaw: ({ message, offset }) => expect.fail(`${message} at byte ${offset}`),
  });
  return metadata.bytes - end;
}
