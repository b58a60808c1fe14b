// Bundles a TypeScript file of the tests, so that a plain node process can run it: for children that are killed.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Returns the path of the bundle, in a folder of node_modules so that packages are found; the caller removes it. */
export async function bundleScript(source: string): Promise<{ file: string; remove: () => void }> {
  const root = join(import.meta.dirname, '../..');
  const file = join(root, 'node_modules/.cache/jobrec-tests', `${process.pid}-${Math.trunc(performance.now())}.mjs`);
  await build({
    entryPoints: [source],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
  return { file, remove: () => rmSync(file, { force: true }) };
}
