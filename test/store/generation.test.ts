import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readJsonFile, replaceFile } from '../../src/store/atomic-file.ts';
import { latestGeneration, latestGenerationNumber, latestHolder, takeGeneration } from '../../src/store/generation.ts';
import { currentProcess, isAlive, processWithId } from '../../src/store/process-identity.ts';
import { temporaryFolder } from './sample-store.ts';

describe('generations', () => {
  test('are taken one after the other, with their holder', async () => {
    const folder = path.join(await temporaryFolder(), 'epochs');
    expect(await latestGeneration(folder)).toBeNull();
    const first = await takeGeneration(folder, 0, { port: 7 });
    expect(first).toMatchObject({ number: 1, holder: currentProcess(), detail: { port: 7 } });
    expect(await latestGeneration(folder)).toEqual(first);
    expect((await takeGeneration(folder, 1))?.number).toBe(2);
    expect(await latestGenerationNumber(folder)).toBe(2);
    expect(await readdir(folder)).toEqual(['0000000001', '0000000002']);
  });

  test.each([0, 1, 3, 7])('with 2 taken, expecting %i gets nothing', async (expected) => {
    const folder = await temporaryFolder();
    await takeGeneration(folder, 0);
    await takeGeneration(folder, 1);
    expect(await takeGeneration(folder, expected)).toBeNull();
    expect(await latestGenerationNumber(folder)).toBe(2);
  });

  test('of many takers at once exactly one wins, and nothing else is left', async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < 20; round++) {
      const takers = Array.from({ length: 16 }, (_, taker) => takeGeneration(folder, round, { taker }));
      const won = (await Promise.all(takers)).filter((generation) => generation !== null);
      expect(won.length).toBe(1);
      expect(await latestGeneration(folder)).toEqual(won[0]);
    }
    expect((await readdir(folder)).length).toBe(20);
  });

  test('a file that does not name a holder is an expected error', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, '0000000001'), '{"number":1}');
    await expect(latestGeneration(folder)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
    await writeFile(path.join(folder, '0000000001'), '{"numb');
    await expect(latestGeneration(folder)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  test('who would follow sees the live holder, or that there is none: a damaged file names nobody, and its number counts', async () => {
    const folder = await temporaryFolder();
    expect(await latestHolder(folder)).toEqual({ number: 0, livePid: null });
    await takeGeneration(folder, 0);
    expect(await latestHolder(folder)).toEqual({ number: 1, livePid: process.pid });
    await writeFile(path.join(folder, '0000000002'), '{"numb');
    expect(await latestHolder(folder)).toEqual({ number: 2, livePid: null });
    expect(await takeGeneration(folder, 2)).toMatchObject({ number: 3 });
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    await expect(latestHolder(folder)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('process identity', () => {
  test('this process is alive', () => {
    expect(isAlive(currentProcess())).toBe(true);
    expect(currentProcess().pid).toBe(process.pid);
  });

  test.runIf(process.platform === 'linux')('a process that was given the same pid later is not the holder', () => {
    const { pid, startTime } = currentProcess();
    expect(startTime).not.toBeNull();
    expect(isAlive({ pid, startTime: `${startTime}0` })).toBe(false);
    expect(isAlive({ pid, startTime: null })).toBe(true);
  });

  test('a process that has ended is not alive', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    const identity = processWithId(child.pid as number);
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
  });

  test.runIf(process.platform === 'linux')('a zombie is not alive', async () => {
    // the shell becomes a process that never waits for the child that it started
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const identity = processWithId(pid);
      expect(isAlive(identity)).toBe(true);
      await expect.poll(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z ')).toBe(true);
      expect(isAlive(identity)).toBe(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test.each([0, -1, 1.5, Number.NaN])('pid %d is nobody', (pid) => {
    expect(isAlive({ pid, startTime: null })).toBe(false);
  });
});

describe('files replaced whole', () => {
  test('old content or new, and no other file', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'a.json');
    await replaceFile(file, '{"a":1}');
    await replaceFile(file, Buffer.from('{"a":2}'));
    expect(await readJsonFile(file)).toEqual({ a: 2 });
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  test('a reader never sees a part', async () => {
    const file = path.join(await temporaryFolder(), 'a.json');
    await replaceFile(file, '[]');
    const writing = (async () => {
      for (let length = 0; length < 60; length++)
        await replaceFile(file, JSON.stringify(new Array(length * 500).fill(length)));
    })();
    let reads = 0;
    const done = writing.then(() => true);
    while (!(await Promise.race([done, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]))) {
      const content = (await readJsonFile(file)) as number[];
      expect(new Set(content).size).toBeLessThanOrEqual(1);
      reads += 1;
    }
    expect(reads).toBeGreaterThan(1);
  });

  test('none is null; one that is not JSON is an expected error', async () => {
    const folder = await temporaryFolder();
    expect(await readJsonFile(path.join(folder, 'none'))).toBeNull();
    await writeFile(path.join(folder, 'bad'), '{');
    await expect(readJsonFile(path.join(folder, 'bad'))).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  test('a failure leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    await expect(replaceFile(path.join(folder, 'none', 'a'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual([]);
  });
});
