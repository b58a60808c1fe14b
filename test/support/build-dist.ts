// Builds dist/ once before the tests, where a source is newer than it: the tests of commands and processes run the
// real thing. A build that fails is said at once; the tests that need dist/ then fail by themselves.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export function setup(): void {
  if (newestUnder('src', 'scripts/build.js', 'package.json') <= modifiedMs(join(root, 'dist', 'main.js'))) return;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.js'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) process.stderr.write(`dist/ could not be built:\n${stderr}\n`);
}

function newestUnder(...paths: readonly string[]): number {
  return Math.max(...paths.map((path) => newest(join(root, path))));
}

function newest(path: string): number {
  if (!statSync(path).isDirectory()) return modifiedMs(path);
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
