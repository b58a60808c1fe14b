// One random failover scenario, from a seed: a job, settings, and steps. Each step opens some gates, lets the job run
// until it rests (or for a moment only), then kills. The last one kills the JobManager; all gates open after it.
// Pure data: the same seed is the same scenario on every machine.
import { type Random, seeded } from '../replay/random.ts';
import type { ClusterOptions } from './cluster-config.ts';
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
  /** How the prediction is asked for: by the workers that are lost or by those that are back. */
  readonly asksBy: 'lost-worker' | 'workers';
}

const workerCount = 3;

export function randomScenario(seed: number): Scenario {
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  const stages = randomJob(random);
  return {
    seed,
    stages,
    cluster: {
      workers: workerCount,
      slotsPerWorker: random.pick([2, 3, 3]),
      snapshotMinPause: random.pick(['0 ms', '0 ms', '1 s', '3 min']),
      flushInterval: random.pick(['200 ms', '200 ms', '200 ms', '200 ms', '1 s', '10 min']),
    },
    steps: randomSteps(stages, random),
  };
}

function randomSteps(stages: readonly Stage[], random: Random): Step[] {
  const kinds = random.pick([['fail'], ['fail'], ['fail'], ['fail', 'fail'], ['lose', 'fail']]);
  let living = workerCount;
  let front = 0;
  let closed = new Set(stages.flatMap(gatesOf));
  return kinds.map((kind) => {
    front = Math.max(front, random.below(stages.length));
    const stillClosed = new Set([...closedGates(stages, front, random)].filter((gate) => closed.has(gate)));
    // Something must wait, or the job ends before the kill.
    if (stillClosed.size === 0)
      for (const gate of gatesOf(stages.at(-1) as Stage)) if (closed.has(gate)) stillClosed.add(gate);
    const opens = [...closed].filter((gate) => !stillClosed.has(gate));
    closed = stillClosed;
    const step = randomStep(kind === 'fail', opens, living, random);
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
    runForMs: killsJobManager && random.chance(0.2) ? random.below(2_500) : null,
    killsJobManager,
    killsWorkers,
    newWorkers: Math.max(living - killed === 0 ? 1 : 0, random.below(killed + 1)),
    asksBy: random.pick(['lost-worker', 'workers']),
  };
}

/** Some subtasks of the front stage stay closed, and now and then some of a later or parallel one. */
function closedGates(stages: readonly Stage[], front: number, random: Random): Set<string> {
  const closed = new Set<string>();
  stages.forEach((stage, index) => {
    const gates = gatesOf(stage);
    if (index === front) for (const gate of someOf(gates, random)) closed.add(gate);
    else if (random.chance(index > front ? 0.25 : 0.1)) closed.add(random.pick(gates));
  });
  return closed;
}

/** At least one, and always the first where nobody knows yet how many there will be. */
function someOf(gates: readonly string[], random: Random): string[] {
  const [first = ''] = gates;
  const chosen = gates.filter(() => random.chance(0.45));
  return gates.length === largestParallelism || chosen.length === 0 ? [...new Set([first, ...chosen])] : chosen;
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
    return `${rests}: kill ${killed.join(', ')}; ${step.newWorkers} new; opened ${step.opens.join(' ') || 'nothing'}`;
  });
  const settings = `${slotsPerWorker} slots, min-pause ${snapshotMinPause}, flush-interval ${flushInterval}`;
  return [`seed ${scenario.seed}: ${settings}`, jobText(scenario.stages).trim(), ...steps].join('\n');
}
