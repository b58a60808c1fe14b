// checkpoint validate on checkpoints of real Flink, whole and spoilt, moved, and on metadata that contradicts itself.
import { appendFileSync, cpSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CheckpointValidateReport } from '../../src/services/checkpoint-validate-report.ts';
import {
  byte,
  file,
  inline,
  join,
  keyGroups,
  metadata,
  operator,
  operatorState,
  relativeFile,
  segment,
  subtask,
} from '../store/checkpoint/metadata-bytes.ts';
import { ownCheckpoints } from '../store/checkpoint/savepoints.ts';
import { validate, written } from '../store/checkpoint/written-checkpoint.ts';
import { temporaryFolder } from '../support/sample-store.ts';

describe('a savepoint of real Flink, moved here with its files', () => {
  const copied = () => {
    const folder = path.join(temporaryFolder(), 'savepoint');
    cpSync(path.join(ownCheckpoints, '2.3-savepoint'), folder, { recursive: true });
    const stateFiles = readdirSync(folder).filter((name) => name !== '_metadata');
    return { folder, stateFile: path.join(folder, stateFiles[0] ?? '') };
  };

  test('is whole', async () => {
    const { folder } = copied();
    const report = await validate(folder);
    expect(report).toMatchObject({ ok: true, findings: [], checked: { operators: 3, subtasks: 6, stateFiles: 4 } });
  });

  test('a state file gone is an error that names it', async () => {
    const { folder, stateFile } = copied();
    rmSync(stateFile);
    expect(findingsOf(await validate(folder))).toEqual([['STATE_FILE_MISSING', 'error', stateFile]]);
  });

  test('a state file cut short is an error, a longer one a warning', async () => {
    const { folder, stateFile } = copied();
    const { size } = statSync(stateFile);
    truncateSync(stateFile, size - 1);
    const cut = await validate(folder);
    expect(findingsOf(cut)).toEqual([['STATE_FILE_LENGTH', 'error', stateFile]]);
    expect(cut.findings[0]?.message).toBe(`a state file has ${size - 1} bytes, ${size} were written`);
    appendFileSync(stateFile, 'more');
    expect(findingsOf(await validate(folder))).toEqual([['STATE_FILE_LENGTH', 'warning', stateFile]]);
  });

  test('a folder in the place of a state file cannot be read', async () => {
    const { folder, stateFile } = copied();
    rmSync(stateFile);
    cpSync(ownCheckpoints, stateFile, { recursive: true });
    expect(findingsOf(await validate(folder))).toEqual([['STATE_FILE_UNREADABLE', 'error', stateFile]]);
  });

  test('bytes behind the metadata are a warning', async () => {
    const { folder } = copied();
    const file = path.join(folder, '_metadata');
    const { size } = statSync(file);
    appendFileSync(file, 'tail');
    const { ok, findings } = await validate(folder);
    expect([ok, findings]).toMatchObject([false, [{ code: 'TRAILING_BYTES', severity: 'warning', offset: size }]]);
  });
});

describe('an incremental checkpoint of real Flink, away from where it was written', () => {
  const location = path.join(ownCheckpoints, '2.3-rocksdb-incremental/chk-3');

  test('Flink would look where it was: the files that lie here are named', async () => {
    const { ok, findings } = await validate(location);
    expect(ok).toBe(false);
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['STATE_FILE_MOVED']));
    expect(findings.every(({ file }) => file.startsWith('/data/flink/2.3-rocksdb-incremental/all/'))).toBe(true);
    const shared = path.join(ownCheckpoints, '2.3-rocksdb-incremental/shared');
    const recorded = findings[0]?.file ?? '';
    expect(findings[0]?.message).toMatch(
      new RegExp(`one of its name lies in ${shared}: .* --path-map file:${path.dirname(recorded)}=${shared}$`),
    );
  });

  test('without `shared`: so is its folder missing, and how a copy is checked', async () => {
    const alone = path.join(temporaryFolder(), 'chk-3');
    cpSync(location, alone, { recursive: true });
    const { findings } = await validate(alone);
    expect(findings.map(({ code }) => code)).toEqual(Array(12).fill('STATE_FILE_MISSING'));
    expect(findings[0]?.message).toMatch(
      /^a state file of 1349 bytes is missing; nor is its folder there: .*--path-map file:.*shared=FOLDER$/,
    );
  });

  test('with a path map it is whole', async () => {
    const recorded = path.dirname(path.dirname((await validate(location)).findings[0]?.file ?? ''));
    const pathMaps = [{ from: `file:${recorded}`, to: path.join(ownCheckpoints, '2.3-rocksdb-incremental') }];
    const report = await validate(location, pathMaps);
    expect(report).toMatchObject({ ok: true, findings: [], checked: { stateFiles: 16, unreachable: 0 } });
  });
});

describe('other file systems', () => {
  const bytes = metadata([
    operator({
      subtasks: [
        subtask({ index: 0, managedKeyed: keyGroups(0, [0, 1], file('hdfs://nn:8020/flink/a', 10)) }),
        subtask({ index: 1, managedKeyed: keyGroups(2, [0, 1], file('hdfs://nn:8020/flink/b', 10)) }),
      ],
    }),
  ]);

  test('are unreachable, not missing: one warning for each', async () => {
    const report = await validate(written(bytes));
    expect(findingsOf(report)).toEqual([['STATE_FILE_UNREACHABLE', 'warning', 'hdfs://nn:8020/flink/a']]);
    expect(report.findings[0]?.message).toMatch(/^2 state files at hdfs:\/\/nn:8020 .*--path-map hdfs:\/\/nn:8020=/);
    expect(report).toMatchObject({ ok: false, checked: { unreachable: 2, stateFiles: 0 } });
  });

  test('a path map finds the copy, and only below its own folder', async () => {
    const location = written(bytes);
    const folder = path.dirname(location);
    writeFileSync(path.join(folder, 'a'), '0123456789');
    const mapped = (from: string) => validate(location, [{ from, to: folder }]);
    expect(findingsOf(await mapped('hdfs://nn:8020/flink'))).toEqual([
      ['STATE_FILE_MISSING', 'error', path.join(folder, 'b')],
    ]);
    expect((await mapped('hdfs://nn:8020/fli')).checked.unreachable).toBe(2);
  });
});

describe('metadata against itself', () => {
  const groups = (first: number, count: number) => keyGroups(first, Array(count).fill(0), inline(byte(1)));
  const keyed = (...ranges: readonly (readonly [first: number, count: number])[]) =>
    metadata([
      operator({
        subtasks: ranges.map(([first, count], index) => subtask({ index, managedKeyed: groups(first, count) })),
      }),
    ]);

  const cases: Readonly<Record<string, readonly [bytes: Buffer, findings: readonly (readonly [string, string])[]]>> = {
    'key groups covered once': [keyed([0, 2], [2, 2]), []],
    'key groups held twice': [keyed([0, 3], [2, 2]), [['KEY_GROUPS_OVERLAP', 'error']]],
    'key groups beyond the last': [keyed([0, 2], [2, 3]), [['KEY_GROUPS_OUT_OF_RANGE', 'error']]],
    'a key group that nobody holds': [keyed([0, 1], [2, 2]), [['KEY_GROUPS_GAP', 'warning']]],
    'the last key groups missing': [keyed([0, 2], [2, 1]), [['KEY_GROUPS_GAP', 'warning']]],
    'a subtask without keys': [keyed([0, 2]), [['KEY_GROUPS_GAP', 'info']]],
    'no subtask with keys': [metadata([operator({ subtasks: [subtask({ index: 0 })] })]), []],
    'one operator twice': [metadata([operator(), operator()]), [['DUPLICATE_OPERATOR', 'error']]],
    'one subtask twice': [
      metadata([operator({ subtasks: [subtask({ index: 0 }), subtask({ index: 0 })] })]),
      [['DUPLICATE_SUBTASK', 'error']],
    ],
    'a subtask beyond the parallelism': [
      metadata([operator({ subtasks: [subtask({ index: 5 })] })]),
      [['SUBTASK_OUT_OF_RANGE', 'error']],
    ],
    'parallelism above its maximum': [metadata([operator({ parallelism: 8 })]), [['PARALLELISM_INVALID', 'error']]],
    'elements behind the end of their state': [
      metadata([
        operator({
          subtasks: [subtask({ index: 0, managedOperator: operatorState('s', [0, 11], inline(Buffer.alloc(10))) })],
        }),
      ]),
      [['OFFSET_BEYOND_STATE', 'error']],
    ],
    'a key group behind the end of its state': [
      metadata([
        operator({
          parallelism: 1,
          subtasks: [subtask({ index: 0, managedKeyed: keyGroups(0, [0, 0, 0, 2], inline(byte(1))) })],
        }),
      ]),
      [['OFFSET_BEYOND_STATE', 'error']],
    ],
    'key groups without a place': [
      metadata([
        operator({
          parallelism: 1,
          subtasks: [subtask({ index: 0, rawKeyed: keyGroups(0, [-1, -1, 0, 0], inline(byte(1))) })],
        }),
      ]),
      [],
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, [bytes, expected]) => {
    const { ok, findings } = await validate(written(bytes));
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual(expected);
    expect(ok).toBe(expected.every(([, severity]) => severity === 'info'));
  });

  test('segments of one file need all of them, whole files their length', async () => {
    const handles = [segment('/nowhere/merged', 90, 20), segment('/nowhere/merged', 0, 10)];
    const subtasks = handles.map((handle, index) =>
      subtask({ index, managedKeyed: keyGroups(index * 2, [0, 0], handle) }),
    );
    const location = written(metadata([operator({ subtasks })]));
    const folder = path.dirname(location);
    const sized = (size: number) => {
      writeFileSync(path.join(folder, 'merged'), Buffer.alloc(size));
      return validate(location, [{ from: '/nowhere', to: folder }]);
    };
    expect((await sized(110)).ok).toBe(true);
    expect((await sized(500)).ok).toBe(true);
    expect(findingsOf(await sized(109))).toEqual([['STATE_FILE_LENGTH', 'error', path.join(folder, 'merged')]]);
  });

  test('findings without end are counted, not kept', async () => {
    const subtasks = Array.from({ length: 10_007 }, () => subtask({ index: 0 }));
    const { findings, findingsOmitted } = await validate(written(metadata([operator({ subtasks })])));
    expect([findings.length, findingsOmitted]).toEqual([10_000, 6]);
  });

  test('a relative name may lead out of the folder, as in Flink', async () => {
    const folder = temporaryFolder();
    const subtasks = [subtask({ index: 0, managedOperator: operatorState('s', [], relativeFile('../beside', 3)) })];
    cpSync(path.dirname(written(metadata([operator({ subtasks })]))), path.join(folder, 'chk-1'), { recursive: true });
    writeFileSync(path.join(folder, 'beside'), 'abc');
    expect((await validate(path.join(folder, 'chk-1'))).ok).toBe(true);
  });

  test('a name that no file can have is missing', async () => {
    const subtasks = [subtask({ index: 0, managedOperator: operatorState('s', [], relativeFile('a\0b', 3)) })];
    const { findings } = await validate(written(join(metadata([operator({ subtasks })]))));
    expect(findings.map(({ code }) => code)).toEqual(['STATE_FILE_MISSING']);
  });
});

function findingsOf({ findings }: CheckpointValidateReport): string[][] {
  return findings.map(({ code, severity, file }) => [code, severity, file]);
}
