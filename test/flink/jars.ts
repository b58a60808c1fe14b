// Brings the jars of one Flink version from Maven Central and compiles the judge's jobs against them, once: both are
// kept below node_modules/.cache. What is missing on this machine is an answer (a reason to skip), not an error.
// Spec: docs/testing.md "Real Flink".
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, toolFailure } from './tools.ts';

export interface FlinkJars {
  readonly version: string;
  /** For java -cp: everything that a cluster and its client need. */
  readonly classpath: string;
  /** The judge's jobs. */
  readonly jobJar: string;
}

export type JarsAnswer = { readonly jars: FlinkJars } | { readonly missing: string };

/** The checkout, where this module is not bundled. */
const checkoutHere = fileURLToPath(new URL('../../', import.meta.url));
const cacheOf = (checkout: string) => join(checkout, 'node_modules/.cache/jobrec-flink');
const cache = cacheOf(checkoutHere);
const oldestJava = 11;
const mavenTimeoutMs = 240_000;
const compileTimeoutMs = 120_000;

/** The jars of this version, or why there are none. */
export async function flinkJars(version: string): Promise<JarsAnswer> {
  const library = await flinkLibrary(version, checkoutHere);
  if ('missing' in library) return library;
  const { classpath } = library;
  const job = await jobJarOf(version, classpath);
  return 'missing' in job ? job : { jars: { version, classpath, jobJar: job.file } };
}

/** The jars of Flink itself, as a class path, or why there are none. */
export async function flinkLibrary(
  version: string,
  checkout: string,
): Promise<{ readonly classpath: string } | { readonly missing: string }> {
  const missing = await missingTool();
  if (missing !== null) return { missing };
  const library = await libraryOf(version, checkout);
  return 'missing' in library ? library : { classpath: join(library.folder, '*') };
}

/** What of java, javac, jar and mvn is not there, or null. */
async function missingTool(): Promise<string | null> {
  const java = await runTool('java', ['-version'], { timeoutMs: 30_000 });
  if (java.code !== 0) return `no Java: ${toolFailure('java', java)}`;
  const found = Number(/version "(?:1\.)?(\d+)/.exec(java.output)?.[1] ?? 0);
  if (found < oldestJava) return `Java ${found} is too old: Flink needs ${oldestJava}`;
  for (const name of ['javac', 'jar']) {
    const tool = await runTool(name, ['--version'], { timeoutMs: 30_000 });
    if (tool.code !== 0) return `no JDK: ${toolFailure(name, tool)}`;
  }
  const maven = await runTool('mvn', ['--version'], { timeoutMs: 60_000 });
  return maven.code === 0 ? null : `no Maven: ${toolFailure('mvn', maven)}`;
}

async function libraryOf(version: string, checkout: string): Promise<{ folder: string } | { missing: string }> {
  const pom = join(checkout, 'test/flink/pom.xml');
  const folder = join(cacheOf(checkout), `${version}-${await hashOf([pom])}`);
  if (await exists(folder)) return { folder };
  const partial = `${folder}.partial-${process.pid}`;
  const maven = await runTool(
    'mvn',
    [
      ...['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime'],
      ...[`-Dflink.version=${version}`, `-DoutputDirectory=${partial}`],
    ],
    { timeoutMs: mavenTimeoutMs },
  );
  if (maven.code === 0) await putInPlace(partial, folder);
  else await rm(partial, { recursive: true, force: true });
  return maven.code === 0 ? { folder } : { missing: `Flink ${version} does not resolve: ${toolFailure('mvn', maven)}` };
}

async function jobJarOf(version: string, classpath: string): Promise<{ file: string } | { missing: string }> {
  const folder = join(checkoutHere, 'test/flink/jobs');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.java')).sort();
  const sources = names.map((name) => join(folder, name));
  const file = join(cache, `jobs-${version}-${await hashOf(sources)}.jar`);
  if (await exists(file)) return { file };
  const classes = `${file}.classes-${process.pid}`;
  try {
    const javac = await runTool('javac', ['-nowarn', '--release', '11', '-d', classes, '-cp', classpath, ...sources], {
      timeoutMs: compileTimeoutMs,
    });
    // Sources of ours that do not compile are a failure, never a reason to skip.
    if (javac.code !== 0) throw new Error(`the judge's jobs do not compile with Flink ${version}:\n${javac.output}`);
    const jar = await runTool('jar', ['--create', '--file', `${classes}.jar`, '-C', classes, '.'], {
      timeoutMs: compileTimeoutMs,
    });
    if (jar.code !== 0) throw new Error(toolFailure('jar', jar));
    await putInPlace(`${classes}.jar`, file);
  } finally {
    await rm(classes, { recursive: true, force: true });
  }
  return { file };
}

/** Whole or not there: a run that is cut short leaves nothing that looks complete. */
async function putInPlace(partial: string, final: string): Promise<void> {
  await mkdir(dirname(final), { recursive: true });
  await writeFile(join(dirname(final), '.gitignore'), '*\n');
  await rename(partial, final).catch(async (error: unknown) => {
    // Another run was first.
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(final))) throw error;
  });
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
