// The submitted jobs of all captures, read from their bytes, against what Flink's own classes printed of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import { jobOfBytes } from '../../../src/store/flink/job-file.ts';
import { murmur3 } from '../../../src/store/flink/murmur3.ts';
import { allFailovers, printedJob } from '../../support/flink-capture.ts';

const captures = allFailovers().filter((failover) => failover.suffix === '');

function shape({ jobId, vertices, edges }: FlinkJob): unknown {
  const plain = ({ mayBecomePointwise: _, ...edge }: FlinkJob['edges'][number]) => ({
    ...edge,
    distribution: edge.distribution === 'BROADCAST' ? 'ALL_TO_ALL' : edge.distribution,
  });
  const coordinators = (vertex: FlinkJob['vertices'][number]) => vertex.coordinators?.map((each) => each.operatorId);
  return {
    jobId,
    vertices: vertices
      .map((vertex) => ({ id: vertex.id, name: vertex.name, coordinators: coordinators(vertex) }))
      .sort(byId),
    edges: edges
      .map(plain)
      .sort((a, b) => (`${a.datasetId}${a.consumerVertexId}` < `${b.datasetId}${b.consumerVertexId}` ? -1 : 1)),
  };
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

describe.each(captures)('$name', (capture) => {
  it('is read as Flink reads it', () => {
    const folder = join(capture.folder, 'ha-files');
    const [file = ''] = readdirSync(folder);
    const job = jobOfBytes(readFileSync(join(folder, file)));
    expect(typeof job === 'string' ? job : shape(job)).toEqual(shape(printedJob(capture)));
  });
});

it('murmur3 as Guava computes it', () => {
  expect(murmur3(Buffer.alloc(0)).toString('hex')).toBe('00000000000000000000000000000000');
  expect(murmur3(Buffer.from('The quick brown fox jumps over the lazy dog')).toString('hex')).toBe(
    '6c1b07bc7bbc4be347939ac4a93c437a',
  );
});
