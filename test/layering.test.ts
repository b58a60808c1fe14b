// Holds the layers of ARCHITECTURE.md by reading every source file's imports: who may import whom, where the console,
// processes and files may be touched, no cycles, files of a readable size that say what they are for.
import { describe, expect, it } from 'vitest';
import { parseSource, readSources, type SourceFile } from './support/source-tree.ts';

const sources = readSources();

/** Layer (folder below src/) → layers that it may import, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  store: ['model'],
  replay: ['model'],
  sql: ['model'],
  plan: ['model', 'sql'],
  engine: ['model', 'sql', 'store', 'replay'],
  services: ['model', 'store', 'replay', 'engine', 'plan'],
  render: ['model', 'services'],
  cli: ['model', 'render', 'services'],
  commands: ['model', 'services', 'render', 'cli'],
};

/** Layers that see the services' reports only: types, of files named `*-report.ts`. */
const reportsOnly = ['render', 'cli'];

/** Module → the files (or folders, ending in /) that may import it. */
const owners: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['engine/processes.ts'],
  'node:worker_threads': [
    'engine/job-master/snapshot-taker.ts',
    'engine/job-master/snapshot-worker.ts',
    'engine/task-manager/',
    'engine/job-master/source-coordinator/',
    'engine/streaming/task-manager/',
    'engine/streaming/task/slot-thread.ts',
  ],
  'node:net': [
    'engine/protocol/',
    'engine/job-master/listener.ts',
    'engine/client/',
    'engine/task-manager/',
    'engine/streaming/channels/',
    'engine/streaming/sources/socket-source.ts',
  ],
  '@oclif/core': ['cli/', 'commands/'],
  ora: ['cli/progress.ts'],
  'cli-table3': ['render/table.ts'],
  '@duckdb/node-api': ['sql/', 'engine/kernel/', 'engine/partition-store/'],
  esbuild: ['plan/'],
};

/** Who touches files, apart from the store: each with what for. */
const fileOwners: readonly string[] = [
  'store/',
  'engine/partition-store/',
  'engine/sinks/',
  'engine/kernel/',
  'engine/processes.ts', // log files of the processes it starts
  'engine/run-files.ts', // what a run leaves behind, removed at its end
  'engine/job-master/main.ts', // removes the failure file of an earlier start
  'engine/job-master/master-failure.ts', // why it could not lead
  'engine/job-master/process-table.ts', // processes.json
  'engine/job-master/source-coordinator/source-coordinators.ts', // files that enumerators name
  'engine/job-master/reconciling.ts', // which workers have a folder
  'engine/job-master/snapshot-taker.ts', // removes a snapshot that was not finished
  'engine/shuffle-service/', // the shuffle service's own folder
  'engine/protocol/master-file.ts', // where the JobMaster listens
  'engine/client/cancel-job.ts', // removes an ended run's files
  'engine/client/print-follower.ts', // the rows of print sinks
  'engine/task-manager/', // the worker's own folder
  'engine/streaming/sources/', // logs
  'engine/streaming/sinks/', // parts and printed rows
  'plan/', // job files, source files, map modules
  'services/job-home.ts', // the home folder and its jobs
  'services/job-text.ts', // the job file, or stdin
  'services/raw-frames.ts', // inspect --raw
  'services/partition-report.ts', // diff --partitions
  'services/flink-config.ts', // doctor: a cluster's configuration
  'services/survivors-from-folders.ts', // whether a store lies in its job's folder
];

const fileModules = ['node:fs', 'node:fs/promises'];

const linesMax = 400;

const layerOf = (file: string) => file.split('/')[0] ?? '';
const isUnder = (file: string, places: readonly string[]) =>
  places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place));

/** `file: what`, for each import that breaks a rule. */
function offences(rule: (source: SourceFile, each: SourceFile['imports'][number]) => string | null): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((each) => {
      const what = rule(source, each);
      return what === null ? [] : [`${source.file}: ${what}`];
    }),
  );
}

describe('layers', () => {
  it('reads imports of every kind', () => {
    const text = [
      "import type { A } from './a.ts';",
      "import {\n  b,\n} from '../b/b.ts';",
      "export { c } from './c.ts';",
      "// import { no } from './no.ts';",
      "import './d.ts';",
      "const e = await import('../b/e.ts');",
    ].join('\n');
    const found = parseSource('x/y.ts', text).imports.map((each) => `${each.isTypeOnly ? 'type ' : ''}${each.file}`);
    expect(found).toEqual(['type x/a.ts', 'b/b.ts', 'x/c.ts', 'x/d.ts', 'b/e.ts']);
  });

  it('knows every folder of src/', () => {
    expect([...new Set(sources.map((source) => layerOf(source.file)))].sort()).toEqual(Object.keys(mayImport).sort());
  });

  it('imports only what its layer may', () => {
    const found = offences((source, { file }) => {
      if (file === null || layerOf(file) === layerOf(source.file)) return null;
      return mayImport[layerOf(source.file)]?.includes(layerOf(file)) ? null : `imports ${file}`;
    });
    expect(found).toEqual([]);
  });

  it('lets render and cli see only the reports of the services', () => {
    const found = offences((source, { file, isTypeOnly }) => {
      if (file === null || layerOf(file) !== 'services' || !reportsOnly.includes(layerOf(source.file))) return null;
      return isTypeOnly && file.endsWith('-report.ts') ? null : `imports ${file}`;
    });
    expect(found).toEqual([]);
  });

  it('imports only files that exist', () => {
    const known = new Set(sources.map((source) => source.file));
    expect(offences((_, { file }) => (file === null || known.has(file) ? null : `imports ${file}`))).toEqual([]);
  });

  it('has no cycles', () => {
    expect(findCycle()).toEqual([]);
  });
});

describe('what only some may touch', () => {
  it.each(Object.entries(owners))('%s', (module, places) => {
    const found = offences((source, { specifier, isTypeOnly }) =>
      specifier === module && !isTypeOnly && !isUnder(source.file, places) ? `imports ${module}` : null,
    );
    expect(found).toEqual([]);
  });

  it('files', () => {
    const found = offences((source, { specifier }) =>
      fileModules.includes(specifier) && !isUnder(source.file, fileOwners) ? `imports ${specifier}` : null,
    );
    expect(found).toEqual([]);
  });

  it('the console', () => {
    const printing = sources.filter((source) => /\bconsole\.|\bprocess\.(stdout|stderr)\b/.test(source.text));
    const places = [
      'cli/',
      'engine/job-master/main.ts',
      'engine/task-manager/main.ts',
      'engine/shuffle-service/main.ts',
    ];
    expect(printing.map((source) => source.file).filter((file) => !isUnder(file, places))).toEqual([]);
  });

  it('the exit code', () => {
    const exiting = sources.filter((source) => /\bprocess\.(exit|exitCode)\b/.test(source.text));
    const places = [
      'cli/',
      'commands/',
      'engine/job-master/main.ts',
      'engine/task-manager/',
      'engine/shuffle-service/main.ts',
      'services/interruption.ts',
    ];
    expect(exiting.map((source) => source.file).filter((file) => !isUnder(file, places))).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${linesMax} lines`, () => {
    const long = sources.filter((source) => source.text.split('\n').length > linesMax + 1);
    expect(long.map((source) => source.file)).toEqual([]);
  });

  it('open with a comment that says what they are for', () => {
    expect(sources.filter((source) => !source.text.startsWith('// ')).map((source) => source.file)).toEqual([]);
  });

  it('are named in kebab-case', () => {
    const odd = sources.filter(
      (source) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(source.file),
    );
    expect(odd.map((source) => source.file)).toEqual([]);
  });
});

/** The files of one cycle of imports, type imports apart; empty where there is none. */
function findCycle(): string[] {
  const edges = new Map(
    sources.map((source) => [
      source.file,
      source.imports.filter((each) => !each.isTypeOnly).flatMap((each) => (each.file === null ? [] : [each.file])),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  return sources.map((source) => visit(source.file, [])).find((cycle) => cycle.length > 0) ?? [];
}
