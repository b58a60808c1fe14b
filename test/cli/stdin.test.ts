// `-` is stdin wherever a file is read: the answer is that of the file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownCheckpoints } from '../store/checkpoint/savepoints.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { capturesFolder } from '../support/flink-capture.ts';

const capture = join(capturesFolder, '1.20.3/s04-nosnapshot-finished-tm-lost');
const store = join(capture, 'store');
const graph = join(capture, 'plan.json');
const metadata = join(ownCheckpoints, '2.0-finished', '_metadata');

const fromInput = (args: readonly string[], file: string) => runCli(args, { input: readFileSync(file) });

describe('stdin', () => {
  it('is a topology', async () => {
    const named = await runCli(['replay', store, '--topology', graph, '--json']);
    const piped = await fromInput(['replay', store, '--topology', '-', '--json'], graph);
    expect([piped.code, piped.stderr]).toEqual([0, named.stderr]);
    expect(jsonOf(piped)).toEqual(jsonOf(named));
  });

  it("is a cluster's configuration", async () => {
    const input = 'high-availability.type: zookeeper\n';
    const { code, stdout } = await runCli(['doctor', '-', '--json'], { input });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ target: '-', ok: false });
    const bad = await runCli(['doctor', '-'], { input: '- a\n- b\n' });
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringMatching(/^jobrec: stdin: holds no options/) });
  });

  it("is a checkpoint's metadata", async () => {
    const named = jsonOf(await runCli(['checkpoint', 'inspect', metadata, '--json']));
    const piped = await fromInput(['checkpoint', 'inspect', '-', '--json'], metadata);
    expect(jsonOf(piped)).toEqual({ ...named, location: 'stdin' });
    const compared = await fromInput(['checkpoint', 'diff', metadata, '-', '--exit-code'], metadata);
    expect(compared.code).toBe(0);
    const damaged = await runCli(['checkpoint', 'inspect', '-'], { input: 'nothing of the kind' });
    expect(damaged).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/^jobrec: stdin begins like no checkpoint/),
    });
  });

  it.each([[['validate', '-']], [['inspect', '-', '--state-files']]])(
    'brings no state files along: checkpoint %j',
    async (args) => {
      const { code, stderr } = await fromInput(['checkpoint', ...args], metadata);
      expect(stderr).toMatch(/looks at state files, which stdin does not bring along/);
      expect(code).toBe(2);
    },
  );

  it('is read once', async () => {
    const { code, stderr } = await fromInput(['diff', store, '--topology', '-', '--partitions', '-'], graph);
    expect(stderr).toMatch(/^jobrec: - \(stdin\) is named twice/);
    expect(code).toBe(2);
  });
});
