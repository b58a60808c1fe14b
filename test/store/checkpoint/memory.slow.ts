// A large hostile metadata file costs at most four times its bytes above the process's own baseline, whatever fills it, to
// inspect and to validate, as a process of its own.
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/sample-store.ts';
import { byte, inline, int, join, long, metadata, operator, relativeFile, subtask, utf } from './metadata-bytes.ts';

const bytesWanted = 48 * 1024 * 1024;
const most = 0x7fffffff;

/** `item` over and over, and how often. */
function filled(item: Buffer): [count: number, items: Buffer] {
  const count = Math.floor(bytesWanted / item.length);
  return [count, Buffer.alloc(count * item.length, item)];
}

function oneSubtask(parts: Omit<Parameters<typeof subtask>[0], 'index'>): Buffer {
  const subtasks = [subtask({ index: 0, ...parts })];
  return metadata([operator({ parallelism: 1, maxParallelism: most, subtasks })]);
}

function incremental(item: Buffer): Buffer {
  const [count, items] = filled(item);
  const head = join(byte(5), long(1), utf('backend'), int(0), int(4), inline(byte(1)));
  return oneSubtask({ managedKeyed: join(head, int(count), items, int(0)) });
}

const cases: Readonly<Record<string, () => Buffer>> = {
  'finished subtasks': () => {
    const [count, items] = filled(int(-1));
    return metadata([operator({ parallelism: most, maxParallelism: most, subtasks: [items], count })]);
  },
  'empty subtasks': () => {
    const [count, items] = filled(subtask({ index: 0 }));
    return metadata([operator({ subtasks: [items], count })]);
  },
  'empty operators': () => {
    const [count, items] = filled(operator());
    return join(int(0x4960672d), int(3), long(7), int(0), int(count), items);
  },
  'named states': () => {
    const [count, items] = filled(join(utf(''), byte(0), int(0)));
    return oneSubtask({ managedOperator: join(byte(4), int(count), items, inline(byte(1))) });
  },
  'places of elements': () => {
    const [count, items] = filled(long(0));
    return oneSubtask({
      managedOperator: join(byte(4), int(1), utf('SourceReaderState'), byte(0), int(count), items, inline(byte(1))),
    });
  },
  'key groups': () => {
    const [count, items] = filled(long(0));
    return oneSubtask({ managedKeyed: join(byte(3), int(0), int(count), items, inline(byte(1))) });
  },
  'files without names': () => incremental(join(utf(''), relativeFile('', 0))),
  'missing files': () => incremental(join(utf(''), byte(0))),
  'empty inline handles': () => incremental(join(utf(''), byte(1), utf(''), int(0))),
  'files, each another': () => {
    const item = join(utf('1.sst'), relativeFile('00000000-0000-4000-8000-000000000000', 9));
    const at = item.indexOf('00000000-');
    const bytes = incremental(item);
    const first = bytes.indexOf(item);
    for (let each = 0; each < Math.floor(bytesWanted / item.length); each++) {
      bytes.write(each.toString(16).padStart(8, '0'), first + each * item.length + at, 'latin1');
    }
    return bytes;
  },
  'missing parts of a changelog': () => {
    const [count, items] = filled(byte(0));
    const head = join(byte(8), int(0), int(4), long(1), int(count));
    return oneSubtask({ managedKeyed: join(head, items, int(0), long(1), utf('id')) });
  },
  'one large inline state': () => {
    const bytes = inline(Buffer.alloc(bytesWanted));
    return oneSubtask({ managedOperator: join(byte(4), int(0), bytes) });
  },
  'master states': () => {
    const [count, items] = filled(join(int(0xc96b1696 | 0), int(10), int(1), utf(''), int(0)));
    return join(int(0x4960672d), int(3), long(7), int(count), items, int(0));
  },
};

/** Peak of the whole process, in bytes. Not `maxRSS`: that of a child begins with what its parent, this test, once had. */
async function peakOf(command: string, location: string): Promise<number> {
  const report = `import { readFileSync } from 'node:fs';
process.on('exit', () => process.stderr.write('peak=' + /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]));`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}` };
  const { code, stderr } = await runCli(['checkpoint', command, location, '--json'], { env });
  expect([0, 3, 4]).toContain(code);
  return Number(/peak=(\d+)/.exec(stderr)?.[1]) * 1024;
}

test.each(Object.keys(cases))('%s', async (name) => {
  const location = path.join(temporaryFolder(), '_metadata');
  const sound = path.join(temporaryFolder(), '_metadata');
  writeFileSync(sound, metadata([operator({ subtasks: [subtask({ index: 0 })] })]));
  writeFileSync(location, cases[name]?.() ?? Buffer.alloc(0));
  for (const command of ['inspect', 'validate']) {
    const grownBytes = (await peakOf(command, location)) - (await peakOf(command, sound));
    expect(grownBytes, command).toBeLessThan(4 * statSync(location).size);
  }
});
