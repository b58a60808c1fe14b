// The demo is what a user meets first: it must end well, its prediction hold, its answer be DuckDB's, and readable
// without a terminal or colours. Runs it as `npm run demo` does, on the built program.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

it('the demo ends well and says so in plain text', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/demo.js'], {
    cwd: checkout,
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/SIGKILL {2}JobMaster, process \d+/);
  expect(stdout).toMatch(/as predicted: \d+ finished tasks? kept, \d+ run again/);
  expect(stdout).toMatch(/CREATED \(.*\) → RECONCILING \(.*\) → RUNNING \(.*\) → FINISHED/);
  expect(stdout).toMatch(/the same: 44 rows, equal one by one/);
  expect(stdout).not.toContain('\u001b');
});
