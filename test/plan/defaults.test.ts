// Which exchanges are chosen where the job file states none, from the SQL alone (and from sizes, for broadcast).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
  await folder.parquet(
    'more.parquet',
    'SELECT i AS id, (i % 5)::BIGINT AS city, i::VARCHAR AS code FROM range(900) r(i)',
  );
  await folder.parquet(
    'big.parquet',
    'SELECT i AS id, (i % 7)::INTEGER AS city, hash(i) AS noise, hash(i + 1) AS more FROM range(60000) r(i)',
  );
  await folder.parquet('small.parquet', "SELECT i::INTEGER AS city, 'c' || i AS name FROM range(7) r(i)");
});
afterAll(() => folder.remove());

function job(stage: string, inputs = '{ o: orders, m: more, big: big, small: small }'): string {
  return `name: j
sources:
  orders: { path: orders.parquet }
  more: { path: more.parquet }
  big: { path: big.parquet }
  small: { path: small.parquet }
stages:
  s:
    inputs: ${inputs}
    ${stage}
sinks: { out: { input: s, path: out } }
`;
}

/** The exchanges of stage `s`: `o forward`, `o hash(city)`. */
async function exchanges(sql: string, names: readonly string[], more = ''): Promise<string[]> {
  const sources: Readonly<Record<string, string>> = { o: 'orders', m: 'more', big: 'big', small: 'small' };
  const inputs = `{ ${names.map((name) => `${name}: ${sources[name]}`).join(', ')} }`;
  const { edges } = await folder.plan(job(`sql: ${JSON.stringify(sql)}${more}`, inputs));
  return edges.map((edge, index) => `${names[index]} ${edge.exchange}${edge.by.length > 0 ? `(${edge.by})` : ''}`);
}

const table: readonly (readonly [string, string, readonly string[]])[] = [
  // row by row
  ['SELECT id, amount * 2 AS a FROM o WHERE city > 1', 'o', ['o forward']],
  ['SELECT * FROM o UNION ALL SELECT id, city, 1 FROM m', 'o m', ['o forward', 'm forward']],
  ['SELECT * FROM o LIMIT ALL', 'o', ['o forward']],
  // hash by what groups
  ['SELECT city, count(*) AS n FROM o GROUP BY city', 'o', ['o hash(city)']],
  ['SELECT id, city, count(*) AS n FROM o GROUP BY ALL', 'o', ['o hash(id,city)']],
  ['SELECT CITY AS c, count(*) AS n FROM o GROUP BY c', 'o', ['o hash(city)']],
  ['SELECT DISTINCT city, id FROM o', 'o', ['o hash(city,id)']],
  ['SELECT id, rank() OVER (PARTITION BY city ORDER BY amount) AS r FROM o', 'o', ['o hash(city)']],
  // the largest set that satisfies all
  [
    'SELECT city, sum(n) AS n FROM (SELECT id, city, count(*) AS n FROM o GROUP BY id, city) GROUP BY city',
    'o',
    ['o hash(city)'],
  ],
  [
    'SELECT id, sum(amount) OVER (PARTITION BY id, city) AS a, max(amount) OVER (PARTITION BY city) AS b FROM o',
    'o',
    ['o hash(city)'],
  ],
  [
    'SELECT city, amount, id, count(*) AS n FROM o GROUP BY GROUPING SETS ((city, amount), (city, id))',
    'o',
    ['o hash(city)'],
  ],
  // joins
  ['SELECT o.id, m.code FROM o JOIN m ON o.city = m.city', 'o m', ['o hash(city)', 'm hash(city)']],
  ['SELECT o.id, m.code FROM o JOIN m USING (city, id)', 'o m', ['o hash(city,id)', 'm hash(city,id)']],
  [
    'SELECT o.id, m.code FROM o FULL JOIN m ON o.city = m.city AND o.id = m.id',
    'o m',
    ['o hash(city,id)', 'm hash(city,id)'],
  ],
  ['SELECT o.id FROM o, m WHERE o.city = m.city', 'o m', ['o hash(city)', 'm hash(city)']],
  [
    'SELECT o.city, count(*) AS n FROM o JOIN m ON o.city = m.city GROUP BY o.city',
    'o m',
    ['o hash(city)', 'm hash(city)'],
  ],
  [
    'SELECT o.city, count(*) AS n FROM o JOIN m ON o.city = m.city AND o.id = m.id GROUP BY o.city',
    'o m',
    ['o hash(city)', 'm hash(city)'],
  ],
  ['SELECT city FROM o EXCEPT SELECT city FROM m', 'o m', ['o hash(city)', 'm hash(city)']],
  ['SELECT a.id, b.id AS other FROM o a JOIN o b ON a.city = b.city', 'o', ['o hash(city)']],
  // broadcast of a side that is small beside the other
  [
    'SELECT big.id, small.name FROM big JOIN small ON big.city = small.city',
    'big small',
    ['big forward', 'small broadcast'],
  ],
  [
    'SELECT big.id, small.name FROM small RIGHT JOIN big ON big.city = small.city',
    'small big',
    ['small broadcast', 'big forward'],
  ],
  [
    'SELECT big.id, small.name FROM big LEFT JOIN small ON big.id < small.city',
    'big small',
    ['big forward', 'small broadcast'],
  ],
  ['SELECT big.id FROM big WHERE city IN (SELECT city FROM small)', 'big small', ['big forward', 'small broadcast']],
  [
    'SELECT big.city, count(*) AS n FROM big JOIN small ON big.city = small.city GROUP BY big.city',
    'big small',
    ['big hash(city)', 'small broadcast'],
  ],
  [
    'SELECT big.id, small.name, m.code FROM big JOIN small ON big.city = small.city JOIN m ON big.id = m.id',
    'big small m',
    ['big forward', 'small broadcast', 'm broadcast'],
  ],
  // … but not where it would change the answer
  [
    'SELECT big.id, small.name FROM big FULL JOIN small ON big.city = small.city',
    'big small',
    ['big hash(city)', 'small hash(city)'],
  ],
  [
    'SELECT big.id, small.name FROM big RIGHT JOIN small ON big.city = small.city',
    'big small',
    ['big hash(city)', 'small hash(city)'],
  ],
  // anything else
  ['SELECT count(*) AS n FROM o', 'o', ['o gather']],
  ['SELECT id FROM o ORDER BY id LIMIT 3', 'o', ['o gather']],
  ['SELECT id, row_number() OVER (ORDER BY id) AS r FROM o', 'o', ['o gather']],
  ['SELECT city % 2 AS p, count(*) AS n FROM o GROUP BY 1', 'o', ['o gather']],
  ['SELECT o.id, m.code FROM o JOIN m ON o.id < m.id', 'o m', ['o gather', 'm gather']],
  ['SELECT o.id FROM o JOIN m ON o.city::VARCHAR = m.code', 'o m', ['o gather', 'm gather']],
  ['SELECT o.id FROM o JOIN m ON o.id = m.code', 'o m', ['o gather', 'm gather']],
  ['SELECT city, id, count(*) AS n FROM o GROUP BY GROUPING SETS ((city), (id))', 'o', ['o gather']],
];

describe('chosen exchanges', () => {
  it.each(table)('%s', async (sql, names, expected) => {
    expect(await exchanges(sql, names.split(' '))).toEqual(expected);
  });

  it('is forward with perTask, whatever the SQL', async () => {
    expect(await exchanges('SELECT city, count(*) AS n FROM o GROUP BY city', ['o'], '\n    perTask: true')).toEqual([
      'o forward',
    ]);
  });

  it('with parallelism 1 is forward where the SQL is row by row, gather elsewhere', async () => {
    expect(await exchanges('SELECT id FROM o', ['o'], '\n    parallelism: 1')).toEqual(['o forward']);
    expect(await exchanges('SELECT count(*) AS n FROM o', ['o'], '\n    parallelism: 1')).toEqual(['o gather']);
  });
});

describe('stated and open exchanges together', () => {
  async function planned(inputs: string, sql: string): Promise<string[]> {
    const { edges } = await folder.plan(job(`sql: ${JSON.stringify(sql)}`, inputs));
    return edges.map((edge) => `${edge.from} ${edge.exchange}${edge.by.length > 0 ? `(${edge.by})` : ''}`);
  }
  const join = 'SELECT o.id, m.code FROM o JOIN m ON o.city = m.city AND o.id = m.id';

  it('hashes the open side by what the stated one is hashed by', async () => {
    const inputs = '{ o: { from: orders, exchange: hash, by: id }, m: more }';
    expect(await planned(inputs, join)).toEqual(['orders hash(id)', 'more hash(id)']);
    const reversed = '{ o: orders, m: { from: more, exchange: hash, by: [id, city] } }';
    expect(await planned(reversed, join)).toEqual(['orders hash(id,city)', 'more hash(id,city)']);
  });

  it('leaves the other side divided where one is broadcast', async () => {
    const inputs = '{ o: orders, m: { from: more, exchange: broadcast } }';
    expect(await planned(inputs, join)).toEqual(['orders forward', 'more broadcast']);
  });

  it('works in one task where one side is gathered', async () => {
    const { graph } = await folder.plan(
      job(`sql: ${JSON.stringify(join)}`, '{ o: { from: orders, exchange: gather }, m: more }'),
    );
    expect(graph.vertices.find((vertex) => vertex.name === 's')?.parallelism).toBe(1);
  });

  it('accepts forward behind a hash by the same columns', async () => {
    const text = `name: j
sources: { orders: { path: orders.parquet } }
stages:
  counts: { inputs: { o: orders }, sql: "SELECT city, id, count(*) AS n FROM o GROUP BY city, id" }
  s:
    inputs: { c: { from: counts, exchange: forward } }
    sql: SELECT *, sum(n) OVER (PARTITION BY id, city, n) AS total FROM c
sinks: { out: { input: s, path: out } }
`;
    const { graph } = await folder.plan(text);
    expect(graph.vertices.map((vertex) => vertex.name)).toEqual(['orders', 'counts -> s']);
    const error = await folder.errorOf(text.replace('id, city, n', 'id'));
    expect(error.code).toBe('EXCHANGE_REFUSED');
  });

  it('casts the keys of both sides to their common type', async () => {
    const { graph } = await folder.plan(
      job('sql: SELECT o.id FROM o JOIN m ON o.city = m.city', '{ o: orders, m: more }'),
    );
    const keys = graph.vertices.flatMap((vertex) => vertex.outputs.map((output) => [vertex.name, output.by]));
    expect(keys).toEqual([
      ['orders', [{ column: 'city', castType: 'BIGINT' }]],
      ['more', [{ column: 'city', castType: null }]],
    ]);
  });
});
