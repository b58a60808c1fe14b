// Small formats that every report shares: sizes, durations, counts, cut texts. Numbers for people; JSON has the exact
// ones.

/** `1,234`. Not by toLocaleString: its first call loads the locale data, 10 ms of a command's start. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 task`, `2 tasks`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** `812 B`, `1.5 kB`, `3.2 MB` (powers of 1000). */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}

/** `840 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const wholeMs = Math.round(ms);
  if (wholeMs < 1000) return `${wholeMs} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `text`, or its beginning and an ellipsis in `width` columns. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** More than so many runs of subtasks say nothing to a reader; their number does. */
const runsShownMax = 6;

/** `0-3, 7, 9-10`: subtasks of one vertex; `0, 2, 4, … (500 in all)` where they are too scattered to list. */
export function ranges(indices: readonly number[]): string {
  const runs = runsOf(indices);
  const shown = runs.slice(0, runsShownMax).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  if (runs.length <= runsShownMax) return shown.join(', ');
  return `${shown.join(', ')}, … (${count(indices.length)} in all)`;
}

function runsOf(indices: readonly number[]): [number, number][] {
  const sorted = [...new Set(indices)].sort((left, right) => left - right);
  const runs: [number, number][] = [];
  for (const index of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  return runs;
}
