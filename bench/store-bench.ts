// Append and replay of 100,000 events against SQLite (WAL, synchronous=FULL). Both sides wait for durability after
// every 100 events. Two comparisons: SQLite as a store of events (it encodes and decodes JSON), and SQLite alone (given
// ready bytes, decoding nothing). Ours always encodes, looks for a later JobMaster behind every sync, and on replay
// checks every checksum, decodes and folds.
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout, runNode, runProcess, versionOf } from './processes.ts';
import type { Section } from './section.ts';
import { measurePairs, type Pair, ratios, spreadOf, spreadText } from './statistics.ts';

const child = join(checkout, 'build/bench/store-child.js');
const sqliteSide = join(checkout, 'bench/sqlite-side.py');

type Form = 'events' | 'bytes';

export async function storeBench(scratch: string, pairs: number): Promise<Section> {
  const title = 'store: 100,000 events, durable every 100; times of SQLite (WAL, synchronous=FULL)';
  if ((await versionOf('python3')) === null) return { title, lines: ['skipped: no python3 here for its sqlite3'] };
  await runNode([child, 'dump', join(scratch, 'events')]);
  const append = (form: Form) =>
    measurePairs(
      pairs,
      () => appendOurs(scratch),
      () => appendSqlite(scratch, form),
    );
  const replayed = (form: Form) =>
    measurePairs(
      pairs,
      () => millisOf(runNode([child, 'replay', ours(scratch)])),
      () => millisOf(runProcess('python3', [sqliteSide, 'read', form, sqlite(scratch)])),
    );
  return {
    title,
    lines: [
      ...pairLines('append, SQLite encodes JSON          ', await append('events'), 'below 1'),
      ...pairLines('append, SQLite is given ready bytes  ', await append('bytes'), null),
      ...pairLines('replay, SQLite decodes JSON          ', await replayed('events'), null),
      ...pairLines('replay, SQLite only fetches its rows ', await replayed('bytes'), null),
      `bytes on disk: ours ${await bytesBelow(ours(scratch))}, SQLite ${await bytesOf(sqlite(scratch))}`,
    ],
  };
}

function pairLines(what: string, pairs: readonly Pair[], aim: string | null): string[] {
  const oursMs = spreadOf(pairs.map((pair) => pair.ours)).median;
  const otherMs = spreadOf(pairs.map((pair) => pair.other)).median;
  const medians = `medians: ours ${oursMs.toFixed(0)} ms, SQLite ${otherMs.toFixed(0)} ms`;
  const said = aim === null ? '' : `; aim: ${aim}`;
  return [`${what} ${spreadText(ratios(pairs))}`, `  ${medians}; ${pairs.length} pairs${said}`];
}

const ours = (scratch: string) => join(scratch, 'ours');
const sqlite = (scratch: string) => join(scratch, 'sqlite', 'events.db');

async function appendOurs(scratch: string): Promise<number> {
  await rm(ours(scratch), { recursive: true, force: true });
  await mkdir(ours(scratch), { recursive: true });
  return millisOf(runNode([child, 'append', ours(scratch)]));
}

async function appendSqlite(scratch: string, form: Form): Promise<number> {
  await rm(join(scratch, 'sqlite'), { recursive: true, force: true });
  await mkdir(join(scratch, 'sqlite'), { recursive: true });
  return millisOf(runProcess('python3', [sqliteSide, 'append', form, sqlite(scratch), join(scratch, 'events')]));
}

async function millisOf(run: Promise<{ readonly stdout: string }>): Promise<number> {
  const { ms } = JSON.parse((await run).stdout) as { readonly ms: number };
  return ms;
}

async function bytesOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => bytesOf(join(entry.parentPath, entry.name))),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}
