// A stdout that cannot be written: /dev/full refuses each write as a full disk does. One line on stderr, exit 8, no trace;
// a job goes on without its client.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkoutFolder } from '../support/checkout.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { sampleEvents, temporaryFolder, writeStore } from '../support/sample-store.ts';

const launcher = join(checkoutFolder(), 'bin', 'run.js');

async function intoFull(args: readonly string[], cwd = temporaryFolder()): Promise<{ code: number; stderr: string }> {
  const full = await open('/dev/full', 'w');
  const child = spawn(process.execPath, [launcher, ...args], { cwd, stdio: ['ignore', full.fd, 'pipe'] });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number>((resolve) => child.on('close', resolve));
  await full.close();
  return { code, stderr };
}

describe.skipIf(!existsSync('/dev/full'))('a full disk behind stdout', () => {
  const line = /^jobrec: stdout cannot be written: no space left on the device \([^\n]*\)\n$/;

  it.each([[['jobs']], [['jobs', '--json']], [['--help']], [['checkpoint', '--help']], [['run', '--help']]])(
    'is one line and exit 8: %j',
    async (args) => {
      const { code, stderr } = await intoFull(args);
      expect(stderr).toMatch(line);
      expect(code).toBe(8);
    },
  );

  it('is told of reports and lists of a store, also where they found something', async () => {
    const store = join(temporaryFolder(), 'job-events');
    await writeStore(sampleEvents, { folder: store });
    for (const args of [['inspect'], ['inspect', '--events', '--json'], ['validate', '--json']]) {
      const { code, stderr } = await intoFull([...args, store]);
      expect(stderr).toMatch(line);
      expect(code).toBe(8);
    }
  });

  it.each([
    [['jobs', '--bogus'], 2, /^jobrec: jobs: unknown flag --bogus[^\n]*\n$/],
    [['jobs', '--bogus', '--json'], 2, /^jobrec: jobs: unknown flag --bogus[^\n]*\n$/],
    [['validate', 'nowhere', '--json'], 4, /^jobrec: [^\n]*nowhere does not exist[^\n]*\n$/],
  ] as const)('leaves an error its exit code, on stderr: %j', async (args, exitCode, message) => {
    const { code, stderr } = await intoFull(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(exitCode);
  });

  it('ends the client of a job that prints, and the job goes on', async () => {
    const folder = temporaryFolder();
    const source = 's: { generator: { columns: { n: sequence }, rowsPerSecond: 20, rows: 100000 } }';
    const sink = 'out: { input: s, print: true }';
    const job = `name: printer\nmode: streaming\nsources: { ${source} }\nsinks: { ${sink} }\n`;
    writeFileSync(join(folder, 'job.yaml'), job);
    const { code, stderr } = await intoFull(['run', 'job.yaml', '--workers', '1', '--slots', '1'], folder);
    try {
      expect(stderr).toMatch(/stdout cannot be written: no space left on the device \(.*the same command attaches/);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(code).toBe(8);
      const { jobs } = jsonOf(await runCli(['jobs', '--json'], { cwd: folder })) as { jobs: { state: string }[] };
      expect(jobs.map(({ state }) => state)).toEqual(['RUNNING']);
    } finally {
      await runCli(['cancel', 'printer'], { cwd: folder });
    }
  });
});
