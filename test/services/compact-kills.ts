// Kills a real process that compacts a store, before one disk operation after the other, and looks at what it leaves: every
// answer is the same, nothing is damaged, and the same command completes it.
import { execFile } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { compactStore } from '../../src/services/compact.ts';
import { validateStore } from '../../src/services/validate.ts';
import { newFolder } from '../store/sample-store.ts';
import { graphsOf } from './long-store.ts';

/** `child` is the bundle of compact-child.ts. Returns the operations that it was killed before. */
export async function killAtOperations(
  child: string,
  root: string,
  { first, stride }: { readonly first: number; readonly stride: number },
): Promise<string[]> {
  const operations: string[] = [];
  for (let killAt = first; ; killAt += stride) {
    const copy = await newFolder();
    try {
      cpSync(root, copy, { recursive: true });
      const operation = await killOnce(child, path.join(copy, 'job-events'), killAt);
      if (operation === null) return operations;
      operations.push(operation);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }
}

async function killOnce(child: string, store: string, killAt: number): Promise<string | null> {
  const [graph] = await graphsOf(store);
  const output = await promisify(execFile)(process.execPath, [child, store, String(killAt)]).then(
    ({ stdout }) => stdout,
    (error: { signal: string; stdout: string }) => {
      expect(error.signal, `operation ${killAt}`).toBe('SIGKILL');
      return error.stdout;
    },
  );
  if (output.startsWith('done')) return null;
  const message = `killed before operation ${killAt} (${output.trim()})`;
  for (const each of await graphsOf(store)) expect(each, message).toEqual(graph);
  await expectSound(store, message);
  const { after } = await compactStore({ location: store, dryRun: false });
  expect(after, message).toMatchObject({ segments: 1, events: 0 });
  await expectCompacted(store, graph, message);
  return output.trim();
}

export async function expectSound(folder: string, message: string): Promise<void> {
  const { findings } = await validateStore({ location: folder, topology: [] });
  const physical = findings.filter(({ code }) => /TORN|CHECKSUM|LENGTH|GAP|MANIFEST|SNAPSHOT|FENCED/.test(code));
  expect(physical, message).toEqual([]);
}

export async function expectCompacted(folder: string, graph: ExecutionGraph, message: string): Promise<void> {
  for (const each of await graphsOf(folder)) expect(each, message).toEqual(graph);
  await expectSound(folder, message);
  const names = await readdir(folder);
  expect(names.toSorted(), message).toEqual([
    expect.stringMatching(/\.seg$/),
    expect.stringMatching(/\.snap$/),
    'MANIFEST',
  ]);
}
