// Sources end to end that have no test of their own: a socket, which cannot be replayed and says so, a generator,
// whose rows go on behind a savepoint, and a Kafka broker that is not there.
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, kill, parseJson } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

/** A server that remembers who is connected. */
async function lineServer(): Promise<{ readonly server: Server; readonly port: number; readonly clients: Socket[] }> {
  const clients: Socket[] = [];
  const server = createServer((socket) => clients.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0, clients };
}

const socketJob = (port: number) => `
name: lines
mode: streaming
config: { execution.checkpointing.interval: 100 ms }
sources:
  lines: { socket: "127.0.0.1:${port}", format: raw }
stages:
  shout: { inputs: { l: lines }, map: "./f.ts#shout" }
sinks:
  out: { input: shout, path: out }
`;

const functions = `export const shout = ({ line }: { line: string }) => ({ line: line.toUpperCase() });\n`;

async function newSocketJob(port: number): Promise<StreamJob> {
  const job = await StreamJob.create({ 'job.yaml': socketJob(port), 'f.ts': functions });
  onTestFinished(() => job.remove());
  return job;
}

const lines = async (job: StreamJob) => (await job.written()).map(({ line }) => line);

const whenWritten = (job: StreamJob, expected: readonly string[]) =>
  eventually(`the lines ${expected.join(', ')}`, async () =>
    (await lines(job)).join() === expected.join() ? true : null,
  );

describe('a socket source', () => {
  it('is read until the server ends it, also in the middle of a character and without a last newline', async () => {
    const { port, clients } = await lineServer();
    const job = await newSocketJob(port);
    const { result } = job.start('--json');
    const client = await eventually('a connection', async () => clients[0] ?? null);
    const bytes = Buffer.from('one\r\nzwölf\n\nlast');
    const middle = bytes.indexOf(0xc3) + 1;
    client.write(bytes.subarray(0, middle));
    await whenWritten(job, ['ONE']);
    client.end(bytes.subarray(middle));
    const { code, stdout, stderr } = await result;
    expect([code, JSON.parse(stdout).state]).toEqual([0, 'FINISHED']);
    expect(await lines(job)).toEqual(['ONE', 'ZWÖLF', 'LAST']);
    expect(stderr).toMatch(/cannot be replayed/);
  });

  it('loses what it had read since the checkpoint when it is killed, and goes on with what comes next', async () => {
    const { port, clients } = await lineServer();
    const job = await newSocketJob(port);
    const killed = job.start('--json');
    const first = await eventually('a connection', async () => clients[0] ?? null);
    first.write('a\n');
    await whenWritten(job, ['A']);
    await job.killAll(killed);
    const resumed = job.start('--json');
    const second = await eventually('a connection of the next run', async () => clients[1] ?? null);
    second.end('b\n');
    expect((await resumed.result).code).toBe(0);
    expect(await lines(job)).toEqual(['A', 'B']);
  });

  it('that nobody serves fails its task, naming the address', async () => {
    const { port, server } = await lineServer();
    server.close();
    const job = await newSocketJob(port);
    await job.write('job.yaml', `${socketJob(port).replace('100 ms', '100 ms, restart-strategy.type: none')}`);
    const { code, stdout } = await job.run('--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      7,
      { state: 'FAILED', failure: { message: expect.stringMatching(`socket 127.0.0.1:${port} cannot be read`) } },
    ]);
  });
});

const generatorJob = (parallelism: number) => `
name: numbers
mode: streaming
config: { execution.checkpointing.interval: 100 ms, parallelism.default: ${parallelism} }
sources:
  numbers: { generator: { rowsPerSecond: 400, rows: 1200, columns: { n: sequence } } }
sinks:
  out: { input: numbers, path: out }
`;

it('a generator goes on behind a savepoint, with other tasks: every row is there once', async () => {
  const job = await StreamJob.create({ 'job.yaml': generatorJob(1) });
  onTestFinished(() => job.remove());
  const first = job.start('--json');
  await eventually('some rows', async () => ((await job.written()).length > 100 ? true : null));
  const stopped = await job.cli('stop', 'numbers', '--savepoint-path', 'saved', '--json');
  const { path } = parseJson<{ readonly path: string }>(stopped);
  expect((await first.result).code).toBe(0);
  const before = (await job.written()).length;
  expect(before).toBeLessThan(1200);
  await job.write('job.yaml', generatorJob(3));
  const second = await job.run('--json', '--from-savepoint', path);
  expect([second.code, parseJson<{ readonly state: string }>(second).state]).toEqual([0, 'FINISHED']);
  const numbers = (await job.written()).map(({ n }) => Number(n)).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 1200 }, (_, n) => n));
});

it('a Kafka broker that is away is named at once, and once for all tasks', async () => {
  const { server, port } = await lineServer();
  await new Promise((resolve) => server.close(resolve));
  const kafkaJob = `
name: far
mode: streaming
config: { parallelism.default: 3 }
sources:
  far: { kafka: { bootstrapServers: "127.0.0.1:${port}", topic: far, groupId: far }, format: json }
sinks:
  out: { input: far, path: out }
`;
  const job = await StreamJob.create({ 'job.yaml': kafkaJob });
  onTestFinished(() => job.remove());
  const { child, result } = job.start();
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const note = `note: Kafka at 127.0.0.1:${port}: Connection error: connect ECONNREFUSED 127.0.0.1:${port}; trying again`;
  await eventually('the note', async () => (said.includes(note) ? true : null));
  child.kill('SIGINT');
  const { code, stderr } = await result;
  expect([code, stderr.split(note).length - 1]).toEqual([130, 1]);
});

it.each([
  ['fewer files than tasks', ['a']],
  ['no file at all', []],
])('a bounded log with %s ends its job', async (_, files) => {
  const boundedJob = `
name: few
mode: streaming
config: { execution.checkpointing.interval: 100 ms, parallelism.default: 4 }
sources:
  few: { log: { path: few, bounded: true } }
sinks:
  out: { input: few, path: out }
`;
  const job = await StreamJob.create({ 'job.yaml': boundedJob, 'few/.hidden': '' });
  onTestFinished(() => job.remove());
  for (const file of files) await job.append(`few/${file}.jsonl`, [{ file }]);
  const { code, stdout } = await job.run('--json', '--workers', '2');
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { state: 'FINISHED', sinks: [{ rows: files.length }] }]);
});

it('a bounded log with a mistyped path is refused, and earlier output stays', async () => {
  const boundedJob = (path: string) => `
name: few
mode: streaming
sources:
  few: { log: { path: ${path}, bounded: true } }
sinks:
  out: { input: few, path: out }
`;
  const job = await StreamJob.create({ 'job.yaml': boundedJob('few') });
  onTestFinished(() => job.remove());
  await job.append('few/a.jsonl', [{ n: 1 }]);
  expect((await job.run('--json')).code).toBe(0);
  await job.write('job.yaml', boundedJob('fewe'));
  const { code, stderr } = await job.run();
  expect([code, stderr]).toEqual([2, expect.stringContaining('job.yaml:5:23: source few: there is no folder or file')]);
  expect(await job.written()).toEqual([{ n: 1 }]);
});

it('a log that is not there yet is waited for, and said by run and its dry run', async () => {
  const waiting = 'name: w\nmode: streaming\nsources: { w: { log: later } }\nsinks: { out: { input: w, path: out } }\n';
  const job = await StreamJob.create({ 'job.yaml': waiting });
  onTestFinished(() => job.remove());
  const dry = await job.run('--dry-run');
  expect([dry.code, dry.stdout + dry.stderr]).toEqual([0, expect.stringMatching(/source w: .*later is not there yet/)]);
  const { child, result } = job.start();
  await eventually('the job', async () => ((await job.processes()) ? true : null));
  child.kill('SIGINT');
  expect((await result).stderr).toMatch(/source w: .*later is not there yet: it is waited for/);
});

it('a bounded log ends with what was there at the start, also after a worker and then everything was killed', async () => {
  const boundedJob = `
name: few
mode: streaming
config: { execution.checkpointing.interval: 100 ms }
sources:
  few: { log: { path: few, bounded: true } }
  more: { log: more }
sinks:
  out: { input: few, path: out }
  rest: { input: more, path: rest }
`;
  const job = await StreamJob.create({ 'job.yaml': boundedJob });
  onTestFinished(() => job.remove());
  await job.append('few/a.jsonl', [{ n: 1 }]);
  await job.append('more/a.jsonl', [{ n: 1 }]);
  const whenRead = (n: number) =>
    eventually(
      `${n} rows of the other log`,
      async () => ((await job.written('rest')).length === n ? true : null),
      60_000,
    );
  const first = job.start('--json', '--workers', '1');
  await whenRead(1);
  await job.append('few/a.jsonl', [{ n: 2 }]);
  await job.append('few/b.jsonl', [{ n: 3 }]);
  const [worker] = (await job.processes())?.taskManagers ?? [];
  if (!worker) throw new Error('there is no worker');
  kill(worker.pid);
  await job.append('more/a.jsonl', [{ n: 2 }]);
  await whenRead(2);
  expect((await job.events('checkpoint-restored')).length).toBeGreaterThan(0);
  await job.killAll(first);
  const second = job.start('--json', '--workers', '1');
  await job.append('more/a.jsonl', [{ n: 3 }]);
  await whenRead(3);
  await job.nextCheckpoint();
  await job.cli('cancel', 'few');
  await second.result;
  expect(await job.written()).toEqual([{ n: 1 }]);
});
