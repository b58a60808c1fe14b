// The captured runs of real Flink, and their stores' bytes, for tests.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../../../fixtures/flink');

/** `<version>/<scenario>` and its folder, for every capture. */
export function captures(): [name: string, folder: string][] {
  const versions = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return versions.flatMap(({ name: version }) =>
    readdirSync(path.join(root, version)).map((scenario): [string, string] => [
      `${version}/${scenario}`,
      path.join(root, version, scenario),
    ]),
  );
}

/** The files of a capture's store by name, in order. */
export function storeFiles(folder: string, store = 'store'): Map<string, Buffer> {
  const names = readdirSync(path.join(folder, store)).sort();
  return new Map(names.map((name) => [name, readFileSync(path.join(folder, store, name))]));
}
