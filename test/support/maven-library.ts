// Jars from Maven Central: what a pom names with all it needs, brought once and kept below node_modules/.cache. What is
// missing on this machine is an answer (a reason to skip), not an error.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, toolFailure } from '../flink/tools.ts';
import { cacheFolder, exists, hashOf, putInPlace } from './cached-files.ts';

/** The checkout, where this module is not bundled. */
const checkoutHere = fileURLToPath(new URL('../../', import.meta.url));
const mavenTimeoutMs = 240_000;
const toolTimeoutMs = 60_000;

export type LibraryAnswer = { readonly folder: string } | { readonly missing: string };

export interface LibraryOptions {
  readonly pom: string;
  /** For people: names the folder and the reason. */
  readonly name: string;
  readonly oldestJava: number;
  /** Properties that the pom is given. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Where the jars are kept; needed by what is bundled. */
  readonly checkout?: string;
}

/** The folder of all jars that the pom names, or why there is none. */
export async function mavenLibrary(options: LibraryOptions): Promise<LibraryAnswer> {
  const { pom, name, oldestJava, properties = {}, checkout = checkoutHere } = options;
  const missing = await missingTool(name, oldestJava);
  if (missing !== null) return { missing };
  const folder = join(cacheFolder(checkout), `${name.replaceAll(' ', '-')}-${await hashOf([pom])}`);
  if (await exists(folder)) return { folder };
  const partial = `${folder}.partial-${process.pid}`;
  const given = Object.entries({ ...properties, outputDirectory: partial }).map(([key, value]) => `-D${key}=${value}`);
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
  const maven = await runTool('mvn', ['-q', '-B', '-f', pom, ...goal, ...given], { timeoutMs: mavenTimeoutMs });
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
