// Builds dist/: every entry point bundled into shared chunks, because start-up time is mostly the time to find and
// parse modules (unbundled, a command starts in twice the time). Inlined packages are devDependencies; what must stay outside
// (native code, and what may be missing) is in `external` and in package.json's dependencies. Writes dist/THIRD-PARTY-NOTICES.txt, so that the
// packed package carries the licences of what it inlines. Files of an earlier build go last: a jobrec that runs while
// dist/ is built anew still finds the chunks that it has not loaded yet.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const noticesFile = 'THIRD-PARTY-NOTICES.txt';

const entries = {
  main: 'src/cli/main.ts',
  commands: 'src/commands/index.ts',
  'job-master': 'src/engine/job-master/main.ts',
  'task-manager': 'src/engine/task-manager/main.ts',
  'slot-worker': 'src/engine/task-manager/slot-worker.ts',
  'snapshot-worker': 'src/engine/job-master/snapshot-worker.ts',
  'enumerator-worker': 'src/engine/job-master/source-coordinator/enumerator-worker.ts',
  'stream-slot': 'src/engine/streaming/task/slot-thread.ts',
  'shuffle-service': 'src/engine/shuffle-service/main.ts',
};

const external = ['@duckdb/node-bindings', '@duckdb/node-bindings-*', 'esbuild', 'kafkajs'];

// Inlined CommonJS packages expect these names, which an ES module does not have.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

async function bundle() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Flat, beside the entries: modules find the other bundles by `new URL('./x.js', import.meta.url)`.
    chunkNames: 'chunk-[hash]',
    external,
    banner: { js: banner },
    legalComments: 'linked',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    logLevel: 'warning',
    metafile: true,
  });
  return result.metafile;
}

/** The folders of the packages that have bytes in the bundle, e.g. `node_modules/@oclif/core`. */
function inlinedPackages(metafile) {
  const folders = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (match && bytesInOutput > 0) folders.add(match[1]);
    }
  }
  return [...folders].sort();
}

async function licenceText(folder) {
  const names = await readdir(folder);
  const name = names.find((each) => /^(licen[cs]e|copying)/i.test(each));
  return name === undefined ? null : (await readFile(join(folder, name), 'utf8')).trim();
}

async function notice(folder) {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
  const text =
    (await licenceText(join(root, folder))) ?? `Licence: ${manifest.license} (the package has no licence file)`;
  return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text}\n`;
}

async function writeNotices(metafile) {
  const notices = await Promise.all(inlinedPackages(metafile).map(notice));
  const rule = `\n${'-'.repeat(78)}\n\n`;
  const head = 'The files in this folder contain code of the following packages.\n';
  await writeFile(join(dist, noticesFile), [head, ...notices].join(rule));
}

/** Removes what an earlier build left. */
async function removeStale(metafile) {
  const current = new Set([noticesFile, ...Object.keys(metafile.outputs).map((output) => basename(output))]);
  const stale = (await readdir(dist)).filter((name) => !current.has(name));
  await Promise.all(stale.map((name) => rm(join(dist, name), { recursive: true })));
}

await mkdir(dist, { recursive: true });
const metafile = await bundle();
await writeNotices(metafile);
await removeStale(metafile);
