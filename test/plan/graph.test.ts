// The shape of planned graphs: which stages become one vertex, which sources one of their own, what crosses between.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobGraph } from '../../src/model/job-graph.ts';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
  await folder.parquet(
    'wide.parquet',
    'SELECT i AS id, i % 9 AS k, hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c FROM range(300000) r(i)',
    20_480,
  );
});
afterAll(() => folder.remove());

async function graphOf(stages: string, sinkInput: string, overrides: Record<string, string> = {}): Promise<JobGraph> {
  const text = `name: j
sources:
  wide: { path: wide.parquet }
  people: { path: people.csv }
  events: { path: events.json }
stages:
${stages
  .trim()
  .split('\n')
  .map((line) => `  ${line.trim()}`)
  .join('\n')}
sinks: { out: { input: ${sinkInput}, path: out } }
`;
  return (await folder.plan(text, overrides)).graph;
}

/** `name[parallelism] <- inputs`, and a vertex a line. */
function shapeOf(graph: JobGraph): string[] {
  const nameById = new Map(graph.vertices.map((vertex) => [vertex.id, vertex.name]));
  return graph.vertices.map((vertex) => {
    const inputs = vertex.inputs.map((input) => {
      if (input.kind === 'source') return `source ${input.source}`;
      const edge = graph.edges.find(
        (each) => each.datasetId === input.datasetId && each.consumerVertexId === vertex.id,
      );
      return `${edge?.exchange} ${nameById.get(edge?.producerVertexId ?? '')}`;
    });
    return `${vertex.name}[${vertex.parallelism ?? 'adaptive'}] <- ${inputs.join(', ')}`;
  });
}

describe('chaining', () => {
  it('makes one vertex of forward-connected stages, SQL and map alike', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT id, k FROM w WHERE a > 5" }
       b: { inputs: { a: a }, map: "./functions.ts#clean", columns: { id: BIGINT, k: BIGINT } }
       c: { inputs: { b: b }, sql: "SELECT id + k AS x FROM b" }`,
      'c',
    );
    expect(shapeOf(graph)).toEqual(['a -> b -> c[8] <- source wide']);
    expect(graph.vertices[0]?.stages).toEqual(['a', 'b', 'c']);
    expect(graph.vertices[0]?.steps.map((step) => (step.kind === 'sql' ? step.inputs : step.input))).toEqual([
      { w: { kind: 'input', input: 0 } },
      { kind: 'step', step: 0 },
      { b: { kind: 'step', step: 1 } },
    ]);
    expect(graph.vertices[0]?.sinks).toEqual([{ sink: 'out', from: { kind: 'step', step: 2 } }]);
  });

  it('keeps a stage with chain: false a vertex of its own, on both sides', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT id FROM w" }
       b: { inputs: { a: a }, sql: "SELECT id FROM a", chain: false }
       c: { inputs: { b: b }, sql: "SELECT id FROM b" }`,
      'c',
    );
    expect(shapeOf(graph)).toEqual(['a[8] <- source wide', 'b[8] <- forward a', 'c[8] <- forward b']);
  });

  it('does not chain where the parallelism differs', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT id FROM w" }
       b: { inputs: { a: { from: a, exchange: forward } }, sql: "SELECT id FROM a", parallelism: 3 }
       c: { inputs: { b: b }, sql: "SELECT id FROM b", parallelism: 3 }`,
      'c',
    );
    expect(shapeOf(graph)).toEqual(['a[8] <- source wide', 'b -> c[3] <- forward a']);
  });

  it('lets a chained stage read broadcast data, and a step feed several stages', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT id, k FROM w" }
       b: { inputs: { a: a, p: { from: people, exchange: broadcast } }, sql: "SELECT a.id FROM a JOIN p ON a.k = p.id" }
       c: { inputs: { a: a }, sql: "SELECT k, count(*) AS n FROM a GROUP BY k" }
       d: { inputs: { c: c, b: b }, sql: "SELECT k FROM c UNION ALL SELECT id FROM b" }`,
      'd',
    );
    expect(shapeOf(graph)).toEqual([
      'people[1] <- source people',
      'a -> b[8] <- source wide, broadcast people',
      'c -> d[adaptive] <- hash a -> b, forward a -> b',
    ]);
  });

  it('never closes a circle: a stage that also waits for what its vertex feeds stays apart', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT id, k FROM w" }
       top: { inputs: { a: a }, sql: "SELECT max(k) AS k FROM a" }
       best: { inputs: { a: a, t: { from: top, exchange: broadcast } }, sql: "SELECT a.id FROM a JOIN t ON a.k = t.k" }
       twice: { inputs: { a: a, b: { from: a, exchange: broadcast } }, sql: "SELECT a.id FROM a JOIN b ON a.k = b.id" }
       both: { inputs: { x: best, y: twice }, sql: "FROM x UNION ALL FROM y" }`,
      'both',
    );
    const shape = shapeOf(graph);
    expect(shape.slice(0, 2)).toEqual(['a[8] <- source wide', 'top[1] <- gather a']);
    expect(shape).toContain('twice[8] <- forward a, broadcast a');
    expect(shape.find((line) => line.startsWith('best'))).toMatch(
      /^best -> both\[8\] <- forward a, broadcast top, forward twice$/,
    );
    const place = new Map(graph.vertices.map((vertex, index) => [vertex.id, index]));
    for (const edge of graph.edges) {
      expect(place.get(edge.producerVertexId)).toBeLessThan(place.get(edge.consumerVertexId) ?? -1);
    }
  });

  it('goes on in one task behind a gather', async () => {
    const graph = await graphOf(
      `top: { inputs: { w: wide }, sql: "SELECT id FROM w ORDER BY a LIMIT 10" }
       shown: { inputs: { t: top }, sql: "SELECT id * 2 AS id FROM t" }`,
      'shown',
    );
    expect(shapeOf(graph)).toEqual(['top -> shown[1] <- source wide']);
  });
});

describe('sources', () => {
  it('are read by the consumer itself, unless they are hashed or broadcast', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT k, count(*) AS n FROM w GROUP BY k" }
       b: { inputs: { w: wide, x: { from: wide, exchange: broadcast } }, sql: "SELECT w.id FROM w SEMI JOIN x ON w.id = x.k" }
       c: { inputs: { a: a, b: b }, sql: "SELECT n FROM a UNION ALL SELECT id FROM b" }`,
      'c',
    );
    expect(shapeOf(graph)).toEqual([
      'wide[8] <- source wide',
      'b[8] <- source wide, broadcast wide',
      'a -> c[adaptive] <- hash wide, forward b',
    ]);
    expect(graph.vertices[0]?.outputs.map((output) => [output.exchange, output.columns, output.subpartitions])).toEqual(
      [
        ['hash', ['k'], 8],
        ['broadcast', ['k'], 1],
      ],
    );
  });

  it('become a vertex where a sink reads them', async () => {
    const graph = await graphOf('a: { inputs: { w: wide }, sql: "SELECT id FROM w" }', 'people');
    const people = graph.vertices.find((vertex) => vertex.name === 'people');
    expect(people?.sinks).toEqual([{ sink: 'out', from: { kind: 'input', input: 0 } }]);
    expect(people?.steps).toEqual([]);
  });

  it('are read by as many tasks as they have splits, or as many as stated', async () => {
    expect(shapeOf(await graphOf('a: { inputs: { w: wide }, sql: FROM w }', 'a'))).toEqual(['a[8] <- source wide']);
    expect(shapeOf(await graphOf('a: { inputs: { w: wide }, sql: FROM w, parallelism: 2 }', 'a'))).toEqual([
      'a[2] <- source wide',
    ]);
    const bounded = { 'execution.batch.adaptive.auto-parallelism.default-source-parallelism': '4' };
    expect(shapeOf(await graphOf('a: { inputs: { w: wide }, sql: FROM w }', 'a', bounded))).toEqual([
      'a[4] <- source wide',
    ]);
  });
});

describe('data sets', () => {
  const stages = `a: { inputs: { w: wide }, sql: "SELECT id, k, a, b FROM w" }
    g: { inputs: { a: a }, sql: "SELECT k, sum(id)::BIGINT AS s FROM a GROUP BY k" }
    h: { inputs: { a: a }, sql: "SELECT k, max(b) AS s FROM a GROUP BY k" }`;

  it('are shared by consumers of one exchange, with the columns that any of them reads', async () => {
    const graph = await graphOf(
      `${stages}\n u: { inputs: { g: g, h: h }, sql: "SELECT s FROM g UNION ALL SELECT s FROM h" }`,
      'u',
    );
    const outputs = graph.vertices.find((vertex) => vertex.name === 'a')?.outputs;
    expect(outputs).toHaveLength(1);
    expect(outputs?.[0]).toMatchObject({
      exchange: 'hash',
      columns: ['id', 'k', 'b'],
      by: [{ column: 'k', castType: null }],
    });
    expect(graph.edges.filter((edge) => edge.datasetId === outputs?.[0]?.id)).toHaveLength(2);
  });

  it('are apart where their subpartitions differ', async () => {
    const fixed = stages.replace('GROUP BY k" }\n', 'GROUP BY k", parallelism: 3 }\n');
    const graph = await graphOf(
      `${fixed}\n u: { inputs: { g: g, h: h }, sql: "SELECT s FROM g UNION ALL SELECT s FROM h" }`,
      'u',
    );
    const outputs = graph.vertices.find((vertex) => vertex.name === 'a')?.outputs;
    expect(outputs?.map((output) => output.subpartitions)).toEqual([3, 8]);
  });

  it('keep one column where none is read, and all for a star or a function', async () => {
    const count = await graphOf(
      'a: { inputs: { w: { from: wide, exchange: broadcast } }, sql: "SELECT count(*) AS n FROM w" }',
      'a',
    );
    expect(count.vertices[0]?.outputs[0]?.columns).toEqual(['id']);
    const star = await graphOf(
      'a: { inputs: { w: { from: wide, exchange: hash, by: k } }, sql: "SELECT DISTINCT * FROM w" }',
      'a',
    );
    expect(star.vertices[0]?.outputs[0]?.columns).toBeNull();
    const map = await graphOf(
      'a: { inputs: { w: { from: wide, exchange: hash, by: K } }, map: "./functions.ts#clean" }',
      'a',
    );
    expect(map.vertices[0]?.outputs[0]).toMatchObject({ columns: null, by: [{ column: 'k', castType: null }] });
  });

  it.each([
    ['SELECT w.id FROM w WHERE w.k IN (SELECT i FROM range(w.a::INTEGER) r(i))', ['id', 'k', 'a']],
    ['WITH x AS (SELECT id, b AS c FROM w) SELECT c FROM x', ['b', 'id']],
    ['SELECT id FROM w WHERE list_transform([a], x -> x + c) IS NOT NULL', ['id', 'a', 'c']],
    ['SELECT * EXCLUDE (a) FROM w', null],
    ['SELECT w FROM w', null],
    ["SELECT COLUMNS('i.*') FROM w", null],
    ['SELECT id AS twice, twice + 1 AS more FROM w ORDER BY more', ['id']],
    ['SELECT x FROM (SELECT * FROM w) v(x)', null],
  ])('of %s carry %s', async (sql, columns) => {
    const graph = await graphOf(
      `a: { inputs: { w: { from: wide, exchange: broadcast } }, sql: ${JSON.stringify(sql)} }`,
      'a',
    );
    const carried = graph.vertices[0]?.outputs[0]?.columns;
    expect(carried === null ? null : [...(carried ?? [])].sort()).toEqual(
      columns === null ? null : [...columns].sort(),
    );
  });
});

describe('parallelism', () => {
  const grouped = 'a: { inputs: { w: wide }, sql: "SELECT k, count(*) AS n FROM w GROUP BY k" }';

  it('is adaptive behind a hash, up to twice the slots', async () => {
    const graph = await graphOf(grouped, 'a');
    expect(graph.vertices[1]).toMatchObject({ name: 'a', parallelism: null, maxParallelism: 8 });
  });

  it('has its bounds from the options', async () => {
    const auto = 'execution.batch.adaptive.auto-parallelism';
    expect((await graphOf(grouped, 'a', { [`${auto}.max-parallelism`]: '3' })).vertices[1]?.maxParallelism).toBe(3);
    expect((await graphOf(grouped, 'a', { [`${auto}.enabled`]: 'false' })).vertices[1]?.parallelism).toBe(4);
  });

  it('is the number of subpartitions where it is stated', async () => {
    const graph = await graphOf(grouped.replace('sql:', 'parallelism: 5, sql:'), 'a');
    expect(graph.vertices[0]?.outputs[0]?.subpartitions).toBe(5);
    expect(graph.vertices[1]).toMatchObject({ parallelism: 5, maxParallelism: 5 });
  });
});

describe('types and columns', () => {
  it('are exact from stage to stage', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, sql: "SELECT k, sum(id) AS s, avg(id)::DECIMAL(20,4) AS d, [{'x': max(a)}] AS l FROM w GROUP BY k" }
       b: { inputs: { a: a }, sql: "SELECT *, s::VARCHAR AS t FROM a" }`,
      'b',
    );
    expect(graph.vertices.at(-1)?.steps.at(-1)?.columns).toEqual([
      { name: 'k', type: 'BIGINT' },
      { name: 's', type: 'HUGEINT' },
      { name: 'd', type: 'DECIMAL(20,4)' },
      { name: 'l', type: 'STRUCT(x UBIGINT)[]' },
      { name: 't', type: 'VARCHAR' },
    ]);
  });

  it('are unknown behind a function without columns, and the SQL behind it still planned', async () => {
    const graph = await graphOf(
      `a: { inputs: { w: wide }, map: "./functions.ts#clean" }
       b: { inputs: { a: a }, sql: "SELECT k, count(*) AS n FROM a GROUP BY k" }`,
      'b',
    );
    expect(graph.vertices.map((vertex) => vertex.steps[0]?.columns)).toEqual([null, null]);
    expect(graph.vertices[0]?.outputs[0]).toMatchObject({
      exchange: 'hash',
      by: [{ column: 'k', castType: null }],
      columns: null,
    });
  });

  it('ask for columns where a join would have to trust unknown types', async () => {
    const stages = (exchange: string) => `a: { inputs: { w: wide }, map: "./functions.ts#clean" }
      b: { inputs: { a: { from: a${exchange} }, p: { from: wide${exchange} } }, sql: "SELECT p.k FROM a JOIN p ON a.id = p.id" }`;
    await expect(graphOf(stages(', exchange: hash, by: id'), 'b')).rejects.toThrow(/columns of the map stage/);
    expect(shapeOf(await graphOf(stages(''), 'b')).at(-1)).toMatch(/^b\[1\] <- gather a, source wide$/);
  });
});

describe('identity', () => {
  it('gives the same ids to the same job, other ids to another name', async () => {
    const stage = 'a: { inputs: { w: wide }, sql: "SELECT k, count(*) AS n FROM w GROUP BY k" }';
    const first = await graphOf(stage, 'a');
    expect(await graphOf(stage, 'a')).toEqual(first);
    const ids = new Set([...first.vertices.map((vertex) => vertex.id), ...first.edges.map((edge) => edge.datasetId)]);
    expect([...ids].every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(ids.size).toBe(3);
  });
});
