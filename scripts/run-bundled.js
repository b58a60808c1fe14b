// Runs TypeScript that belongs to the checkout, not to the package (the demo, the benchmarks): bundles each entry into
// build/ and starts the first one in this process. Packages stay outside the bundle; node finds them in node_modules.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `entries`: paths below the checkout; each becomes build/<same path>.js. */
export async function runBundled(...entries) {
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outbase: '.',
    outdir: 'build',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const [first] = entries;
  await import(pathToFileURL(join(root, 'build', first.replace(/\.ts$/, '.js'))).href);
}
