// User functions as modules that run anywhere: relative imports are inlined, packages are left out and named by absolute
// file URLs (the module runs from the job's own folder, where no node_modules is near). User code is never run here;
// whether a module exports a function's name is read from the bundler's own analysis.
import { createHash } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import { type ErrorCode, JobrecError } from '../../model/errors.ts';
import { nearestName, nearestNameHint } from '../../model/nearest-name.ts';
import type { KeyPath, Places } from '../job-file/places.ts';

export interface BundledModule {
  /** `<digest>.mjs`. */
  readonly fileName: string;
  readonly code: string;
}

export interface BundledFunction {
  readonly module: BundledModule;
  readonly exportName: string;
}

const failed: ErrorCode = 'FUNCTION_INVALID';

/** Bundles the function that the key at `path` names (`./file.ts#export`). Throws FUNCTION_INVALID. */
export async function bundleFunction(
  reference: string,
  folder: string,
  path: KeyPath,
  places: Places,
): Promise<BundledFunction> {
  const key = String(path.at(-1));
  const hash = reference.lastIndexOf('#');
  const exportName = reference.slice(hash + 1);
  if (hash <= 0 || exportName === '') {
    const example = './file.ts#normalize';
    throw places.error(failed, path, `${key} must name a file and an export, for example ${example}, not ${reference}`);
  }
  const file = reference.slice(0, hash);
  if (!/\.(ts|mts|js|mjs)$/.test(file)) {
    throw places.error(failed, path, `${key} takes .ts, .mts, .js and .mjs files, not ${file}`);
  }
  const { code, exports } = await bundle(isAbsolute(file) ? file : resolve(folder, file), folder, path, places);
  if (!exports.includes(exportName)) throw missingExport(file, exportName, exports, path, places);
  return { module: { fileName: `${digestOf(code)}.mjs`, code }, exportName };
}

/** Of the code alone: the source map holds absolute paths, and changes with comments. */
function digestOf(code: string): string {
  const mapStart = code.lastIndexOf('//# sourceMappingURL=');
  return createHash('sha256').update(code.slice(0, mapStart)).digest('hex').slice(0, 32);
}

function missingExport(
  file: string,
  exportName: string,
  exports: readonly string[],
  path: KeyPath,
  places: Places,
): JobrecError {
  return places.error(failed, path, `${file} has no export ${JSON.stringify(exportName)}`, {
    hint: exports.length === 0 ? 'it exports nothing' : nearestNameHint(exportName, exports),
    data: { nearest: nearestName(exportName, exports) },
  });
}

async function bundle(
  file: string,
  folder: string,
  path: KeyPath,
  places: Places,
): Promise<{ readonly code: string; readonly exports: readonly string[] }> {
  const { build } = await import('esbuild');
  try {
    const result = await build({
      entryPoints: [file],
      absWorkingDir: folder,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      write: false,
      metafile: true,
      logLevel: 'silent',
      outfile: 'function.mjs',
      // So that an error in a function names the line of its own file. The module runs elsewhere: sources are absolute.
      sourcemap: 'inline',
      sourcesContent: false,
      sourceRoot: `${pathToFileURL(folder).href}/`,
      plugins: [packagesByUrl],
    });
    const exports = Object.values(result.metafile.outputs).flatMap((output) => output.exports);
    return { code: result.outputFiles[0]?.text ?? '', exports };
  } catch (error) {
    throw bundleError(error, file, path, places);
  }
}

/** Keeps a plugin from resolving what it has asked for itself. */
const resolving = Symbol('resolving');

const packagesByUrl: Plugin = {
  name: 'packages-by-url',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async (request) => {
      if (request.kind === 'entry-point' || request.pluginData === resolving || /^(node|file|data):/.test(request.path))
        return;
      const { importer, kind, resolveDir } = request;
      const found = await build.resolve(request.path, { importer, kind, resolveDir, pluginData: resolving });
      if (found.errors.length > 0) return { errors: found.errors };
      // Node's own modules come back as external already.
      return { path: found.external ? found.path : pathToFileURL(found.path).href, external: true };
    });
  },
};

function bundleError(error: unknown, file: string, path: KeyPath, places: Places): JobrecError {
  const [message] = isBuildFailure(error) ? error.errors : [];
  if (!message) return places.error(failed, path, `cannot bundle ${file}: ${String(error)}`, { cause: error });
  const { location } = message;
  if (!location || location.file === '') return places.error(failed, path, readable(message, file), { cause: error });
  const place = { file: location.file, line: location.line, column: location.column + 1 };
  return new JobrecError(failed, `${place.file}:${place.line}:${place.column}: ${message.text}`, {
    data: place,
    cause: error,
  });
}

function readable(message: Message, file: string): string {
  return message.text.startsWith('Could not resolve') ? `there is no file ${file}` : message.text;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
