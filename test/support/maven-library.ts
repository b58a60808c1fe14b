// Jars from Maven Central: what a pom names with all it needs, brought once and kept below node_modules/.cache. What is
// missing on this machine is an answer (a reason to skip), not an error.
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, toolFailure } from '../flink/tools.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/jobrec-jars', import.meta.url));
const mavenTimeoutMs = 240_000;
const toolTimeoutMs = 60_000;

export type LibraryAnswer = { readonly folder: string } | { readonly missing: string };

export interface LibraryOptions {
  readonly pom: string;
  /** For people: names the folder and the reason. */
  readonly name: string;
  readonly oldestJava: number;
}

/** The folder of all jars that the pom names, or why there is none. */
export async function mavenLibrary({ pom, name, oldestJava }: LibraryOptions): Promise<LibraryAnswer> {
  const missing = await missingTool(name, oldestJava);
  if (missing !== null) return { missing };
  const hash = createHash('sha256').update(await readFile(pom));
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (await exists(folder)) return { folder };
  const partial = `${folder}.partial-${process.pid}`;
  const maven = await runTool(
    'mvn',
    [
      ...['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime'],
      `-DoutputDirectory=${partial}`,
    ],
    { timeoutMs: mavenTimeoutMs },
  );
  if (maven.code === 0) await putInPlace(partial, folder);
  else await rm(partial, { recursive: true, force: true });
  return maven.code === 0 ? { folder } : { missing: `${name} does not resolve: ${toolFailure('mvn', maven)}` };
}

/** What of java and mvn is not there, or null. */
async function missingTool(name: string, oldestJava: number): Promise<string | null> {
  const java = await runTool('java', ['-version'], { timeoutMs: toolTimeoutMs });
  if (java.code !== 0) return `no Java: ${toolFailure('java', java)}`;
  const found = Number(/version "(?:1\.)?(\d+)/.exec(java.output)?.[1] ?? 0);
  if (found < oldestJava) return `Java ${found} is too old: ${name} needs ${oldestJava}`;
  const maven = await runTool('mvn', ['--version'], { timeoutMs: toolTimeoutMs });
  return maven.code === 0 ? null : `no Maven: ${toolFailure('mvn', maven)}`;
}

/** Whole or not there: a run that is cut short leaves nothing that looks complete. */
async function putInPlace(partial: string, final: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, '.gitignore'), '*\n');
  await rename(partial, final).catch(async (error: unknown) => {
    // Another run was first.
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(final))) throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
