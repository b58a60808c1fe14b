// Golden output: what each reading command prints for the sample store, for people and for scripts. A change of these
// files is a change of the public surface: look at the diff, then update with `npx vitest run test/cli -u`.
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { temporaryFolder, writeSampleStore } from '../support/sample-store.ts';

const cases: Readonly<Record<string, readonly string[]>> = {
  inspect: ['inspect', '<store>'],
  'inspect-events': ['inspect', '<store>', '--events'],
  'inspect-events-filtered': [
    'inspect',
    '<store>',
    '--type',
    'execution-vertex-finished',
    '--vertex',
    'scan',
    '-n',
    '1',
  ],
  'inspect-events-raw': ['inspect', '<store>', '--raw', '--from', '1', '--until', '1'],
  replay: ['replay', '<store>'],
  'replay-until': ['replay', '<store>', '--until', 'finished:scan#0'],
  'diff-assumed': ['diff', '<store>'],
  'diff-lost-worker': ['diff', '<store>', '--lost-worker', 'w1'],
  'diff-workers': ['diff', '<store>', '--workers', 'w2,nobody'],
  validate: ['validate', '<store>'],
};

describe('golden output', () => {
  let store = '';
  beforeAll(async () => {
    store = await writeSampleStore();
  });

  const run = async (args: readonly string[]) => {
    const result = await runCli(args.map((each) => each.replace('<store>', store)));
    return { ...result, stdout: result.stdout.replaceAll(store, '<store>') };
  };

  it.each(Object.entries(cases))('%s', async (name, args) => {
    const result = await run(args);
    await expect(result.stdout).toMatchFileSnapshot(`golden/${name}.txt`);
    expect(result.code).toBe(0);
  });

  it.each(Object.entries(cases))('%s --json', async (name, args) => {
    const result = await run([...args, '--json']);
    await expect(result.stdout).toMatchFileSnapshot(`golden/${name}--json.txt`);
    expect(result.code).toBe(0);
  });

  it('says nothing on stderr where there is nothing to say', async () => {
    expect((await run(['inspect', '<store>'])).stderr).toBe('');
  });

  it('warns of a worker that the store does not know', async () => {
    const { stderr } = await run(['diff', '<store>', '--workers', 'w2,nobody']);
    expect(stderr).toBe('warning: the store knows no worker "nobody"; known: w1, w2\n');
  });

  it('lists no jobs in a home without any', async () => {
    const result = await runCli(['jobs', '--home', temporaryFolder(), '--json']);
    expect([result.code, JSON.parse(result.stdout)]).toEqual([0, { schemaVersion: 1, jobs: [] }]);
  });
});
