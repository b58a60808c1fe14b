// Names from REST's plan: of every captured job as Flink itself names its vertices, and of chains that branch.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jobOfRestJson } from '../../../src/store/flink/plan-json.ts';
import { nameOfDescription } from '../../../src/store/flink/plan-names.ts';
import { allFailovers, printedJob } from '../../support/flink-capture.ts';

describe('nameOfDescription', () => {
  it.each(allFailovers())('$name', (failover) => {
    const plan = JSON.parse(readFileSync(join(failover.folder, `plan${failover.suffix}.json`), 'utf8'));
    const named = jobOfRestJson(plan)?.vertices.map(({ id, name }) => [id, name]);
    const real = new Map(printedJob(failover).vertices.map(({ id, name }) => [id, name]));
    expect(named?.length).toBeGreaterThan(0);
    for (const [id, name] of named ?? []) expect(name).toBe(real.get(id ?? ''));
  });

  it.each([
    ['', null],
    ['a', 'a'],
    ['a<br/>+- b<br/>   +- c<br/>', 'a -> b -> c'],
    ['a<br/>:- b<br/>+- c<br/>', 'a -> (b, c)'],
    ['a<br/>:- b<br/>:  +- c<br/>+- d<br/>   :- e<br/>   +- f<br/>', 'a -> (b -> c, d -> (e, f))'],
    ['a -&gt; (b, c)', 'a -> (b, c)'],
    ['Source: x-y +- z<br/>', 'Source: x-y +- z'],
    ['[4]:LocalSortAggregate(groupBy=[a])', 'SortAggregate[4]'],
    ['[2]:TableSourceScan(table=[[c, d, t]], fields=[a])', 'Source: t[2]'],
    ['[2]:TableSourceScan(table=unknown)', 'TableSourceScan[2]'],
  ])('%s', (description, name) => {
    expect(nameOfDescription(description)).toBe(name);
  });

  it('takes any text', () => {
    for (const text of ['+- ', ':- :- :- a', '   <br/>   ', '+- a<br/>b', `${'   '.repeat(400)}+- deep<br/>a`])
      expect(typeof (nameOfDescription(text) ?? '')).toBe('string');
  });
});
