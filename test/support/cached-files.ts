// What tests bring from elsewhere or compile, kept below node_modules/.cache under names that change with what it is made
// of: whole or not there, so that a run that is cut short leaves nothing that looks complete.
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The cache of a checkout. */
export function cacheFolder(checkout: string): string {
  return join(checkout, 'node_modules/.cache/jobrec-jars');
}

/** A name for what is made of these files. */
export async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

/** Gives what lies at `partial`, a file or a folder, its name. */
export async function putInPlace(partial: string, final: string): Promise<void> {
  await mkdir(dirname(final), { recursive: true });
  await writeFile(join(dirname(final), '.gitignore'), '*\n');
  await rename(partial, final).catch(async (error: unknown) => {
    // Another run was first.
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(final))) throw error;
  });
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
