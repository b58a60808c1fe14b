// Brings the jars of one Flink version from Maven Central and compiles the judge's jobs against them, once: both are
// kept below node_modules/.cache. What is missing on this machine is an answer (a reason to skip), not an error.
// Spec: docs/testing.md "Real Flink".
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, exists, hashOf, putInPlace } from '../support/cached-files.ts';
import { mavenLibrary } from '../support/maven-library.ts';
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
const oldestJava = 11;
const compileTimeoutMs = 120_000;

/** The jars of this version, or why there are none. */
export async function flinkJars(version: string): Promise<JarsAnswer> {
  const library = await flinkLibrary(version, checkoutHere);
  if ('missing' in library) return library;
  const { classpath } = library;
  return { jars: { version, classpath, jobJar: await jobJarOf(version, classpath) } };
}

/** The jars of Flink itself, as a class path, or why there are none. */
export async function flinkLibrary(
  version: string,
  checkout: string,
): Promise<{ readonly classpath: string } | { readonly missing: string }> {
  const missing = await missingCompiler();
  if (missing !== null) return { missing };
  const pom = join(checkout, 'test/flink/pom.xml');
  const properties = { 'flink.version': version };
  const library = await mavenLibrary({ pom, name: `Flink ${version}`, oldestJava, properties, checkout });
  return 'missing' in library ? library : { classpath: join(library.folder, '*') };
}

/** What of javac and jar is not there, or null. */
async function missingCompiler(): Promise<string | null> {
  for (const name of ['javac', 'jar']) {
    const tool = await runTool(name, ['--version'], { timeoutMs: 30_000 });
    if (tool.code !== 0) return `no JDK: ${toolFailure(name, tool)}`;
  }
  return null;
}

async function jobJarOf(version: string, classpath: string): Promise<string> {
  const folder = join(checkoutHere, 'test/flink/jobs');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.java')).sort();
  const sources = names.map((name) => join(folder, name));
  const file = join(cacheFolder(checkoutHere), `jobs-${version}-${await hashOf(sources)}.jar`);
  if (await exists(file)) return file;
  const classes = `${file}.classes-${process.pid}`;
  try {
    await compile(version, classpath, sources, classes);
    await putInPlace(`${classes}.jar`, file);
  } finally {
    await rm(classes, { recursive: true, force: true });
  }
  return file;
}

/** Sources of ours that do not compile are a failure, never a reason to skip. */
async function compile(version: string, classpath: string, sources: readonly string[], classes: string): Promise<void> {
  const options = { timeoutMs: compileTimeoutMs };
  const javacArgs = ['-nowarn', '--release', '11', '-d', classes, '-cp', classpath, ...sources];
  const javac = await runTool('javac', javacArgs, options);
  if (javac.code !== 0) throw new Error(`the judge's jobs do not compile with Flink ${version}:\n${javac.output}`);
  const jar = await runTool('jar', ['--create', '--file', `${classes}.jar`, '-C', classes, '.'], options);
  if (jar.code !== 0) throw new Error(toolFailure('jar', jar));
}
