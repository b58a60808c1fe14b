// Whether there is something at the path of a log source, before the job starts: a mistyped path of a bounded log would
// be a log without rows, and its job would replace earlier output by nothing.
import { stat } from 'node:fs/promises';
import { messageOf } from '../../model/errors.ts';
import type { Places } from '../job-file/places.ts';
import type { StreamNode } from './stream-nodes.ts';

/** Warnings of logs that are waited for. Throws SOURCE_UNREADABLE at the path. */
export async function checkLogs(nodes: readonly StreamNode[], places: Places): Promise<string[]> {
  const warnings: string[] = [];
  for (const { name, spec } of nodes) {
    if (spec.kind !== 'source' || spec.connector.kind !== 'log') continue;
    const { path, bounded } = spec.connector;
    const trouble = await troubleAt(path);
    if (trouble === null) continue;
    if (trouble !== 'absent') throw unreadable(name, `cannot read ${path}: ${trouble}`, places);
    if (bounded) throw unreadable(name, `there is no folder or file ${path}`, places);
    warnings.push(`source ${name}: ${path} is not there yet: it is waited for`);
  }
  return warnings;
}

/** null: something is there. */
async function troubleAt(path: string): Promise<string | null> {
  return stat(path).then(
    () => null,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'absent' : messageOf(error)),
  );
}

function unreadable(source: string, what: string, places: Places) {
  const log = ['sources', source, 'log'];
  const path = places.nodeAt([...log, 'path']) ? [...log, 'path'] : log;
  return places.error('SOURCE_UNREADABLE', path, `source ${source}: ${what}`, { data: { source } });
}
