// User-written enumerators in real threads: what they may do wrong ends in one clear line and never in this process.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EnumeratorThread } from '../../../../src/engine/job-master/source-coordinator/enumerator-thread.ts';
import { bundleFunction } from '../../../../src/plan/functions/bundle-functions.ts';
import { readDocument } from '../../../../src/plan/job-file/read-job-file.ts';

const worker = new URL('../../../../dist/enumerator-worker.js', import.meta.url);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-enumerator-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { places } = readDocument('job.yaml', 'name: x');
let files = 0;

/** Starts `text`, which exports `feed`, in a thread. */
async function threadOf(text: string, state: string | null = null, timeoutMs = 20_000): Promise<EnumeratorThread> {
  const file = join(folder, `feed-${files++}.ts`);
  await writeFile(file, text);
  const bundled = await bundleFunction(`${file}#feed`, folder, ['sources', 'feed', 'enumerator'], places);
  const module = join(folder, bundled.module.fileName);
  await writeFile(module, bundled.module.code);
  const context = { source: 'feed', parallelism: 2, folder };
  const setup = { moduleUrl: pathToFileURL(module).href, functionsFolder: folder, exportName: 'feed', context, state };
  const thread = new EnumeratorThread(setup, timeoutMs, worker);
  onTestFinished(() => thread.close());
  return thread;
}

/** Why the enumerator fails when it is asked. */
async function failureOf(text: string, timeoutMs?: number): Promise<string> {
  const thread = await threadOf(text, null, timeoutMs);
  return thread
    .start()
    .then(() => thread.next(0))
    .then(
      (answer) => `it answered ${JSON.stringify(answer)}`,
      (error: Error) => error.message,
    );
}

describe('an enumerator', () => {
  it('as a generator yields splits to whoever asks', async () => {
    const thread = await threadOf(
      `export async function* feed(context: { source: string }) {
        yield { id: context.source, rows: [0, 5], path: 'a.csv' };
        yield { id: 'b', data: { day: [1, null, 'x'] } };
      }`,
    );
    expect(await thread.start()).toEqual({ type: 'started', supportsBatchSnapshot: false, state: null });
    const first = { id: 'feed', path: 'a.csv', rows: [0, 5], data: null };
    expect(await thread.next(0)).toEqual({ type: 'answer', split: first, state: null });
    const second = { id: 'b', path: null, rows: null, data: '{"day":[1,null,"x"]}' };
    expect(await thread.next(1)).toEqual({ type: 'answer', split: second, state: null });
    expect(await thread.next(0)).toMatchObject({ split: null });
    expect(await thread.next(0)).toMatchObject({ split: null });
  });

  it('as an object is asked by subtask, gives its state with each answer, and goes on from it', async () => {
    const text = `export async function feed() {
      let given: string[] = [];
      return {
        next: (subtask: number) => { given.push('t' + subtask); return { id: given.join('-') }; },
        snapshot: () => given,
        restore: async (state: string[]) => { given = state; },
      };
    }`;
    const thread = await threadOf(text);
    expect(await thread.start()).toEqual({ type: 'started', supportsBatchSnapshot: true, state: '[]' });
    expect(await thread.next(1)).toMatchObject({ split: { id: 't1' }, state: '["t1"]' });
    const next = await threadOf(text, '["t1"]');
    expect(await next.start()).toMatchObject({ state: '["t1"]' });
    expect(await next.next(0)).toMatchObject({ split: { id: 't1-t0' }, state: '["t1","t0"]' });
  });
});

describe('an enumerator that fails is told with its name, and its file and line where it threw', () => {
  const object = (next: string, more = '') => `export const feed = () => ({ next: () => (${next}), ${more} });`;
  it.each([
    [
      'throws',
      `export function feed() {\n  const key = 1;\n  throw new RangeError('no such bucket');\n}`,
      /^enumerator feed: RangeError: no such bucket \(.*feed-\d+\.ts:3:9\)$/,
    ],
    [
      'throws when asked',
      `export function* feed() {\n\n  throw new Error('gone');\n}`,
      /^enumerator feed: gone \(.*feed-\d+\.ts:3:9\)$/,
    ],
    [
      'cannot be loaded',
      `throw new Error('at load');\nexport const feed = 1;`,
      /^enumerator feed: at load \(.*feed-\d+\.ts:1:7\)$/,
    ],
    ['is not a function', 'export const feed = 1;', /it is not a function/],
    [
      'gives nothing to ask',
      'export const feed = () => ({});',
      /it must yield splits \(a generator\), or return an object with next\(subtask\)/,
    ],
    [
      'rejects apart',
      `export function feed() { void Promise.reject(new Error('apart')); return { next: () => new Promise(() => {}) }; }`,
      /^enumerator feed: apart/,
    ],
    ['ends its thread', object('process.exit(3)'), /^enumerator feed ended its thread$/],
    ['gives a split without id', object('{}'), /a split whose id is not a text/],
    ['gives no split', object('7'), /a number where a split belongs/],
    [
      'gives a split with a key too many',
      object(`{ id: 'a', file: 'x' }`),
      /split "a" has an unknown key file; known: id, path, rows, data/,
    ],
    [
      'gives rows backwards',
      object(`{ id: 'a', rows: [5, 1] }`),
      /split "a" has rows that are not \[first, row behind the last\]/,
    ],
    [
      'gives a path that is none',
      object(`{ id: 'a', path: 5 }`),
      /split "a" has a path that is not the path of a file/,
    ],
    [
      'gives data that is no JSON',
      object(`{ id: 'a', data: { at: [new Map()] } }`),
      /data of split "a"\.at\[0\] is not plain data \(Map\)/,
    ],
    [
      'gives data without end',
      `export const feed = () => { const data: unknown[] = []; data.push(data); return { next: () => ({ id: 'a', data }) }; };`,
      /nested too deeply, or contains itself/,
    ],
    [
      'gives data too large',
      object(`{ id: 'a', data: 'x'.repeat(70_000) }`),
      /takes 70002 characters as JSON; at most 65536 are kept/,
    ],
    [
      'has a state too large',
      object('null', `snapshot: () => 'x'.repeat(2_000_000), restore() {}`),
      /what snapshot\(\) returned takes 2000002 characters/,
    ],
    [
      'has a state that is a number of no kind',
      object('null', 'snapshot: () => ({ at: NaN }), restore() {}'),
      /what snapshot\(\) returned\.at is NaN, which JSON does not have/,
    ],
    [
      'has half a pair',
      object('null', 'snapshot: () => 1'),
      /it has snapshot\(\) and no restore\(\); batch snapshots need both/,
    ],
    [
      'sends what it likes',
      `import { parentPort } from 'node:worker_threads';\nexport const feed = () => ({ next: () => { parentPort?.postMessage({ type: 'answer', split: 5 }); return null; } });`,
      /sent its JobMaster something that is no answer/,
    ],
  ])('%s', async (_what, text, message) => {
    expect(await failureOf(text)).toMatch(message);
  });

  it.each([
    ['hangs', 'new Promise(() => {})'],
    ['burns its processor', '(() => { for (;;); })()'],
  ])('%s', async (_what, next) => {
    expect(await failureOf(object(next), 1_000)).toBe(
      'enumerator feed did not answer within source.enumerator.timeout (1 s)',
    );
  });

  it('takes too much memory', async () => {
    const hoard = `export const feed = () => ({ next: () => { const all: number[][] = []; for (;;) all.push(new Array(1e5).fill(all.length)); } });`;
    expect(await failureOf(hoard)).toMatch(/ended its thread: .*memory/);
  });
});
