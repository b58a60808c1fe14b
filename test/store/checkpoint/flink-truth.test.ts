// Every checkpoint that real Flink wrote: our report says what Flink's own reader says, number by number, and uses every
// byte of the file.
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import { readCheckpoint } from '../../../src/store/checkpoint/read-checkpoint.ts';
import { asTruth, type CheckpointTruth, ownCheckpoints, sharedSavepoints, truthOf } from './savepoints.ts';

const shared = truthOf(sharedSavepoints);
const own = truthOf(ownCheckpoints);
const why = shared.length === 0 ? ` (skipped: there is no ${sharedSavepoints})` : '';

describe.skipIf(shared.length === 0)(`${shared.length} savepoints beside the project${why}`, () => {
  holdAll(sharedSavepoints, shared);

  test.skipIf(process.env.JOBREC_SAVEPOINTS !== undefined)('are as many as Flink read', () => {
    expect(shared.length).toBe(79);
  });
});

describe('fixtures/checkpoints', () => {
  holdAll(ownCheckpoints, own);

  test('have every format and kind of state that its README names', async () => {
    const reports = await Promise.all(own.map(({ path }) => inspect(ownCheckpoints, path)));
    expect([...new Set(reports.map(({ formatVersion }) => formatVersion))].sort()).toEqual([3, 4, 5, 6]);
    const operators = reports.flatMap((report) => report.operators);
    const subtasks = operators.flatMap((operator) => operator.subtasks);
    expect(operators.some(({ fullyFinished }) => fullyFinished)).toBe(true);
    expect(subtasks.some(({ finished }) => finished)).toBe(true);
    for (const kind of ['rawOperator', 'rawKeyed', 'inputChannel', 'resultSubpartition'] as const) {
      expect(subtasks.some((subtask) => subtask[kind] > 0)).toBe(true);
    }
    expect(reports.some(({ masterStates }) => masterStates.length > 0)).toBe(true);
  });
});

function holdAll(folder: string, truths: readonly CheckpointTruth[]): void {
  test.each(truths.map((truth) => [truth.path, truth] as const))(
    '%s',
    async (name, { kafkaOffsets = [], ...truth }) => {
      const report = await inspect(folder, name);
      expect(asTruth(report, truth)).toEqual(truth);
      expect(await unusedBytes(path.join(folder, name))).toBe(0);
      const offsets = report.kafkaSources
        .filter(({ kind }) => kind === 'KafkaSource')
        .flatMap(({ operatorId, partitions }) =>
          partitions.map(({ topic, partition, offset, subtask }) => ({
            operatorId,
            topic,
            partition,
            offset,
            subtask,
          })),
        )
        .filter(({ offset }) => offset !== null);
      expect(offsets).toHaveLength(kafkaOffsets.length);
      for (const each of kafkaOffsets) expect(offsets).toContainEqual({ ...each, offset: BigInt(each.offset) });
    },
  );
}

function inspect(folder: string, name: string) {
  return inspectCheckpoint({ location: path.join(folder, name), operator: null, stateFiles: true, pathMaps: [] });
}

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
