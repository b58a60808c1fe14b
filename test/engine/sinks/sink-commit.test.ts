// The commit of the sinks: interrupted after any number of steps and done again by a later epoch, the folder holds the
// new parts and nothing else of ours; what is not ours is never touched.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  foreignEntries,
  openStaging,
  planCommit,
  rollForward,
  type SinkRun,
  stagedFiles,
} from '../../../src/engine/sinks/sink-commit.ts';
import { stagingFolder } from '../../../src/engine/sinks/sink-folders.ts';
import type { SinkMode, SinkSpec } from '../../../src/model/job-graph.ts';
import {
  createExecutionGraph,
  createExecutionVertex,
  type ExecutionGraph,
} from '../../../src/replay/execution-graph.ts';

let folder: string;
let sink: SinkSpec;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-sink-'));
  sink = { name: 'out', path: join(folder, 'out'), format: 'csv', mode: 'error-if-occupied' };
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function runOf(jobId: string, epoch: number, mode: SinkMode = 'error-if-occupied', name = 'job'): SinkRun {
  const jobGraph = { name, vertices: [], edges: [], sources: [], sinks: [{ ...sink, mode }], duckdbVersion: 'v1' };
  return { jobGraph, jobId: jobId.repeat(32), epoch };
}

/** Stages `contents` as the parts of one vertex, one a task, and gives the graph that knows them. */
async function stage(run: SinkRun, contents: readonly string[]): Promise<ExecutionGraph> {
  await openStaging(run);
  const staging = stagingFolder(sink, run.jobGraph.name, run.jobId, run.epoch);
  const graph = createExecutionGraph();
  const tasks = contents.map((content, subtask) => {
    const file = `part-${subtask}.a0.e${run.epoch}.csv`;
    return {
      ...createExecutionVertex(subtask),
      parts: [{ sink: 'out', file, rows: 1, bytes: Buffer.byteLength(content) }],
    };
  });
  for (const [subtask, content] of contents.entries()) {
    await writeFile(join(staging, `part-${subtask}.a0.e${run.epoch}.csv`), content);
  }
  graph.vertices.set('v', {
    id: 'v',
    index: 0,
    name: 'v',
    parallelism: tasks.length,
    maxParallelism: 1,
    initializedSequence: 0,
    inputs: [],
    outputs: [],
    tasks,
    coordinator: null,
    awaitingSnapshots: new Map(),
  });
  return graph;
}

async function contents(): Promise<Record<string, string>> {
  const names = (await readdir(sink.path)).filter((name) => name !== '_SUCCESS').sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(sink.path, name), 'utf8')])),
  );
}

describe('commit', () => {
  it('renames the staged parts and leaves the marker last', async () => {
    const run = runOf('a', 1);
    const graph = await stage(run, ['one', 'two']);
    await rollForward(await planCommit(graph, run), run);
    expect(await contents()).toEqual({ 'part-0.csv': 'one', 'part-1.csv': 'two' });
    expect(JSON.parse(await readFile(join(sink.path, '_SUCCESS'), 'utf8'))).toEqual({
      job: 'job',
      jobId: run.jobId,
      rows: 2,
      files: ['part-0.csv', 'part-1.csv'],
    });
  });

  it('replaces the last committed run, also where that had more parts', async () => {
    const first = runOf('a', 1);
    await rollForward(await planCommit(await stage(first, ['one', 'two', 'three']), first), first);
    const second = runOf('b', 1);
    await rollForward(await planCommit(await stage(second, ['uno']), second), second);
    expect(await contents()).toEqual({ 'part-0.csv': 'uno' });
  });

  it('goes on in a later epoch after any number of renames, with an old run in the folder', async () => {
    for (const renamed of [0, 1, 2, 3]) {
      await rm(sink.path, { recursive: true, force: true });
      const old = runOf('a', 1);
      await rollForward(await planCommit(await stage(old, ['old', 'older', 'oldest', 'more']), old), old);
      const run = runOf('b', 1);
      const commit = await planCommit(await stage(run, ['1', '22', '333']), run);
      // What a master killed in the middle has done: the marker is gone, some parts are renamed.
      const partial = {
        ...commit,
        sinks: commit.sinks.map((entry) => ({ ...entry, parts: entry.parts.slice(0, renamed) })),
      };
      for (const part of partial.sinks[0]?.parts ?? []) {
        const staging = stagingFolder(sink, 'job', run.jobId, 1);
        await writeFile(join(sink.path, part.final), await readFile(join(staging, part.staged)));
        await rm(join(staging, part.staged));
      }
      const later = { ...run, epoch: 2 };
      await openStaging(later);
      await rollForward(commit, later);
      expect(await contents()).toEqual({ 'part-0.csv': '1', 'part-1.csv': '22', 'part-2.csv': '333' });
      await rollForward(commit, { ...run, epoch: 3 });
      expect(await contents()).toEqual({ 'part-0.csv': '1', 'part-1.csv': '22', 'part-2.csv': '333' });
    }
  });

  it('by a JobMaster that was replaced changes nothing, also when its successor and the next run have committed', async () => {
    const run = runOf('a', 1, 'overwrite');
    await mkdir(sink.path);
    await writeFile(join(sink.path, 'part-7.csv'), 'of an earlier run');
    const commit = await planCommit(await stage(run, ['one', 'two']), run);
    const successor = { ...run, epoch: 2 };
    await openStaging(successor);
    await expect(rollForward(commit, run)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(join(sink.path, 'part-7.csv'), 'utf8')).toBe('of an earlier run');
    await rollForward(commit, successor);
    const next = runOf('b', 1, 'overwrite');
    const eight = ['0', '1', '2', '3', '4', '5', '6', '7'];
    await rollForward(await planCommit(await stage(next, eight), next), next);
    const before = { ...(await contents()), marker: await readFile(join(sink.path, '_SUCCESS'), 'utf8') };
    await expect(rollForward(commit, run)).rejects.toMatchObject({ code: 'ENOENT' });
    expect({ ...(await contents()), marker: await readFile(join(sink.path, '_SUCCESS'), 'utf8') }).toEqual(before);
  });

  it('killed while it writes the marker leaves nothing beside the parts, and append still knows the earlier ones', async () => {
    const first = runOf('a', 1, 'append');
    await rollForward(await planCommit(await stage(first, ['one']), first), first);
    const run = runOf('b', 1, 'append');
    const commit = await planCommit(await stage(run, ['two']), run);
    // As the master left it: the old marker moved aside, the part renamed, half of the new marker written.
    const staging = stagingFolder(sink, 'job', run.jobId, 1);
    await rename(join(sink.path, '_SUCCESS'), join(staging, 'replaced-_SUCCESS'));
    await rename(join(staging, 'part-0.a0.e1.csv'), join(sink.path, 'part-bbbbbbbb-0.csv'));
    await writeFile(join(staging, 'new-_SUCCESS'), '{"job":');
    const later = { ...run, epoch: 2 };
    await openStaging(later);
    await rollForward(commit, later);
    expect((await readdir(sink.path)).sort()).toEqual(['_SUCCESS', 'part-aaaaaaaa-0.csv', 'part-bbbbbbbb-0.csv']);
    const marker = JSON.parse(await readFile(join(sink.path, '_SUCCESS'), 'utf8'));
    expect(marker.files).toEqual(['part-aaaaaaaa-0.csv', 'part-bbbbbbbb-0.csv']);
  });

  it.each([
    { loss: 'disappeared', lose: (path: string) => rm(path) },
    { loss: 'been cut short', lose: (path: string) => writeFile(path, 'tw') },
  ])('says so when a staged part has $loss', async ({ lose }) => {
    const run = runOf('a', 1);
    const commit = await planCommit(await stage(run, ['one', 'two']), run);
    await lose(join(stagingFolder(sink, 'job', run.jobId, 1), 'part-1.a0.e1.csv'));
    await expect(rollForward(commit, run)).rejects.toMatchObject({
      code: 'JOB_FAILED',
      data: { part: 'part-1.a0.e1.csv' },
    });
  });

  it('append keeps what earlier runs committed', async () => {
    const first = runOf('a', 1, 'append');
    await rollForward(await planCommit(await stage(first, ['one']), first), first);
    const second = runOf('b', 1, 'append');
    await rollForward(await planCommit(await stage(second, ['two']), second), second);
    expect(await contents()).toEqual({ 'part-aaaaaaaa-0.csv': 'one', 'part-bbbbbbbb-0.csv': 'two' });
  });

  it('overwrite removes all files of the folder, and no folder in it', async () => {
    await mkdir(join(sink.path, 'keep'), { recursive: true });
    await writeFile(join(sink.path, 'notes.txt'), 'x');
    const run = runOf('a', 1, 'overwrite');
    await rollForward(await planCommit(await stage(run, ['one']), run), run);
    expect((await readdir(sink.path)).sort()).toEqual(['_SUCCESS', 'keep', 'part-0.csv']);
  });
});

describe('staging', () => {
  it('is taken over by the next epoch, so that a fenced master finds it gone', async () => {
    const run = runOf('a', 1);
    await stage(run, ['one']);
    await openStaging({ ...run, epoch: 2 });
    await expect(readdir(stagingFolder(sink, 'job', run.jobId, 1))).rejects.toThrow();
    expect([...(await stagedFiles(run.jobGraph, run.jobId))]).toEqual(['out/part-0.a0.e1.csv 3']);
  });

  it('of an abandoned run of the same job is removed; of another job it is not', async () => {
    await stage(runOf('a', 1), ['one']);
    await stage(runOf('c', 1, 'append', 'another'), ['theirs']);
    const run = runOf('b', 1);
    await openStaging(run);
    expect((await stagedFiles(run.jobGraph, 'a'.repeat(32))).size).toBe(0);
    expect((await stagedFiles(runOf('c', 1, 'append', 'another').jobGraph, 'c'.repeat(32))).size).toBe(1);
  });
});

describe('foreignEntries', () => {
  it('are what this job did not write', async () => {
    expect(await foreignEntries(sink, 'job')).toEqual([]);
    const run = runOf('a', 1);
    await rollForward(await planCommit(await stage(run, ['one']), run), run);
    expect(await foreignEntries(sink, 'job')).toEqual([]);
    expect((await foreignEntries(sink, 'another')).sort()).toEqual(['_SUCCESS', 'part-0.csv']);
    await writeFile(join(sink.path, 'mine.txt'), 'x');
    expect(await foreignEntries(sink, 'job')).toEqual(['mine.txt']);
  });

  it('a marker that leads out of the folder is not believed', async () => {
    await mkdir(sink.path);
    await writeFile(join(sink.path, '_SUCCESS'), JSON.stringify({ job: 'job', jobId: 'a', rows: 1, files: ['../x'] }));
    expect(await foreignEntries(sink, 'job')).toEqual(['_SUCCESS']);
  });
});
