// That the file sinks of a streaming job write into folders, and neither over each other nor into what the job reads. The
// names of parts have no sink in them, and a log reads whatever lies in its folder. (Whether a folder is occupied by
// another job is asked by the services: free-sinks.ts.)
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Places } from '../job-file/places.ts';
import { requireFolder } from '../sink-folder.ts';
import { isWithin } from '../sinks.ts';
import type { StreamNode } from './stream-nodes.ts';

interface NamedFolder {
  readonly name: string;
  /** Without symlinks: two ways to one folder are one folder. */
  readonly path: string;
}

/** Throws JOB_FILE_INVALID at the path of the sink that is in the way. */
export async function checkFolders(nodes: readonly StreamNode[], places: Places): Promise<void> {
  const logs = await foldersOf(nodes, logPathOf);
  const sinks: NamedFolder[] = [];
  for (const sink of await foldersOf(nodes, sinkPathOf)) {
    const { name, path } = sink;
    const fail = (message: string) => places.error('JOB_FILE_INVALID', ['sinks', name, 'path'], message);
    const other = sinks.find((each) => isWithin(each.path, path) || isWithin(path, each.path));
    if (other) throw fail(`sink ${name} writes into the folder of sink ${other.name}: each needs a folder of its own`);
    const source = logs.find((each) => isWithin(path, each.path));
    if (source) throw fail(`sink ${name} writes where source ${source.name} reads`);
    await requireFolder(name, path, places);
    sinks.push(sink);
  }
}

type PathOf = (node: StreamNode) => string | null;

const logPathOf: PathOf = ({ spec }) =>
  spec.kind === 'source' && spec.connector.kind === 'log' ? spec.connector.path : null;

const sinkPathOf: PathOf = ({ spec }) =>
  spec.kind === 'sink' && spec.connector.kind === 'file' ? spec.connector.path : null;

/** In the order of the file. */
async function foldersOf(nodes: readonly StreamNode[], pathOf: PathOf): Promise<NamedFolder[]> {
  const named = nodes.flatMap((node) => {
    const path = pathOf(node);
    return path === null ? [] : [{ name: node.name, path }];
  });
  return Promise.all(named.map(async ({ name, path }) => ({ name, path: await realFolder(path) })));
}

/** As far as it is there already; what is not there is no symlink. */
async function realFolder(path: string): Promise<string> {
  const real = await realpath(path).catch(() => null);
  if (real !== null) return real;
  return dirname(path) === path ? path : join(await realFolder(dirname(path)), basename(path));
}
