// A comparison of checkpoints on the screen: what an operator whose id is another, or a source among several, looks like.
import { expect, test } from 'vitest';
import { renderCheckpointDiff } from '../../src/render/checkpoint-diff.ts';
import { createStyle } from '../../src/render/style.ts';
import type { CheckpointDiffReport, KafkaProgress } from '../../src/services/checkpoint-diff-report.ts';

const style = createStyle({ color: false, width: 120 });
const sizes = { from: 0n, to: 0n, growth: 0n };
const side = { format: 'flink', formatVersion: 6, checkpointId: 1n, type: 'checkpoint', stateSize: 0n } as const;
const nothing: CheckpointDiffReport = {
  from: { ...side, location: '/a/_metadata' },
  to: { ...side, location: '/b/_metadata' },
  different: true,
  added: [],
  removed: [],
  changed: [],
  unchanged: 0,
  stateSize: sizes,
  kafkaOffsets: [],
  kafkaUnread: [],
};
const operator = (id: string, name: string | null) => {
  return { operatorId: id.repeat(16), uid: null, name, parallelism: 1, maxParallelism: 8, stateSize: 0n };
};
const offset = (id: string, partition: number, from: bigint | null, to: bigint | null): KafkaProgress => {
  return { operatorId: id.repeat(16), name: `Source ${id}`, topic: 'words', partition, from, to };
};
const lines = (report: Partial<CheckpointDiffReport>) =>
  renderCheckpointDiff({ ...nothing, ...report }, style).split('\n');

test('an added operator with the name of one that went says so: its id, so its uid, is otherwise', () => {
  const [added = [], removed = []] = [
    [operator('aa', 'count'), operator('bb', 'new'), operator('cc', null)],
    [operator('dd', 'count'), operator('ee', null)],
  ];
  const hinted = lines({ added, removed }).filter((line) => line.includes('one of its name went'));
  expect(hinted).toHaveLength(1);
  expect(hinted[0]).toMatch(/^ {2}added +count .* aaaa/);
});

test('offsets: sources are named where there are several; rules, rewinds, and sources that are not there are words', () => {
  const one = lines({ kafkaOffsets: [offset('aa', 0, 5n, 3n), offset('aa', 1, -2n, 9n)] }).slice(-3);
  expect(one.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['topic', 'partition', 'next offset', 'read'],
    ['words', '0', '5 → 3', '-2'],
    ['words', '1', 'earliest → 9', '-'],
  ]);
  const kafkaOffsets = [offset('aa', 0, null, 7n), offset('bb', 0, 1n, null), offset('cc', 0, 2n, null)];
  const several = lines({ kafkaOffsets, added: [operator('aa', 'a')], removed: [operator('bb', 'b')] }).slice(-3);
  expect(several.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['Source aa', 'words', '0', 'no source → 7', '-'],
    ['Source bb', 'words', '0', '1 → no source', '-'],
    ['Source cc', 'words', '0', '2 → not known', '-'],
  ]);
});

test('why offsets are not known is printable', () => {
  expect(lines({ kafkaUnread: ['the state file is missing: /a\u001b[2J'] }).at(-1)).toBe(
    '  not known: the state file is missing: /a\\u001b[2J',
  );
});
