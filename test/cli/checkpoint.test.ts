// The checkpoint commands as a user runs them: golden output of checkpoints that real Flink wrote, exit codes in both modes,
// one line for what cannot be read. Update the golden files with `npx vitest run test/cli -u`, and look at the diff.
import { appendFileSync, cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { completeCheckpoint, writeState } from '../../src/store/checkpoint/checkpoint-storage.ts';
import { ownCheckpoints } from '../store/checkpoint/savepoints.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/sample-store.ts';

const at = (name: string) => path.join(ownCheckpoints, name);

const golden: Readonly<Record<string, readonly string[]>> = {
  'checkpoint-inspect': ['inspect', at('2.0-finished')],
  'checkpoint-inspect-kafka': ['inspect', at('2.3-kafka')],
  'checkpoint-inspect-subtasks': ['inspect', at('1.20-kafka'), '--operator', 'kafka', '--subtasks'],
  'checkpoint-inspect-channels': ['inspect', at('2.3-unaligned')],
  'checkpoint-diff': ['diff', at('1.20-finished'), at('2.0-finished')],
  'checkpoint-diff-kafka': ['diff', at('2.3-kafka'), at('2.3-kafka-files/chk-4')],
  'checkpoint-diff-another-job': ['diff', at('2.3-kafka'), at('2.3-savepoint')],
  'checkpoint-validate': ['validate', at('2.3-savepoint')],
  'checkpoint-validate-unreachable': ['validate', at('handles/format-6-seed-12')],
};

/** Exit 3 where there are findings. */
const found = ['checkpoint-validate-unreachable'];

describe('golden output', () => {
  const run = async (args: readonly string[]) => {
    const { code, stdout } = await runCli(['checkpoint', ...args]);
    return { code, stdout: stdout.replaceAll(ownCheckpoints, '<checkpoints>') };
  };

  it.each(Object.entries(golden))('%s', async (name, args) => {
    const { code, stdout } = await run(args);
    await expect(stdout).toMatchFileSnapshot(`golden/${name}.txt`);
    expect(code).toBe(found.includes(name) ? 3 : 0);
  });

  it.each(Object.entries(golden))('%s --json', async (name, args) => {
    const { code, stdout } = await run([...args, '--json']);
    await expect(stdout).toMatchFileSnapshot(`golden/${name}--json.txt`);
    expect(code).toBe(found.includes(name) ? 3 : 0);
  });
});

describe('exit codes, the same with --json', () => {
  const both = async (args: readonly string[]) => {
    const [plain, json] = [await runCli(['checkpoint', ...args]), await runCli(['checkpoint', ...args, '--json'])];
    expect(json.code).toBe(plain.code);
    return { plain, document: jsonOf(json) };
  };
  const copied = (name: string) => {
    const folder = path.join(temporaryFolder(), 'copy');
    cpSync(at(name), folder, { recursive: true });
    return folder;
  };

  it('3: diff --exit-code of what differs, 0 of what does not', async () => {
    const pair = [at('1.20-kafka'), at('2.3-kafka')];
    expect((await both(['diff', ...pair])).plain.code).toBe(0);
    expect((await both(['diff', ...pair, '--exit-code'])).plain.code).toBe(3);
    expect((await both(['diff', at('2.3-kafka'), at('2.3-kafka'), '--exit-code'])).plain.code).toBe(0);
  });

  it('3: validate of a checkpoint with trailing bytes, which inspect reads', async () => {
    const folder = copied('2.3-savepoint');
    appendFileSync(path.join(folder, '_metadata'), 'tail');
    const { plain, document } = await both(['validate', folder]);
    expect(plain.code).toBe(3);
    expect(document).toMatchObject({ schemaVersion: 1, ok: false, findings: [{ code: 'TRAILING_BYTES' }] });
    expect((await both(['inspect', folder])).plain.code).toBe(0);
  });

  it('3: validate of a checkpoint of jobrec with a state file whose bytes have changed', async () => {
    const folder = path.join(temporaryFolder(), 'chk-1');
    mkdirSync(folder);
    const state = await writeState(folder, 'own-0', Buffer.from('state'));
    const subtasks = [{ subtask: 0, keyed: null, operator: state }];
    const operator = {
      operatorId: 'c'.repeat(32),
      uid: 'Sum',
      name: 'count',
      parallelism: 1,
      maxParallelism: 128,
      subtasks,
    };
    const head = {
      kind: 'checkpoint',
      checkpointId: 1,
      jobId: 'a'.repeat(32),
      jobName: 'words',
      epoch: 1,
      timestampMs: 0,
    } as const;
    await completeCheckpoint(folder, { ...head, operators: [operator], parts: [], sinkRows: [] });
    expect((await both(['validate', folder])).plain.stdout).toContain('1 state file of 5 B, 1 checksum\n');
    const file = path.join(folder, 'own-0');
    writeFileSync(file, 'stale');
    const { plain, document } = await both(['validate', folder]);
    expect(plain.code).toBe(3);
    const message = 'a state file has the CRC-32 21884aa2, a393d2fb was written: its bytes have changed';
    expect(plain.stdout).toContain(`error    STATE_FILE_CHECKSUM  ${file}\n         ${message}\n`);
    expect(document).toMatchObject({ ok: false, findings: [{ code: 'STATE_FILE_CHECKSUM', file, message }] });
  });

  it.each(['inspect', 'validate', 'diff'])(
    '4: %s of metadata cut short is one line with file and byte',
    async (command) => {
      const file = path.join(copied('2.3-kafka'), '_metadata');
      truncateSync(file, 700);
      const { plain, document } = await both([command, file, ...(command === 'diff' ? [file] : [])]);
      expect(plain).toMatchObject({ code: 4, stdout: '' });
      expect(plain.stderr).toMatch(/^jobrec: .*_metadata is damaged at byte \d+: [^\n]+\n$/);
      expect(document).toMatchObject({
        error: { code: 'CHECKPOINT_DAMAGED', data: { path: file, offset: expect.any(Number) } },
      });
    },
  );

  it('4: a folder without metadata, and nothing at all', async () => {
    const folder = copied('2.3-savepoint');
    rmSync(path.join(folder, '_metadata'));
    expect((await both(['inspect', folder])).document).toMatchObject({ error: { code: 'NOT_A_CHECKPOINT' } });
    expect((await both(['inspect', path.join(folder, 'gone')])).document).toMatchObject({
      error: { code: 'CHECKPOINT_NOT_FOUND' },
    });
  });

  it('2: an operator that is not there, a path map without its second half, a second path', async () => {
    for (const args of [
      ['inspect', at('2.3-kafka'), '--operator', 'nobody'],
      ['validate', at('2.3-kafka'), '--path-map', 'hdfs://nn'],
      ['inspect', at('2.3-kafka'), 'more'],
      ['diff', at('2.3-kafka')],
      ['inspct', at('2.3-kafka')],
    ]) {
      const { plain } = await both(args);
      expect(plain).toMatchObject({ code: 2, stdout: '' });
      expect(plain.stderr).toMatch(/^jobrec: [^\n]+\n$/);
    }
  });

  it('2: the topic alone; without --json, below its help', async () => {
    const json = await runCli(['checkpoint', '--json']);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([2, { error: { code: 'INVALID_ARGUMENT' } }]);
    expect((await runCli(['checkpoint'])).code).toBe(2);
  });

  it('global flags may stand before the two words', async () => {
    const { code, stdout } = await runCli(['--json', 'checkpoint', 'inspect', at('2.3-kafka')]);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { format: 'flink', formatVersion: 6, type: 'checkpoint' }]);
  });
});
