// --flink-rest: what is asked of a cluster, and one clear line for everything that is not an answer of Flink's.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { diffStore } from '../../src/services/diff.ts';
import { diagnose } from '../../src/services/doctor.ts';
import { askFlinkCluster } from '../../src/services/flink-rest.ts';
import { capturesFolder } from '../support/flink-capture.ts';

const capture = join(capturesFolder, '2.3.0/s01-jm-only-mid');
const read = (file: string) => JSON.parse(readFileSync(join(capture, file), 'utf8'));
const job = read('job-before.json') as { jid: string };
const vertices = read('vertices-before.json') as Record<string, unknown>;

let server: Server | null = null;

async function serve(answers: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

const cluster = {
  '/taskmanagers': read('taskmanagers-before.json'),
  [`/jobs/${job.jid}`]: job,
  ...Object.fromEntries(Object.entries(vertices).map(([id, vertex]) => [`/jobs/${job.jid}/vertices/${id}`, vertex])),
};

describe('a running cluster', () => {
  it('tells its workers, the job and the times of its tasks', async () => {
    const { workers, job: found } = await askFlinkCluster(await serve(cluster), job.jid);
    expect([...workers].sort()).toEqual(['tm-a', 'tm-b', 'tm-c']);
    expect(found).toMatchObject({ source: 'plan', jobId: job.jid });
    expect(found?.vertices.map((vertex) => vertex.name)).toContain('m1');
    expect(found?.subtasks.length).toBeGreaterThan(0);
  });

  it('names vertices and survivors for diff', async () => {
    const store = join(capture, 'store');
    const flinkRest = await serve(cluster);
    const report = await diffStore({
      location: store,
      topology: [],
      until: null,
      survivors: { kind: 'default' },
      flinkRest,
      sourcesWithoutSnapshot: [],
      flinkOnlyFlags: [],
    });
    expect(report.basis).toMatchObject({ survivors: 'rest' });
  });

  it('may not know the job', async () => {
    const answer = await askFlinkCluster(await serve({ '/taskmanagers': cluster['/taskmanagers'] }), job.jid);
    expect(answer.job).toBeNull();
  });

  it.each([
    ['no URL', 'localhost:8081', 'INVALID_FLAG'],
    ['nobody there', 'http://127.0.0.1:1', 'REST_UNAVAILABLE'],
  ])('%s', async (_title, url, code) => {
    await expect(askFlinkCluster(url, null)).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('\n'),
    });
  });

  it('answers something else', async () => {
    await expect(askFlinkCluster(await serve({ '/taskmanagers': '<html>' }), null)).rejects.toMatchObject({
      code: 'REST_UNAVAILABLE',
    });
  });

  it('tells doctor its configuration', async () => {
    const url = await serve({
      '/jobmanager/config': [{ key: 'high-availability.type', value: 'kubernetes' }],
      '/config': { 'flink-version': '2.3.0' },
    });
    const report = await diagnose({ target: url, topology: [] });
    expect(report).toMatchObject({ recovery: 'off', flinkVersion: '2.3.0' });
    expect(report.findings.map((finding) => finding.code)).not.toContain('HA_OFF');
  });
});
