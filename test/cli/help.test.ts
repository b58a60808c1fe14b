// Help is good enough to start from: every command has examples, `-h` works everywhere, the root names all commands.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/index.ts';
import { runCli } from '../support/cli.ts';

const shown = Object.keys(COMMANDS)
  .filter((id) => id !== 'help')
  .map((id) => id.replaceAll(':', ' '));

describe('help', () => {
  it.each([['--help'], ['-h'], ['help']])('jobrec %s shows every command', async (...args) => {
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const id of shown) expect(result.stdout).toMatch(new RegExp(`^  ${id} +\\S`, 'm'));
  });

  it('is the golden text', async () => {
    await expect((await runCli(['--help'])).stdout).toMatchFileSnapshot('golden/help.txt');
  });

  it.each(shown)('%s -h has usage, flags and examples', async (id) => {
    const { code, stdout } = await runCli([...id.split(' '), '-h']);
    expect(code).toBe(0);
    for (const part of ['USAGE', 'EXAMPLES', '--json', `$ jobrec ${id}`]) expect(stdout).toContain(part);
    await expect(stdout).toMatchFileSnapshot(`golden/help-${id.replaceAll(' ', '-')}.txt`);
  });

  it('shows examples that a shell takes as they stand, however narrow the terminal', async () => {
    for (const id of shown) {
      const { stdout } = await runCli([...id.split(' '), '--help'], { env: { COLUMNS: '60' } });
      for (const [, command = ''] of stdout.matchAll(/^ {4}\$ (.*)$/gm)) {
        const { status, stderr } = spawnSync('bash', ['-n', '-c', command.replace(/<[\w-]+>/g, 'X')], {
          encoding: 'utf8',
        });
        expect([command, status, stderr]).toEqual([command, 0, '']);
      }
    }
  });

  it.each([[['diff']], [['checkpoint', 'inspect']], [['checkpoint']]])(
    'is the same by `jobrec help %j`',
    async (words) => {
      const { code, stdout } = await runCli(['help', ...words]);
      expect([code, stdout]).toEqual([0, (await runCli([...words, '--help'])).stdout]);
      expect(stdout).not.toBe('');
    },
  );

  it.each([
    [[], ['--help']],
    [['checkpoint'], ['checkpoint', '--help']],
  ])('is shown where the command is missing, which is a usage error: %j', async (args, help) => {
    const { stdout } = await runCli(help);
    const stderr = 'jobrec: missing command (jobrec --help lists the commands)\n';
    expect(await runCli(args)).toMatchObject({ code: 2, stdout, stderr });
  });

  it('of a topic lists its commands', async () => {
    const { code, stdout } = await runCli(['checkpoint', '--help']);
    expect(code).toBe(0);
    for (const id of shown.filter((each) => each.startsWith('checkpoint '))) {
      expect(stdout).toMatch(new RegExp(`^  ${id} +\\S`, 'm'));
    }
  });

  it('prints the version', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^jobrec\/\d+\.\d+\.\d+ /);
  });
});
