// Where the checkout is, for tests and for the programs that are bundled into build/ before they run.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function checkoutFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'bin', 'run.js'))) folder = dirname(folder);
  return folder;
}
