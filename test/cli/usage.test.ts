// Bad command lines: exit 2 and one line that says what is allowed; with --json one document with the same code.
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, runCli } from '../support/cli.ts';
import { temporaryFolder, writeSampleStore } from '../support/sample-store.ts';

type Case = readonly [label: string, args: readonly string[], code: string, says: RegExp];

const cases: readonly Case[] = [
  [
    'unknown command',
    ['inspct', '<store>'],
    'INVALID_ARGUMENT',
    /unknown command "inspct", did you mean inspect\?; allowed: .*replay/,
  ],
  ['far-off command', ['frobnicate'], 'INVALID_ARGUMENT', /unknown command "frobnicate"; allowed: /],
  [
    'unknown flag',
    ['inspect', '<store>', '--untl', '3'],
    'INVALID_FLAG',
    /unknown flag --untl, did you mean --until\?; allowed: .*--vertex/,
  ],
  [
    'flag of another command',
    ['replay', '<store>', '--events'],
    'INVALID_FLAG',
    /unknown flag --events.*; allowed: --until/,
  ],
  ['missing store', ['inspect'], 'INVALID_ARGUMENT', /missing <store>: a job-events folder/],
  ['missing job file', ['run'], 'INVALID_ARGUMENT', /missing <job-file>: a job file/],
  [
    'too many arguments',
    ['inspect', '<store>', 'more'],
    'INVALID_ARGUMENT',
    /unexpected argument "more"; allowed: jobrec inspect <store>/,
  ],
  [
    'an argument of a command that takes none',
    ['jobs', 'extra'],
    'INVALID_ARGUMENT',
    /jobs: unexpected argument "extra"; allowed: jobrec jobs \[flags\]/,
  ],
  [
    'more workers than a machine has slots for',
    ['run', '<store>/job.yaml', '--workers', '100000'],
    'INVALID_FLAG',
    /100000 workers of 1 slots are 100000 slots; allowed: 1024/,
  ],
  [
    'more slots in all than a machine has',
    ['run', '<store>/job.yaml', '--workers', '50', '--slots', '50', '--dry-run'],
    'INVALID_FLAG',
    /2500 slots; allowed: 1024/,
  ],
  ['flag without its value', ['replay', '<store>', '--until'], 'INVALID_FLAG', /--until expects a value/],
  [
    'flag given twice',
    ['replay', '<store>', '--until', '1', '--until', '2'],
    'INVALID_FLAG',
    /--until can only be specified once/,
  ],
  [
    '-n nonsense',
    ['inspect', '<store>', '-n', 'many'],
    'INVALID_FLAG',
    /-n: "many" is not allowed; allowed: a whole number of 1 or more/,
  ],
  ['-n zero', ['inspect', '<store>', '-n', '0'], 'INVALID_FLAG', /a whole number of 1 or more/],
  ['-n negative', ['inspect', '<store>', '-n', '-3'], 'INVALID_FLAG', /a whole number of 1 or more/],
  [
    '--workers nonsense',
    ['run', 'job.yaml', '--workers', '1.5'],
    'INVALID_FLAG',
    /--workers: "1.5" is not allowed; allowed: a whole/,
  ],
  [
    '-D without =',
    ['run', 'job.yaml', '-D', 'restart'],
    'INVALID_FLAG',
    /-D: "restart" is not allowed; allowed: option=value/,
  ],
  [
    'unknown event kind',
    ['inspect', '<store>', '--type', 'task-finished'],
    'INVALID_FLAG',
    /"task-finished" is no event kind; allowed: job-submitted/,
  ],
  [
    'unknown vertex',
    ['inspect', '<store>', '--vertex', 'total'],
    'INVALID_ARGUMENT',
    /no vertex "total"; known: "scan", "totals"/,
  ],
  [
    'bad position',
    ['replay', '<store>', '--until', 'yesterday'],
    'POSITION_INVALID',
    /"yesterday" is not a position; a position is a sequence number/,
  ],
  [
    'position behind the end',
    ['replay', '<store>', '--until', '99'],
    'POSITION_INVALID',
    /beyond the last event \(sequence 14\)/,
  ],
  [
    'task that has not finished',
    ['replay', '<store>', '--until', 'finished:totals#1'],
    'POSITION_INVALID',
    /totals#1 has not finished; finished: #0/,
  ],
  ['--from nonsense', ['inspect', '<store>', '--from', 'x'], 'POSITION_INVALID', /is not a position/],
  [
    '--topology on a jobrec store',
    ['replay', '<store>', '--topology', 'f'],
    'UNSUPPORTED_FOR_FORMAT',
    /--topology: a jobrec store holds its own names/,
  ],
  [
    '--flink-rest on a jobrec store',
    ['diff', '<store>', '--flink-rest', 'http://x'],
    'UNSUPPORTED_FOR_FORMAT',
    /--flink-rest is for Flink stores/,
  ],
  [
    '--source-without-batch-snapshot',
    ['diff', '<store>', '--source-without-batch-snapshot', 'scan'],
    'UNSUPPORTED_FOR_FORMAT',
    /is for Flink stores/,
  ],
  [
    'two ways to name survivors',
    ['diff', '<store>', '--workers', 'w1', '--lost-worker', 'w2'],
    'INVALID_FLAG',
    /--lost-worker/,
  ],
  [
    'report file that is not there',
    ['diff', '<store>', '--partitions', '<store>/none.json'],
    'REPORT_INVALID',
    /--partitions .*none\.json/,
  ],
  [
    '--workers with an empty name',
    ['diff', '<store>', '--workers', 'w1,,w2'],
    'INVALID_FLAG',
    /names separated by commas/,
  ],
];

describe('bad command lines', () => {
  let store = '';
  beforeAll(async () => {
    store = await writeSampleStore();
  });

  const filled = (args: readonly string[]) => args.map((each) => each.replace('<store>', store));

  it.each(cases)('%s', async (_label, args, _code, says) => {
    const result = await runCli(filled(args), { cwd: temporaryFolder() });
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(says);
    expect(result.stderr).toMatch(/^jobrec: [^\n]+\n$/);
    expect(result.code).toBe(2);
  });

  it.each(cases)('%s --json', async (_label, args, code, says) => {
    const result = await runCli([...filled(args), '--json'], { cwd: temporaryFolder() });
    // A flag that lacks its value takes --json for it; then there is no --json.
    const error = jsonOf(result).error as { message: string };
    expect(error).toMatchObject({ code, data: expect.any(Object) });
    expect(error.message).toMatch(says);
    expect(Object.keys(jsonOf(result))).toEqual(['schemaVersion', 'error']);
    expect(Object.keys(error)).toEqual(['code', 'message', 'data', 'hint']);
    expect(result).toMatchObject({ code: 2, stderr: '' });
  });

  it('takes global flags before the command', async () => {
    const result = await runCli(['--json', 'inspect', store]);
    expect([result.code, jsonOf(result).schemaVersion]).toEqual([0, 1]);
  });

  it('asks for a command where there is only --json', async () => {
    const result = await runCli(['--json']);
    expect(result.code).toBe(2);
    expect(jsonOf(result).error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'missing command' });
  });
});
