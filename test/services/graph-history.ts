// All states that the job of a sound store went through, as text that can be looked up.
import { replay } from '../../src/replay/replay.ts';
import { openJobLog } from '../../src/store/open-log.ts';

/** JSON of the graph after each event of the sound store, and of the empty one. */
export async function historyOf(folder: string): Promise<Set<string>> {
  const log = await openJobLog(folder);
  const history = new Set([stateOf((await replay(log.records(), { until: { sequence: -1 } })).graph)]);
  let graph = (await replay(log.records(), { until: { sequence: -1 } })).graph;
  for await (const record of log.records()) {
    ({ graph } = await replay(once(record), { graph }));
    history.add(stateOf(graph));
  }
  return history;
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

export function stateOf(graph: unknown): string {
  return JSON.stringify(graph, (_key, value) => {
    if (value instanceof Map || value instanceof Set) return [...value];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
