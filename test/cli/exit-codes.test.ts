// Every exit code of the contract that a reading command can end with, with and without --json; and the table of all
// error codes.
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcomeOfError } from '../../src/cli/error-report.ts';
import { exitCodeOfError, exitCodeOfRun } from '../../src/cli/exit-codes.ts';
import { type ErrorCode, exitCodeByErrorCode, InvariantViolation, JobrecError } from '../../src/model/errors.ts';
import { headerBytes, segmentMagic } from '../../src/store/format.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { sampleEvents, temporaryFolder, writeSampleStore, writeStore } from '../support/sample-store.ts';

const reading = ['inspect', 'validate', 'replay', 'diff'] as const;

describe('exit codes of reading commands', () => {
  let store = '';
  beforeAll(async () => {
    store = await writeSampleStore();
  });

  /** A copy of the sample store, spoilt. */
  const spoilt = (spoil: (segment: string) => void): string => {
    const copy = join(temporaryFolder(), 'job-events');
    cpSync(store, copy, { recursive: true });
    const segment = readdirSync(copy).find((name) => name.endsWith('.seg')) ?? '';
    spoil(join(copy, segment));
    return copy;
  };

  const flip = (offset: number) => (file: string) => {
    const bytes = readFileSync(file);
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x40;
    writeFileSync(file, bytes);
  };

  /** A whole header that says version 2. */
  const raiseVersion = (file: string) => {
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(2, segmentMagic.length);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes - 4)), headerBytes - 4);
    writeFileSync(file, bytes);
  };

  const both = async (args: readonly string[]) => {
    const [plain, json] = [await runCli(args), await runCli([...args, '--json'])];
    expect(json.code).toBe(plain.code);
    return { plain, json, document: jsonOf(json) };
  };

  it.each(reading)('0: %s of a sound store', async (command) => {
    const { plain, document } = await both([command, store]);
    expect(plain.code).toBe(0);
    expect(document).toMatchObject({ schemaVersion: 1, damage: null });
  });

  it.each(reading)('3: %s of a damaged store answers from the good prefix', async (command) => {
    const damaged = spoilt(flip(1200));
    const { plain, document } = await both([command, damaged]);
    expect(plain.code).toBe(3);
    expect(document).toMatchObject({
      schemaVersion: 1,
      damage: { code: 'CHECKSUM_MISMATCH', offset: expect.any(Number) },
    });
    expect(plain.stdout).toContain(command === 'validate' ? 'NOT OK' : 'DAMAGED');
  });

  it('3: inspect --events ends with the damage, as its last line', async () => {
    const { code, stdout } = await runCli(['inspect', spoilt(flip(1200)), '--events', '--json']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(3);
    expect(lines.at(-1)).toEqual({
      damage: { code: 'CHECKSUM_MISMATCH', segment: expect.any(String), offset: expect.any(Number) },
    });
    expect(lines.slice(0, -1).map((line) => line.sequence)).toEqual(lines.slice(0, -1).map((_, index) => index));
    expect(lines.length).toBeGreaterThan(1);
  });

  it('3: validate warns of a torn tail, which is no damage to the others', async () => {
    const torn = spoilt((file) => appendFileSync(file, 'half a frame'));
    const { plain, document } = await both(['validate', torn]);
    expect(plain.code).toBe(3);
    expect(document).toMatchObject({ ok: false, findings: [{ code: 'TORN_TAIL', severity: 'warning' }], damage: null });
    expect((await both(['inspect', torn])).plain.code).toBe(0);
    expect((await both(['replay', torn])).plain.code).toBe(0);
  });

  it('3: validate finds events that make no sense', async () => {
    const odd = join(temporaryFolder(), 'job-events');
    await writeStore(
      sampleEvents.filter((event) => event.type !== 'job-vertex-initialized'),
      { folder: odd },
    );
    const { plain, document } = await both(['validate', odd]);
    expect(plain.code).toBe(3);
    expect((document.findings as { code: string }[]).map((each) => each.code)).toContain('FINISH_WITHOUT_INIT');
  });

  it('3: diff --exit-code predicts reruns, and 0 where there are none', async () => {
    expect((await both(['diff', store, '--lost-worker', 'w1', '--exit-code'])).plain.code).toBe(3);
    expect((await both(['diff', store, '--lost-worker', 'w1'])).plain.code).toBe(0);
    expect((await both(['diff', store, '--exit-code'])).plain.code).toBe(0);
  });

  it.each(reading)('4: %s where there is no store', async (command) => {
    const { plain, document } = await both([command, join(store, 'nowhere')]);
    expect(plain).toMatchObject({ code: 4, stdout: '' });
    expect(plain.stderr).toMatch(/^jobrec: [^\n]+\n$/);
    expect(document).toMatchObject({ error: { code: 'STORE_NOT_FOUND' } });
  });

  it.each(reading)('6: %s of a newer format', async (command) => {
    const { plain, document } = await both([command, spoilt(raiseVersion)]);
    expect(plain).toMatchObject({ code: 6, stdout: '' });
    expect(document).toMatchObject({ error: { code: 'FORMAT_TOO_NEW', data: { formatVersion: 2 } } });
  });

  it('1: a bug outside of the command is one line, too', async () => {
    const plant =
      "const t = setInterval(() => { if (process.listenerCount('uncaughtException') > 0) { clearInterval(t); throw new TypeError('late') } }, 1)";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(plant)}` };
    const result = await runCli(['inspect', store], { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^jobrec: late \(this is a bug in jobrec: [^\n]*\)\n$/);
  });

  it('1: a bug is one line and asks for a report; the stack only with JOBREC_DEBUG', async () => {
    // The planted bug: every listing of a folder fails in a way that no code expects.
    const plant =
      "import fs from 'node:fs/promises'; import m from 'node:module'; fs.readdir = () => { throw new TypeError('planted') }; m.syncBuiltinESMExports();";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(plant)}` };
    const plain = await runCli(['inspect', store], { env });
    expect(plain).toMatchObject({ code: 1, stdout: '' });
    expect(plain.stderr).toMatch(/^jobrec: planted \(this is a bug in jobrec: [^\n]*JOBREC_DEBUG=1[^\n]*\)\n$/);
    const debug = await runCli(['inspect', store], { env: { ...env, JOBREC_DEBUG: '1' } });
    expect(debug.stderr).toMatch(/TypeError: planted\n\s+at /);
    const json = await runCli(['inspect', store, '--json'], { env });
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(jsonOf(json)).toMatchObject({ schemaVersion: 1, error: { code: 'INTERNAL_ERROR', message: 'planted' } });
  });
});

describe('the mapping', () => {
  it.each(Object.entries(exitCodeByErrorCode))('%s is %d', (code, exitCode) => {
    const error = new JobrecError(code as ErrorCode, 'message', { data: { a: 1 }, hint: 'hint' });
    expect(exitCodeOfError(error)).toBe(exitCode);
    expect(outcomeOfError(error)).toEqual({
      exitCode,
      stack: null,
      report: { code, message: 'message', data: { a: 1 }, hint: 'hint' },
    });
  });

  it('takes an operating system refusal for an answer about data, and all else for a bug', () => {
    const refusal = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path: '/x' });
    expect(outcomeOfError(refusal)).toMatchObject({ exitCode: 4, report: { message: '/x: permission denied' } });
    for (const bug of [new InvariantViolation('no'), new TypeError('no'), 'no', undefined]) {
      expect(outcomeOfError(bug).exitCode).toBe(1);
    }
  });

  it('keeps the report of a run, and says by its code how it ended', () => {
    expect(exitCodeOfRun({ state: 'FINISHED' })).toBe(0);
    expect(exitCodeOfRun({ state: 'FAILED' })).toBe(7);
    const codes = [
      'JOB_FAILED',
      'JOB_CANCELED',
      'JOB_SUSPENDED',
      'STORE_POISONED',
      'INTERRUPTED',
      'TERMINATED',
      'INTERRUPTED_HANGUP',
    ] as const;
    expect(codes.map((code) => exitCodeOfRun({ state: 'SUSPENDED', failure: { code } }))).toEqual([
      7, 7, 7, 7, 130, 143, 129,
    ]);
  });

  it('is written down: every code in docs/exit-codes.md, with its number', () => {
    const page = readFileSync(
      join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'exit-codes.md'),
      'utf8',
    );
    for (const [code, exitCode] of Object.entries(exitCodeByErrorCode)) {
      expect(page).toMatch(new RegExp(`^\\| \`${code}\` \\| ${exitCode} \\|`, 'm'));
    }
  });
});
