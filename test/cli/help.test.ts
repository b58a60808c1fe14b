// Help is good enough to start from: every command has examples, `-h` works everywhere, the root names all commands.
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/index.ts';
import { runCli } from '../support/cli.ts';

const shown = Object.keys(COMMANDS).filter((id) => id !== 'help');

describe('help', () => {
  it.each([['--help'], ['-h'], ['help'], []])('jobrec %s shows every command', async (...args) => {
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const id of shown) expect(result.stdout).toMatch(new RegExp(`^  ${id} +\\S`, 'm'));
  });

  it('is the golden text', async () => {
    await expect((await runCli(['--help'])).stdout).toMatchFileSnapshot('golden/help.txt');
  });

  it.each(shown)('%s -h has usage, flags and examples', async (id) => {
    const { code, stdout } = await runCli([id, '-h']);
    expect(code).toBe(0);
    for (const part of ['USAGE', 'EXAMPLES', '--json', `$ jobrec ${id}`]) expect(stdout).toContain(part);
    await expect(stdout).toMatchFileSnapshot(`golden/help-${id}.txt`);
  });

  it('is the same by `jobrec help COMMAND`', async () => {
    expect((await runCli(['help', 'diff'])).stdout).toBe((await runCli(['diff', '--help'])).stdout);
  });

  it('prints the version', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^jobrec\/\d+\.\d+\.\d+ /);
  });
});
