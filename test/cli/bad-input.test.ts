// Bad stores: each reading command answers a folder that is no store, or a spoilt one, with one clear line, the right
// exit code and no stack trace; and a store cut or flipped anywhere never makes a command crash.
import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import { inspectStore } from '../../src/services/inspect.ts';
import { replayStore } from '../../src/services/replay.ts';
import { validateStore } from '../../src/services/validate.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder, writeSampleStore } from '../support/sample-store.ts';

const reading = ['inspect', 'inspect --events', 'validate', 'replay', 'diff'] as const;

/** What lies at the location, the exit code, and what the line says. */
const locations: Readonly<
  Record<string, readonly [make: (folder: string) => Promise<string>, exit: number, says: RegExp]>
> = {
  'a folder that is not there': [async (folder) => join(folder, 'gone'), 4, /gone does not exist/],
  'an empty folder': [async (folder) => folder, 4, /is empty/],
  'a folder of other things': [
    async (folder) => {
      writeFileSync(join(folder, 'notes.txt'), 'hello');
      return folder;
    },
    4,
    /no store in .* or below it/,
  ],
  'a file': [
    async (folder) => {
      writeFileSync(join(folder, 'file'), 'hello');
      return join(folder, 'file');
    },
    4,
    /is a file, not a store/,
  ],
  'a file named like a segment': [
    async (folder) => {
      writeFileSync(join(folder, '00000000000000000000-0000000001.seg'), 'not a segment at all');
      return folder;
    },
    4,
    /none has a store's content/,
  ],
  'two stores below it': [
    async (folder) => {
      await writeSampleStore(join(folder, 'one'));
      await writeSampleStore(join(folder, 'two'));
      return folder;
    },
    2,
    /holds 2 stores; name one of them: .*one\/job-events, .*two\/job-events/,
  ],
};

describe('a location that is no store', () => {
  for (const [label, [make, exit, says]] of Object.entries(locations)) {
    it.each(reading)(`${label}: %s`, async (command) => {
      const [name = '', ...flags] = command.split(' ');
      const result = await runCli([name, await make(temporaryFolder()), ...flags]);
      expect(result).toMatchObject({ code: exit, stdout: '' });
      expect(result.stderr).toMatch(says);
      expect(result.stderr).toMatch(/^jobrec: [^\n]+\n$/);
    });
  }

  it('finds the one store below a folder', async () => {
    const home = temporaryFolder();
    await writeSampleStore(join(home, 'jobs', 'x'));
    expect((await runCli(['inspect', home])).code).toBe(0);
  });
});

describe('a spoilt segment', () => {
  let original = '';
  let segment = '';
  let size = 0;
  beforeAll(async () => {
    original = await writeSampleStore();
    segment = readdirSync(original).find((name) => name.endsWith('.seg')) ?? '';
    size = readFileSync(join(original, segment)).length;
  });

  const copy = () => {
    const folder = join(temporaryFolder(), 'job-events');
    mkdirSync(folder);
    cpSync(original, folder, { recursive: true });
    return folder;
  };

  /** An answer, or an expected error: never anything else. validate does all that the others do; they take turns. */
  const answers = async (location: string, turn: number) => {
    const options = { location, topology: [], until: null };
    const other = [inspectStore, replayStore][turn % 2] ?? inspectStore;
    for (const service of turn % 5 === 0 ? [validateStore, other] : [validateStore]) {
      await service(options).catch((error: unknown) => expect(error).toBeInstanceOf(JobrecError));
    }
  };

  it('cut at every byte: answered, or refused as expected', async () => {
    const folder = copy();
    for (let length = size - 1; length >= 0; length--) {
      truncateSync(join(folder, segment), length);
      await answers(folder, length);
    }
  });

  it('with a bit flipped at every byte: answered, or refused as expected', async () => {
    const folder = copy();
    const bytes = readFileSync(join(folder, segment));
    for (let offset = 0; offset < size; offset++) {
      const flipped = Buffer.from(bytes);
      flipped[offset] = (flipped[offset] ?? 0) ^ (1 << (offset % 8));
      writeFileSync(join(folder, segment), flipped);
      await answers(folder, offset);
    }
  });

  it('says nothing of a stack', async () => {
    const folder = copy();
    truncateSync(join(folder, segment), 40);
    for (const command of reading) {
      const [name = '', ...flags] = command.split(' ');
      const { stdout, stderr } = await runCli([name, folder, ...flags]);
      expect(stdout + stderr).not.toMatch(/\n\s+at /);
    }
  });
});
