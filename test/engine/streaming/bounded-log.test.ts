// A bounded log ends with what was there when its reading began, whatever is appended and whenever its tasks restart:
// source operators over a folder, restored from what they put into a checkpoint.
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LogSource } from '../../../src/engine/streaming/sources/log-source.ts';
import { RowDecoder } from '../../../src/engine/streaming/sources/row-format.ts';
import { SourceOperator } from '../../../src/engine/streaming/sources/source-operator.ts';
import { ValueCodec } from '../../../src/engine/streaming/state/value-codec.ts';

const codec = new ValueCodec();
const line = (n: number) => `{"n":${n}}\n`;

let folder = '';
beforeEach(async () => {
  const made = await mkdtemp(join(tmpdir(), 'jobrec-bounded-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  folder = made;
});

/** One subtask of the source, and the rows that left it. */
class Subtask {
  readonly rows: unknown[] = [];
  readonly #operator: SourceOperator;

  private constructor(operator: SourceOperator) {
    this.#operator = operator;
  }

  /** @param states of all subtasks, as they stand in a checkpoint; none: the job begins. */
  static async open(
    states: readonly unknown[] = [],
    options = {},
    [subtask, parallelism] = [0, 1],
    ofThisJob = true,
  ): Promise<Subtask> {
    const connector = { kind: 'log', path: folder, startingOffsets: 'earliest', bounded: true, ...options } as const;
    const source = new LogSource({ connector, decoder: new RowDecoder('json', 'fail') });
    const operator = new SourceOperator(source, subtask, parallelism, ofThisJob);
    onTestFinished(() => operator.close());
    const opened = new Subtask(operator);
    const output = {
      collect: (row: { n?: unknown }) => void opened.rows.push(row.n),
      emitWatermark() {},
      emitIdle() {},
    };
    if (states.length > 0) operator.initializeState(states);
    const context = { vertexName: 'log', subtask, parallelism, attempt: 0, functionsFolder: '' };
    await operator.open({ ...context, output, keyedState: null, origin: () => '' });
    return opened;
  }

  /** At most so many rows; to the end of the log where it is not said, or to where nothing comes for now. */
  async read(rows = Number.POSITIVE_INFINITY): Promise<this> {
    for (let left = rows; left > 0; left -= 1) {
      const records = await this.#operator.source.poll(1, 0);
      if (records === 'end' || records.length === 0) break;
      for (const record of records) this.#operator.emit(record);
    }
    return this;
  }

  async isAtEnd(): Promise<boolean> {
    return (await this.#operator.source.poll(1, 0)) === 'end';
  }

  /** As it comes back from a checkpoint. */
  snapshot(): unknown {
    return codec.decode(codec.encode(this.#operator.snapshotState(1)));
  }
}

const file = (name: string) => join(folder, name);

describe('a bounded log', () => {
  it.each([0, 1, 2])('restored behind %i rows ends where it ended at the start', async (behind) => {
    await writeFile(file('a'), line(1) + line(2));
    const first = await (await Subtask.open()).read(behind);
    const state = first.snapshot();
    await appendFile(file('a'), line(3));
    await writeFile(file('b'), line(4));
    const second = await (await Subtask.open([state])).read();
    expect([...first.rows, ...second.rows]).toEqual([1, 2]);
    expect(await second.isAtEnd()).toBe(true);
    // And once more, from a checkpoint of the restored one.
    const third = await (await Subtask.open([second.snapshot()])).read();
    expect([third.rows, await third.isAtEnd()]).toEqual([[], true]);
  });

  it('with a last line without a newline does not take what is appended to it later for its own', async () => {
    await writeFile(file('a'), `${line(1)}{"n":2}`);
    const state = (await Subtask.open()).snapshot();
    await appendFile(file('a'), `\n${line(3)}`);
    expect((await (await Subtask.open([state])).read()).rows).toEqual([1, 2]);
  });

  it('that was empty at the start stays empty', async () => {
    const state = (await Subtask.open()).snapshot();
    await writeFile(file('a'), line(1));
    expect((await (await Subtask.open([state])).read()).rows).toEqual([]);
    expect((await (await Subtask.open()).read()).rows).toEqual([1]);
  });

  it('finds no new files in a subtask that had none before, also with other tasks', async () => {
    await writeFile(file('a'), line(1));
    const state = (await Subtask.open()).snapshot();
    for (let index = 0; index < 20; index += 1) await writeFile(file(`new${index}`), line(index));
    const rows: unknown[] = [];
    for (const subtask of [0, 1, 2]) rows.push(...(await (await Subtask.open([state], {}, [subtask, 3])).read()).rows);
    expect(rows).toEqual([1]);
  });

  it('from the latest offsets has no rows, whatever comes', async () => {
    await writeFile(file('a'), line(1));
    const state = (await Subtask.open([], { startingOffsets: 'latest' })).snapshot();
    await appendFile(file('a'), line(2));
    expect((await (await Subtask.open([state], { startingOffsets: 'latest' })).read()).rows).toEqual([]);
  });

  it('goes on from positions without an end as they were written before: to what is there now', async () => {
    await writeFile(file('a'), line(1) + line(2));
    await writeFile(file('b'), line(3));
    const restored = await (await Subtask.open([[{ splitId: 'a', position: line(1).length }]])).read();
    expect(restored.rows.sort()).toEqual([2, 3]);
    await appendFile(file('a'), line(4));
    expect((await (await Subtask.open([restored.snapshot()])).read()).rows).toEqual([]);
  });

  it('of a new job that begins from its state goes on with what has come since, and ends there', async () => {
    await writeFile(file('a'), line(1));
    const state = (await (await Subtask.open()).read()).snapshot();
    await appendFile(file('a'), line(2));
    await writeFile(file('b'), line(3));
    const next = await Subtask.open([state], {}, [0, 1], false);
    const nextState = next.snapshot();
    await appendFile(file('b'), line(4));
    await writeFile(file('c'), line(5));
    expect((await next.read()).rows.sort()).toEqual([2, 3]);
    // Its own restarts end where it does.
    expect((await (await Subtask.open([nextState])).read()).rows.sort()).toEqual([2, 3]);
  });

  it('whose state goes to a log that is not bounded is read on', async () => {
    await writeFile(file('a'), line(1));
    const state = (await (await Subtask.open()).read()).snapshot();
    await appendFile(file('a'), line(2));
    await writeFile(file('b'), line(3));
    expect((await (await Subtask.open([state], { bounded: false })).read(2)).rows.sort()).toEqual([2, 3]);
  });

  it.each([0, 1])('that is shorter than at the start fails rather than waits (read behind %i rows)', async (behind) => {
    await writeFile(file('a'), line(1) + line(2));
    const state = (await (await Subtask.open()).read(behind)).snapshot();
    await truncate(file('a'), line(1).length);
    const restored = await Subtask.open([state]);
    const why = `has ${line(1).length} bytes, and had ${2 * line(1).length} at the start: a log is only ever appended to`;
    await expect(restored.read().then(() => restored.isAtEnd())).rejects.toThrow(why);
  });
});
