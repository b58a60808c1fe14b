// Draws a batch job from a seed: sources of each file format, a graph of stages (filters, map functions, joins, unions,
// aggregates, windows; deep, wide or mixed), several sinks. Every relation has the columns (id, k, g, v), so any stage
// can read any other, and each stage carries the SQL that DuckDB's single query answers the whole job by. Pure.
import type { Random } from '../replay/random.ts';

export const rowColumns = { id: 'BIGINT', k: 'INTEGER', g: 'VARCHAR', v: 'BIGINT' } as const;
export type FileFormat = 'parquet' | 'csv' | 'json';

/** How a source's splits are found: by the planner, or by an enumerator with batch snapshots or without. */
export type SplitFinder = 'planner' | 'enumerator' | 'enumerator-without-snapshots';

export interface ShapedSource {
  readonly name: string;
  readonly finder: SplitFinder;
  readonly format: FileFormat;
  readonly rows: number;
  readonly files: number;
}

export interface ShapedStage {
  readonly name: string;
  /** Input name in the SQL → relation. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What the whole stage means. */
  readonly sql: string;
  /** Set for a map function: it adds this to `v`, after a pause. */
  readonly mapAdds: number | null;
  readonly parallelism: number | null;
  readonly chain: boolean;
}

export interface ShapedSink {
  readonly name: string;
  readonly input: string;
  readonly format: FileFormat;
  readonly mode: 'error-if-occupied' | 'overwrite' | 'append';
}

export interface JobShape {
  readonly form: 'deep' | 'wide' | 'mixed';
  readonly shuffle?: 'service';
  readonly sources: readonly ShapedSource[];
  readonly stages: readonly ShapedStage[];
  readonly sinks: readonly ShapedSink[];
  /** How long each task of a map stage lasts at least. */
  readonly pauseMs: number;
}

const formats: readonly FileFormat[] = ['parquet', 'csv', 'json'];
const finders: readonly SplitFinder[] = ['planner', 'enumerator', 'planner', 'enumerator-without-snapshots'];
const sinksMax = 4;

export function drawJobShape(random: Random): JobShape {
  return new ShapeBuilder(random).build();
}

class ShapeBuilder {
  readonly #random: Random;
  readonly #form: JobShape['form'];
  readonly #relations: string[] = [];
  readonly #read = new Set<string>();
  readonly #stages: ShapedStage[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#form = random.pick(['deep', 'wide', 'mixed']);
  }

  build(): JobShape {
    const sources = this.#sources();
    const steps = 3 + this.#random.below(this.#form === 'deep' ? 5 : 4);
    for (let step = 0; step < steps; step += 1) this.#step();
    // Something must take its time, so that a kill finds something running.
    this.#map(this.#pick());
    this.#aggregate(this.#pick());
    const sinks = this.#sinks();
    return { form: this.#form, sources, stages: this.#stages, sinks, pauseMs: 20 + this.#random.below(80) };
  }

  #sources(): ShapedSource[] {
    const count = 1 + this.#random.below(3);
    return Array.from({ length: count }, (_, index) => {
      const name = `source${index}`;
      this.#relations.push(name);
      const rows = 500 + this.#random.below(8_000);
      const finder = finders[rows % finders.length] ?? 'planner';
      return { name, finder, format: this.#random.pick(formats), rows, files: 1 + this.#random.below(5) };
    });
  }

  #step(): void {
    const from = this.#pick();
    switch (this.#random.below(8)) {
      case 0:
        return void this.#stage({ i: from }, `SELECT id, k, g, v FROM i WHERE v % 5 <> ${this.#random.below(5)}`);
      case 1:
      case 2:
        return this.#map(from);
      case 3:
        return void this.#aggregate(from);
      case 4:
        return this.#join(from, this.#aggregate(this.#pick()));
      case 5:
        return void this.#stage(
          { a: from, b: this.#pick() },
          'SELECT id, k, g, v FROM a UNION ALL SELECT id, k, g, v FROM b',
        );
      case 6:
        return void this.#stage(
          { i: from },
          `SELECT id, k, g, v FROM i QUALIFY row_number() OVER (PARTITION BY k ORDER BY v DESC, id, g) <= ${3 + this.#random.below(9)}`,
        );
      default:
        return void this.#stage({ i: from }, 'SELECT DISTINCT k::BIGINT AS id, k, g, (v % 10)::BIGINT AS v FROM i');
    }
  }

  #map(from: string): void {
    const adds = 1 + this.#random.below(9);
    this.#stage({ i: from }, `SELECT id, k, g, v + ${adds} AS v FROM i`, adds);
  }

  #aggregate(from: string): string {
    return this.#stage(
      { i: from },
      'SELECT min(id)::BIGINT AS id, k, max(g) AS g, (sum(v) % 1000000)::BIGINT AS v FROM i GROUP BY k',
    );
  }

  /** `unique` has each k once: a join with it never grows. */
  #join(from: string, unique: string): void {
    const kind = this.#random.pick(['JOIN', 'LEFT JOIN']);
    this.#stage(
      { a: from, b: unique },
      `SELECT a.id, a.k, b.g, (a.v + coalesce(b.v, 0))::BIGINT AS v FROM a ${kind} b ON a.k = b.k`,
    );
  }

  #stage(inputs: Record<string, string>, sql: string, mapAdds: number | null = null): string {
    const name = `s${this.#stages.length}`;
    const parallelism = this.#random.chance(0.35) ? 1 + this.#random.below(5) : null;
    this.#stages.push({ name, inputs, sql, mapAdds, parallelism, chain: !this.#random.chance(0.2) });
    for (const input of Object.values(inputs)) this.#read.add(input);
    this.#relations.push(name);
    return name;
  }

  /** A deep job reads what was made last, a wide one anything, and often what nobody has read. */
  #pick(): string {
    const all = this.#relations;
    const last = all.at(-1) ?? '';
    if (this.#form === 'deep' && this.#random.chance(0.7)) return last;
    return this.#form === 'mixed' && this.#random.chance(0.5) ? last : this.#random.pick(all);
  }

  #sinks(): ShapedSink[] {
    for (let leaves = this.#leaves(); leaves.length > sinksMax; leaves = this.#leaves()) {
      const [a = '', b = ''] = leaves;
      this.#stage({ a, b }, 'SELECT id, k, g, v FROM a UNION ALL SELECT id, k, g, v FROM b');
    }
    return this.#leaves().map((input, index) => ({
      name: `out${index}`,
      input,
      format: this.#random.pick(formats),
      mode: this.#random.pick(['error-if-occupied', 'error-if-occupied', 'overwrite', 'append']),
    }));
  }

  #leaves(): string[] {
    return this.#relations.filter((relation) => !this.#read.has(relation));
  }
}

/** The single query that gives what sink `sink` must hold; `scanOf` gives the SQL that reads a source's files. */
export function singleQuery(shape: JobShape, sink: ShapedSink, scanOf: (source: ShapedSource) => string): string {
  const sources = shape.sources.map((source) => `${source.name} AS (${scanOf(source)})`);
  const stages = shape.stages.map(({ name, inputs, sql }) => {
    const aliases = Object.entries(inputs).map(([alias, from]) => `${alias} AS (SELECT * FROM ${from})`);
    return `${name} AS (WITH ${aliases.join(', ')} ${sql})`;
  });
  return `WITH ${[...sources, ...stages].join(',\n')}\nSELECT id, k, g, v FROM ${sink.input}`;
}
