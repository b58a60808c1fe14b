// checkpoint diff: of real checkpoints, and of pairs in which one thing each is otherwise.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffCheckpoints } from '../../src/services/checkpoint-diff.ts';
import {
  byte,
  inline,
  metadata,
  noHandle,
  type OperatorParts,
  operator,
  operatorState,
  subtask,
} from '../store/checkpoint/metadata-bytes.ts';
import { ownCheckpoints } from '../store/checkpoint/savepoints.ts';
import { temporaryFolder } from '../support/sample-store.ts';

function written(operators: readonly Buffer[], checkpointId = 7): string {
  const location = path.join(temporaryFolder(), '_metadata');
  writeFileSync(location, metadata(operators, checkpointId));
  return location;
}

const diff = (from: string, to: string, stateFiles = false) => diffCheckpoints({ from, to, stateFiles });

const state = (bytes: number, name = 's') =>
  subtask({ index: 0, managedOperator: operatorState(name, [0], inline(Buffer.alloc(bytes))) });

describe('one thing otherwise', () => {
  const base: OperatorParts = { subtasks: [state(10)] };
  const cases: Readonly<Record<string, readonly [to: OperatorParts, changes: readonly string[]]>> = {
    nothing: [{}, []],
    parallelism: [{ parallelism: 3 }, ['parallelism']],
    'max parallelism': [{ maxParallelism: 9 }, ['max-parallelism']],
    'more state': [{ subtasks: [state(25)] }, ['state-size']],
    'another state': [{ subtasks: [state(10, 't')] }, ['state-names']],
    'a coordinator': [{ coordinator: inline(byte(1)) }, ['state-size', 'coordinator']],
    finished: [{ count: -1, subtasks: [], coordinator: noHandle }, ['finished', 'state-size', 'state-names']],
  };

  test.each(Object.entries(cases))('%s', async (_, [to, changes]) => {
    const report = await diff(written([operator(base)]), written([operator({ ...base, ...to })], 8));
    expect(report.changed.flatMap((each) => each.changes)).toEqual(changes);
    expect([report.different, report.unchanged]).toEqual([changes.length > 0, changes.length > 0 ? 0 : 1]);
    expect([report.added, report.removed]).toEqual([[], []]);
  });

  test('operators that come and go', async () => {
    const from = written([operator({ id: 'aa' }), operator({ id: 'bb', subtasks: [state(5)] })]);
    const to = written([operator({ id: 'aa' }), operator({ id: 'cc', subtasks: [state(8)] })]);
    const report = await diff(from, to);
    expect(report.removed).toMatchObject([{ operatorId: 'bb'.repeat(16), stateSize: 5n }]);
    expect(report.added).toMatchObject([{ operatorId: 'cc'.repeat(16), stateSize: 8n }]);
    expect(report).toMatchObject({ different: true, unchanged: 1, stateSize: { from: 5n, to: 8n, growth: 3n } });
  });
});

describe('checkpoints of real Flink', () => {
  const at = (name: string) => path.join(ownCheckpoints, name);

  test('a new Flink names operators; that alone is no change, its format is', async () => {
    const report = await diff(at('1.20-finished'), at('2.0-finished'));
    expect([report.added, report.removed]).toEqual([[], []]);
    expect(report.changed.every(({ changes }) => !changes.includes('name'))).toBe(true);
    expect(report.changed.map(({ name }) => name)).toEqual(['Count long']);
    expect(report).toMatchObject({ different: true, from: { formatVersion: 4 }, to: { formatVersion: 5 } });
  });

  test('Kafka partitions side by side', async () => {
    const { kafkaOffsets } = await diff(at('1.20-kafka'), at('2.3-kafka'));
    expect(kafkaOffsets.map(({ topic, partition, from, to }) => [`${topic}-${partition}`, from, to])).toEqual([
      ['more-words-0', 10n, 10n],
      ['more-words-1', 20n, 20n],
      ['words-0', 10n, 10n],
      ['words-1', 20n, 20n],
      ['words-2', 30n, 30n],
    ]);
  });

  test('offsets in files are not known, and why is said; with --state-files they are', async () => {
    const pair = [at('2.3-kafka'), at('2.3-kafka-files/chk-4')] as const;
    const without = await diff(...pair);
    expect(without.kafkaUnread).toEqual(['the state lies in a file; --state-files reads it']);
    expect(without.kafkaOffsets[0]).toMatchObject({ name: 'Source: Kafka', from: 10n, to: null });
    const { kafkaOffsets, kafkaUnread } = await diff(...pair, true);
    expect([kafkaUnread, kafkaOffsets.every(({ from, to }) => to !== null && to === from)]).toEqual([[], true]);
  });
});
