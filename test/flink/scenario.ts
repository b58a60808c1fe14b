// One random failover scenario, from a seed: a job, settings, and steps. Each step opens some gates, lets the job run
// until it rests (or for a moment only), then kills. The last one kills the JobManager; all gates open after it.
// Pure data: the same seed is the same scenario on every machine.
import { type Random, seeded } from '../replay/random.ts';
import type { ClusterOptions } from './cluster-config.ts';
import { type Damage, damageKinds } from './damage.ts';
import { jobText, largestParallelism, randomJob, type Stage } from './job-shape.ts';

export interface Scenario {
  readonly seed: number;
  readonly stages: readonly Stage[];
  readonly cluster: ClusterOptions & { readonly workers: number };
  readonly steps: readonly Step[];
}

export interface Step {
  /** Tasks whose gate opens, as `stage.subtask`. */
  readonly opens: readonly string[];
  /** null: until the job rests; else so long after the gates opened. */
  readonly runForMs: number | null;
  /** Whether the JobManager dies too; else the workers alone do, and the job goes on. */
  readonly killsJobManager: boolean;
  /** The workers that die, by their index among the living ones. */
  readonly killsWorkers: readonly number[];
  /** New workers that start afterwards. */
  readonly newWorkers: number;
  /** What happens to the store before the restart. */
  readonly damage: Damage | null;
  /** How the prediction is asked for: by the workers that are lost or by those that are back. */
  readonly asksBy: 'lost-worker' | 'workers';
}

const workerCount = 3;

/** A failover kills the JobManager, and workers with it or not; a loss, a worker alone. */
type Kind = 'failover' | 'loss';
const courses: readonly (readonly Kind[])[] = [
  ['failover'],
  ['failover'],
  ['failover'],
  ['failover', 'failover'],
  ['loss', 'failover'],
];

export function randomScenario(seed: number): Scenario {
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  const job = randomJob(random);
  const kinds = random.pick<readonly Kind[]>(courses);
  const fronts = randomFronts(job, kinds.length, random);
  return {
    seed,
    stages: withFirmGates(job, fronts, random),
    cluster: {
      workers: workerCount,
      slotsPerWorker: random.pick([2, 3, 3]),
      snapshotMinPause: random.pick(['0 ms', '0 ms', '1 s', '3 min']),
      flushInterval: random.pick(['200 ms', '200 ms', '200 ms', '200 ms', '1 s', '10 min']),
    },
    steps: randomSteps(kinds, job, fronts, random),
  };
}

/** Where a step's job waits: this stage, and at least this gate of it. */
interface Front {
  readonly stage: Stage;
  readonly anchor: string;
}

function randomFronts(stages: readonly Stage[], count: number, random: Random): Front[] {
  // Rather late in the job: more has finished by then.
  const late = () => Math.max(random.below(stages.length), random.below(stages.length));
  const indexes = Array.from({ length: count }, late).sort((one, other) => one - other);
  return indexes.map((index) => {
    const stage = stages[index] as Stage;
    const gates = gatesOf(stage);
    // Of an adaptive stage only the first task is certain to exist.
    return { stage, anchor: stage.parallelism === 0 ? (gates[0] as string) : random.pick(gates) };
  });
}

/** A front must hold: its gate is in open(), mostly (a record may never come). */
function withFirmGates(stages: readonly Stage[], fronts: readonly Front[], random: Random): Stage[] {
  return stages.map((stage) => {
    const isFront = fronts.some((front) => front.stage === stage);
    const isFirm = isFront && !(stage.source && random.chance(0.3));
    return isFirm ? { ...stage, gateAtRecord: 0 } : stage;
  });
}

function randomSteps(
  kinds: readonly Kind[],
  stages: readonly Stage[],
  fronts: readonly Front[],
  random: Random,
): Step[] {
  let living = workerCount;
  let closed = stages.flatMap(gatesOf);
  return kinds.map((kind, index) => {
    const wanted = closedGates(stages, fronts.slice(index), random);
    const opens = closed.filter((gate) => !wanted.has(gate));
    closed = closed.filter((gate) => wanted.has(gate));
    const step = randomStep(kind === 'failover', opens, living, random);
    living += step.newWorkers - step.killsWorkers.length;
    return step;
  });
}

function randomStep(killsJobManager: boolean, opens: readonly string[], living: number, random: Random): Step {
  const wanted = killsJobManager ? random.pick([0, 0, 0, 1, 1, 1, 1, 2, 3]) : 1;
  const killed = Math.min(wanted, living);
  const killsWorkers = shuffled(living, random).slice(0, killed);
  return {
    opens,
    runForMs: killsJobManager && random.chance(0.2) ? 700 + random.below(2_500) : null,
    killsJobManager,
    killsWorkers,
    newWorkers: Math.max(living - killed === 0 ? 1 : 0, random.below(killed + 1)),
    damage:
      killsJobManager && random.chance(0.2) ? { kind: random.pick(damageKinds), at: random.below(1000) / 1000 } : null,
    asksBy: random.pick(['lost-worker', 'workers']),
  };
}

/** Some tasks at the front wait, now and then one elsewhere, and the anchors of all fronts to come. */
function closedGates(stages: readonly Stage[], [front, ...later]: readonly Front[], random: Random): Set<string> {
  const closed = new Set([front, ...later].flatMap((each) => each?.anchor ?? []));
  for (const stage of stages) {
    const gates = gatesOf(stage);
    if (stage === front?.stage) for (const gate of gates.filter(() => random.chance(0.4))) closed.add(gate);
    else if (random.chance(0.1)) closed.add(random.pick(gates));
  }
  return closed;
}

function gatesOf({ name, parallelism }: Stage): string[] {
  return Array.from({ length: parallelism || largestParallelism }, (_, subtask) => `${name}.${subtask}`);
}

function shuffled(count: number, random: Random): number[] {
  const left = Array.from({ length: count }, (_, index) => index);
  const order: number[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}

/** The whole scenario in a few lines, for the log of a run. */
export function scenarioText(scenario: Scenario): string {
  const { slotsPerWorker, snapshotMinPause, flushInterval } = scenario.cluster;
  const steps = scenario.steps.map((step) => {
    const rests = step.runForMs === null ? 'at rest' : `after ${step.runForMs} ms`;
    const killed = [
      ...(step.killsJobManager ? ['JobManager'] : []),
      ...step.killsWorkers.map((index) => `worker ${index}`),
    ];
    const damaged = step.damage === null ? '' : `; ${step.damage.kind} at ${step.damage.at}`;
    return `${rests}: kill ${killed.join(', ')}; ${step.newWorkers} new; opened ${step.opens.join(' ') || 'nothing'}${damaged}`;
  });
  const settings = `${slotsPerWorker} slots, min-pause ${snapshotMinPause}, flush-interval ${flushInterval}`;
  return [`seed ${scenario.seed}: ${settings}`, jobText(scenario.stages).trim(), ...steps].join('\n');
}
