// --flink-rest: what is asked of a cluster, and one clear line for everything that is not an answer of Flink's.

import { readFileSync } from 'node:fs';
import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type DiffOptions, diffStore } from '../../src/services/diff.ts';
import type { DiffReport } from '../../src/services/diff-report.ts';
import { diagnose } from '../../src/services/doctor.ts';
import { askFlinkCluster } from '../../src/services/flink-rest.ts';
import { allFailovers, capturesFolder, type Failover, inStore, truthOf } from '../support/flink-capture.ts';

const capture = join(capturesFolder, '2.3.0/s01-jm-only-mid');
const read = (file: string) => JSON.parse(readFileSync(join(capture, file), 'utf8'));
const job = read('job-before.json') as { jid: string };
const vertices = read('vertices-before.json') as Record<string, unknown>;
const asked = { jobId: job.jid, vertexId: null };

let server: Server | null = null;

async function serve(answers: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return listening(server);
}

async function listening(started: Server): Promise<string> {
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const mebibyte = 1024 * 1024;

/** Answers 400 MiB to who asks for the TaskManagers, for as long as it listens. */
async function serveWithoutEnd(headers: OutgoingHttpHeaders) {
  let sent = 0;
  function* body() {
    for (; sent < 400 * mebibyte; sent += mebibyte) yield Buffer.alloc(mebibyte, ' ');
  }
  server = createServer((request, response) => {
    if (request.url !== '/taskmanagers') return response.writeHead(404).end();
    return Readable.from(body()).pipe(response.writeHead(200, headers));
  });
  return { url: await listening(server), sent: () => sent };
}

async function stop(): Promise<void> {
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
}

afterEach(stop);

const cluster = {
  '/taskmanagers': read('taskmanagers-before.json'),
  [`/jobs/${job.jid}`]: job,
  ...Object.fromEntries(Object.entries(vertices).map(([id, vertex]) => [`/jobs/${job.jid}/vertices/${id}`, vertex])),
};

const unpredictable = ['2.3.0/x01-late-report-race', '1.20.3/s00-happy'];
const failovers = allFailovers().filter(({ name }) => !unpredictable.includes(name));

/** A cluster that has the TaskManagers of after the restart, and the job as it was before the kill, or at its end. */
function answersOf(failover: Failover, when: 'before' | 'ended'): Record<string, unknown> {
  const json = (name: string) =>
    JSON.parse(readFileSync(join(failover.folder, `${name}${failover.suffix}.json`), 'utf8'));
  const { plan } = json('plan') as { readonly plan: { readonly jid: string } };
  const before = Object.entries(json('vertices-before') as Record<string, { readonly subtasks: object[] }>);
  const ended = (subtasks: readonly object[]) => subtasks.map((each) => ({ ...each, status: 'FINISHED' }));
  return {
    '/taskmanagers': { taskmanagers: truthOf(failover).survivingTaskManagers.map((id) => ({ id })) },
    '/jobs': { jobs: [{ id: plan.jid, status: 'RUNNING' }] },
    [`/jobs/${plan.jid}`]: { jid: plan.jid, state: when === 'before' ? 'RUNNING' : 'FINISHED', plan },
    ...Object.fromEntries(
      before.map(([id, vertex]) => [
        `/jobs/${plan.jid}/vertices/${id}`,
        when === 'before' ? vertex : { ...vertex, subtasks: ended(vertex.subtasks) },
      ]),
    ),
  };
}

const question = (location: string): DiffOptions => ({
  location,
  topology: [],
  until: null,
  survivors: { kind: 'default' },
  flinkRest: null,
  sourcesWithoutSnapshot: [],
  flinkOnlyFlags: [],
});

const tasks = (list: DiffReport['kept']) => list.map(({ vertexId, subtask }) => `${vertexId}#${subtask}`).sort();

describe('a running cluster', () => {
  it('tells its workers, the job and the times of its tasks', async () => {
    const { workers, job: found } = await askFlinkCluster(await serve(cluster), asked);
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

  it.each(failovers)('predicts $name', async (failover) => {
    for (const when of ['before', 'ended'] as const) {
      const flinkRest = await serve(answersOf(failover, when));
      const report = await diffStore({ ...question(join(failover.folder, `store${failover.suffix}`)), flinkRest });
      expect(report.basis, when).toMatchObject({ survivors: 'rest', topology: 'plan' });
      expect(tasks(report.rerun), when).toEqual(inStore(truthOf(failover).reruns));
      expect(tasks(report.kept), when).toEqual(inStore(truthOf(failover).kept));
      await stop();
    }
  });

  it('may not know the job', async () => {
    const answer = await askFlinkCluster(await serve({ '/taskmanagers': cluster['/taskmanagers'] }), asked);
    expect(answer.job).toBeNull();
  });

  it.each([
    ['no URL', 'localhost:8081', 'INVALID_FLAG'],
    ['nobody there', 'http://127.0.0.1:1', 'REST_UNAVAILABLE'],
  ])('%s', async (_title, url, code) => {
    await expect(askFlinkCluster(url, { jobId: null, vertexId: null })).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('\n'),
    });
  });

  it('that is not there is told to doctor by its own means', async () => {
    const failing = diagnose({ target: 'http://127.0.0.1:1', topology: [] });
    await expect(failing).rejects.toMatchObject({ hint: expect.stringMatching(/its JobManager is up.*diff can do/) });
  });

  it('answers something else', async () => {
    await expect(
      askFlinkCluster(await serve({ '/taskmanagers': '<html>' }), { jobId: null, vertexId: null }),
    ).rejects.toMatchObject({
      code: 'REST_UNAVAILABLE',
    });
  });

  it.each([
    ['declared', { 'content-length': String(400 * mebibyte) }],
    ['chunked, without a length', {}],
  ])('answers with too much: %s', async (_title, headers) => {
    const { url, sent } = await serveWithoutEnd(headers);
    await expect(askFlinkCluster(url, asked)).rejects.toMatchObject({
      code: 'REST_UNAVAILABLE',
      message: expect.stringMatching(
        /^Flink's REST interface at \S+: \/taskmanagers answers with more than \d+ bytes$/,
      ),
    });
    expect(sent()).toBeLessThan(100 * mebibyte);
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
