// Reads what Flink's REST interface says of a job's shape: `/jobs/<id>/plan` and `/jobs/<id>` (vertices, edges, names; no
// data sets), and `/jobs/<id>/vertices/<vertex>` (times of subtasks; one, a list, or a map of them). Unknown fields are
// left alone. Spec: docs/flink.md "REST".
import * as v from 'valibot';
import type { FlinkJob, FlinkJobEdge, FlinkJobVertex, FlinkSubtaskMetrics } from '../../model/flink-job.ts';
import type { Distribution } from '../../model/job-graph.ts';
import { nameOfDescription } from './plan-names.ts';

const idSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const inputSchema = v.object({ id: idSchema, ship_strategy: v.optional(v.string(), '') });
const nodeSchema = v.object({
  id: idSchema,
  parallelism: v.optional(v.number(), -1),
  description: v.optional(v.string(), ''),
  inputs: v.optional(v.array(inputSchema), []),
});
const planSchema = v.object({
  jid: v.optional(idSchema),
  name: v.optional(v.string()),
  nodes: v.array(nodeSchema),
});
const vertexSchema = v.object({ id: idSchema, name: v.string() });
const jobSchema = v.object({
  plan: planSchema,
  jid: v.optional(idSchema),
  name: v.optional(v.string()),
  vertices: v.optional(v.array(vertexSchema), []),
});
const subtasksSchema = v.object({
  id: idSchema,
  name: v.optional(v.string()),
  subtasks: v.array(
    v.object({ subtask: v.number(), status: v.optional(v.string(), ''), duration: v.optional(v.number(), 0) }),
  ),
});

type Plan = v.InferOutput<typeof planSchema>;
type VertexTimes = v.InferOutput<typeof subtasksSchema>;

/** The job in a parsed document; null where it is none of the kinds above. */
export function jobOfRestJson(document: unknown): FlinkJob | null {
  const job = v.safeParse(jobSchema, document);
  if (job.success) return jobOfPlan(job.output.plan, job.output);
  const plan = v.safeParse(planSchema, document);
  if (plan.success) return jobOfPlan(plan.output, plan.output);
  return jobOfTimes(document);
}

interface Naming {
  readonly jid?: string | undefined;
  readonly name?: string | undefined;
  readonly vertices?: readonly { readonly id: string; readonly name: string }[];
}

function jobOfPlan(plan: Plan, naming: Naming): FlinkJob {
  const names = new Map(naming.vertices?.map((vertex) => [vertex.id, vertex.name]));
  const vertices = plan.nodes.map(
    ({ id, parallelism, description }): FlinkJobVertex => ({
      id,
      name: names.get(id) ?? nameOfDescription(description),
      parallelism: parallelism > 0 ? parallelism : null,
      coordinators: null,
    }),
  );
  return {
    source: 'plan',
    jobId: naming.jid ?? plan.jid ?? null,
    name: naming.name ?? plan.name ?? null,
    vertices,
    edges: plan.nodes.flatMap(({ id, inputs }) => inputs.map((input) => edgeOf(id, input))),
    config: {},
    subtasks: [],
  };
}

function edgeOf(consumerVertexId: string, input: v.InferOutput<typeof inputSchema>): FlinkJobEdge {
  return {
    producerVertexId: input.id,
    consumerVertexId,
    datasetId: null,
    distribution: distributionOf(input.ship_strategy),
    mayBecomePointwise: /^HASH\[/.test(input.ship_strategy),
  };
}

function distributionOf(shipStrategy: string): Distribution | null {
  if (shipStrategy === '') return null;
  if (shipStrategy.startsWith('BROADCAST')) return 'BROADCAST';
  return /^(FORWARD|RESCALE)/.test(shipStrategy) ? 'POINTWISE' : 'ALL_TO_ALL';
}

function jobOfTimes(document: unknown): FlinkJob | null {
  const times = vertexTimes(document);
  if (times.length === 0) return null;
  const vertices = times.map(({ id, name }) => ({ id, name: name ?? null, parallelism: null, coordinators: null }));
  const subtasks = times.flatMap(finishedSubtasks);
  return { source: 'plan', jobId: null, name: null, vertices, edges: [], config: {}, subtasks };
}

function vertexTimes(document: unknown): VertexTimes[] {
  const one = v.safeParse(subtasksSchema, document);
  if (one.success) return [one.output];
  const all = typeof document === 'object' && document !== null ? Object.values(document) : [];
  const read = all.map((each) => v.safeParse(subtasksSchema, each));
  return read.every((each) => each.success) ? read.map((each) => each.output as VertexTimes) : [];
}

function finishedSubtasks({ id, subtasks }: VertexTimes): FlinkSubtaskMetrics[] {
  const finished = subtasks.filter((subtask) => subtask.status === 'FINISHED');
  return finished.map(({ subtask, duration }) => ({ vertexId: id, subtask, durationMs: duration }));
}
