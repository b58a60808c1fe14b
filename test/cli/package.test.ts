// What `npm pack` would publish: what runs and nothing else, and dependencies that are just what the built code
// imports. The bundled packages' licences are in it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  /** Asked for by jobs that need them, and not missed by others. */
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** Packages that the built code asks node for, at its start or later. */
function importedPackages(): string[] {
  const files = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const pattern = /(?:\bfrom|\bimport|\bimport\(|require\()\s*["']([@\w][\w./@-]*)["']/g;
  const specifiers = files.flatMap((name) =>
    [...readFileSync(join(dist, name), 'utf8').matchAll(pattern)].map((match) => match[1] ?? ''),
  );
  const outside = specifiers.filter((each) => !each.startsWith('node:') && !builtinModules.includes(each));
  return [
    ...new Set(
      outside.map((each) =>
        each
          .split('/')
          .slice(0, each.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    ),
  ];
}

describe('the package', () => {
  it('holds bin, dist and what npm always adds', () => {
    const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    const [packed] = JSON.parse(listed) as [{ files: { path: string; size: number }[]; size: number }];
    const odd = packed.files
      .map((file) => file.path)
      .filter((path) => !/^(bin\/run\.js|dist\/[\w.-]+|package\.json|README\.md|LICENSE)$/.test(path));
    expect(odd).toEqual([]);
    expect(packed.files.map((file) => file.path)).toEqual(
      expect.arrayContaining([
        'bin/run.js',
        'dist/main.js',
        'dist/job-master.js',
        'dist/task-manager.js',
        'dist/THIRD-PARTY-NOTICES.txt',
      ]),
    );
    expect(packed.size).toBeLessThan(1_000_000);
  });

  it('depends on what the built code imports, and on nothing else', () => {
    // Optional helpers of inlined packages, behind a try: not there, not missed.
    const optional = ['supports-color', '@oclif/core', 'ts-node', 'tsx', 'typescript'];
    const needed = importedPackages().filter(
      (name) => !optional.includes(name) && !name.startsWith('@duckdb/node-bindings-'),
    );
    const { dependencies, optionalDependencies } = manifest;
    expect(needed.sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).sort());
  });

  it('pins every version exactly', () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    for (const version of Object.values({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  });

  it('carries the licences of the packages that it inlines', () => {
    const notices = readFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of [
      '@oclif/core',
      '@msgpack/msgpack',
      '@duckdb/node-api',
      'cli-table3',
      'ora',
      'yaml',
      'valibot',
    ]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+`, 'm'));
    }
    expect(notices).not.toContain('has no licence file');
  });
});
