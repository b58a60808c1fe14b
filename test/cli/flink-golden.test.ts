// Golden output on stores of real Flink, as an operator meets them: in the high-availability folder of a cluster, with the
// submitted job beside them. A change of these files is a change of the public surface: look at the diff, then update with
// `npx vitest run test/cli -u`.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { capturesFolder, truthOf } from '../support/flink-capture.ts';
import { layOut } from '../support/flink-ha-folder.ts';
import { temporaryFolder } from '../support/sample-store.ts';

const sound = join(capturesFolder, '1.20.3/s04-nosnapshot-finished-tm-lost');
const damaged = join(capturesFolder, '2.3.0/s09b-torn-middle-file');

/** Each with the exit code. */
const cases: Readonly<Record<string, readonly [args: readonly string[], exit: number]>> = {
  inspect: [['inspect', '<sound>'], 0],
  'inspect-events': [['inspect', '<sound>', '--events', '--from', '1', '-n', '3'], 0],
  'inspect-events-raw': [['inspect', '<sound>', '--events', '--raw', '--type', 'job-vertex-initialized', '-n', '1'], 0],
  replay: [['replay', '<sound>'], 0],
  'replay-until': [['replay', '<sound>', '--until', '4'], 0],
  diff: [['diff', '<sound>', '--lost-worker', 'tm-b'], 0],
  'diff-nobody-back': [['diff', '<sound>', '--workers', ''], 0],
  'diff-empty-report': [['diff', '<sound>', '--partitions', '<report>'], 0],
  'diff-store-alone': [['diff', '<sound>/store', '--workers', 'tm-a,tm-c'], 0],
  'diff-damaged': [['diff', '<damaged>', '--workers', 'tm-a,tm-b,tm-c', '--exit-code'], 3],
  validate: [['validate', '<sound>'], 0],
  'validate-damaged': [['validate', '<damaged>'], 3],
  'repair-dry-run': [['validate', '<damaged>', '--repair', '--dry-run'], 3],
  'validate-torn': [['validate', '<torn>'], 3],
};

const paths: Record<string, string> = {};

function haFolderOf(capture: string) {
  const { jobId } = truthOf({ name: '', folder: capture, suffix: '' });
  return layOut(temporaryFolder(), capture, { jobId });
}

beforeAll(() => {
  paths['<sound>/store'] = join(sound, 'store');
  paths['<sound>'] = haFolderOf(sound).root;
  paths['<damaged>'] = haFolderOf(damaged).root;
  const torn = haFolderOf(sound);
  const file = join(torn.store, 'events.0');
  truncateSync(file, readFileSync(file).length - 100);
  paths['<torn>'] = torn.root;
  paths['<report>'] = join(temporaryFolder(), 'report.json');
  writeFileSync(paths['<report>'], '{"workers":[]}');
});

async function run(args: readonly string[]) {
  const filled = args.map((each) => paths[each] ?? each);
  const { code, stdout, stderr } = await runCli(filled);
  const named = Object.entries(paths).reduce((text, [name, path]) => text.replaceAll(path, name), stdout);
  return { code, stdout: named, stderr };
}

describe('golden output on Flink stores', () => {
  it.each(Object.entries(cases))('%s', async (name, [args, exit]) => {
    const result = await run(args);
    await expect(result.stdout).toMatchFileSnapshot(`golden/flink/${name}.txt`);
    expect(result.code).toBe(exit);
  });

  it.each(Object.entries(cases))('%s --json', async (name, [args, exit]) => {
    const result = await run([...args, '--json']);
    await expect(result.stdout).toMatchFileSnapshot(`golden/flink/${name}--json.txt`);
    expect(result.code).toBe(exit);
  });
});
