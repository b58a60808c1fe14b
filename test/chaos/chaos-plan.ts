// What a seed stands for: the job, its options, and the strikes: when, at whom, and what is damaged meanwhile. Pure: the
// same seed and kind give the same plan on every machine. Which event a kill meets is tied to the log's progress.
import { type Random, seeded } from '../replay/random.ts';
import { drawJobShape, type JobShape } from './job-shape.ts';

export const chaosKinds = [
  'any',
  'all',
  'job-master',
  'task-manager',
  'client',
  'first-write',
  'recovery',
  'commit',
  'damage',
  'stop',
  'shuffle-service',
  'compact',
] as const;
export type ChaosKind = (typeof chaosKinds)[number];

/** Kinds that a seed draws by itself; jobs of any of them may have a shuffle service. */
const drawnKinds = chaosKinds.filter((kind) => kind !== 'shuffle-service' && kind !== 'compact');

/** The point of the log, or of the disk, that a strike waits for. */
export type Trigger =
  /** at once: a new client may still be planning, or making the job's folder */
  | { readonly kind: 'now' }
  | { readonly kind: 'epoch-taken' }
  | { readonly kind: 'recorded'; readonly type: string; readonly count: number }
  | { readonly kind: 'finished'; readonly count: number }
  | { readonly kind: 'reconciling' }
  | { readonly kind: 'commit-started' }
  | { readonly kind: 'first-rename' };

export interface Victims {
  readonly client: boolean;
  readonly jobMaster: boolean;
  /** Which TaskManagers: a number modulo how many there are, or all of them. */
  readonly workers: readonly number[] | 'all';
  /** In a job that has one. */
  readonly shuffleService: boolean;
}

export type Damage =
  | 'delete-partition'
  | 'cut-partition'
  | 'flip-partition'
  | 'delete-sidecar'
  | 'delete-worker'
  | 'delete-part';

export type Action =
  | {
      readonly kind: 'kill';
      readonly victims: Victims;
      /** Done while the job stands still. */
      readonly damages: readonly Damage[];
      /** Whether everything is held back after the kill until `diff` has been asked. */
      readonly predicts: boolean;
      /** Whether the store is compacted while the job stands still, and the compaction killed. */
      readonly compacts: boolean;
    }
  | { readonly kind: 'stop'; readonly victims: Victims; readonly durationMs: number }
  | { readonly kind: 'damage'; readonly damages: readonly Damage[] };

export interface Strike {
  readonly trigger: Trigger;
  readonly delayMs: number;
  readonly action: Action;
  /** Seed of what can only be chosen on the spot: which file, which byte. */
  readonly choice: number;
}

export interface ChaosPlan {
  readonly seed: number;
  readonly kind: ChaosKind;
  readonly shape: JobShape;
  readonly workers: number;
  readonly slots: number;
  readonly options: Readonly<Record<string, string>>;
  /** Sizes of the cluster when the job is resumed, one a resume; the last one stays. */
  readonly resumes: readonly { readonly workers: number; readonly slots: number }[];
  readonly strikes: readonly Strike[];
}

export function drawPlan(seed: number, only: ChaosKind | null): ChaosPlan {
  const random = seeded(seed);
  const kind = only ?? random.pick(drawnKinds);
  // Of a sequence of its own: a seed's job and strikes are the same with a shuffle service and without.
  const shuffle = kind === 'shuffle-service' || (only === null && seeded(seed + 0x5eed).chance(0.2));
  const shape = drawJobShape(random);
  const size = () => ({ workers: 1 + random.below(3), slots: 1 + random.below(2) });
  const strikes = Array.from({ length: strikeCount(kind, random) }, (_, index) => drawStrike(kind, index, random));
  return {
    seed,
    kind,
    shape: shuffle ? { ...shape, shuffle: 'service' } : shape,
    ...size(),
    options: drawOptions(kind, random),
    resumes: [size(), size()],
    strikes,
  };
}

function strikeCount(kind: ChaosKind, random: Random): number {
  if (kind === 'first-write') return 1 + random.below(2);
  return kind === 'stop' ? 1 + random.below(2) : 1 + random.below(4);
}

function drawOptions(kind: ChaosKind, random: Random): Record<string, string> {
  const options: Record<string, string> = {
    'job-event.store.write-buffer.flush-interval': random.pick(['0 ms', '10 ms', '10 ms', '100 ms', '300 ms']),
    'execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task': random.pick(['16 mb', '64 kb', '8 kb']),
    'restart-strategy.fixed-delay.delay': '50 ms',
  };
  if (random.chance(0.3)) options['job-event.store.write-buffer.size'] = '1 kb';
  // A process that was stopped is given up after this.
  if (kind === 'stop' || kind === 'shuffle-service') {
    options['heartbeat.interval'] = '200 ms';
    options['heartbeat.timeout'] = '2 s';
    options['execution.batch.job-recovery.previous-worker.recovery.timeout'] = '3 s';
  }
  return options;
}

const nobody: Victims = { client: false, jobMaster: false, workers: [], shuffleService: false };
const everybody: Victims = { client: true, jobMaster: true, workers: 'all', shuffleService: true };

function drawStrike(kind: ChaosKind, index: number, random: Random): Strike {
  const trigger = drawTrigger(kind, index, random);
  return {
    trigger,
    delayMs: trigger.kind === 'now' ? random.below(900) : drawDelay(kind, random),
    action: drawAction(kind, random),
    choice: random.below(0x7fffffff),
  };
}

function drawTrigger(kind: ChaosKind, index: number, random: Random): Trigger {
  if (kind === 'first-write') return random.chance(0.3) ? { kind: 'now' } : { kind: 'epoch-taken' };
  if (kind === 'recovery' && index > 0) return { kind: 'reconciling' };
  if (kind === 'commit') return random.chance(0.6) ? { kind: 'commit-started' } : { kind: 'first-rename' };
  const draw = random.below(10);
  if (draw === 0) return { kind: 'epoch-taken' };
  if (draw === 1) return { kind: 'commit-started' };
  if (draw === 2 && index > 0) return { kind: 'reconciling' };
  if (draw === 3) return { kind: 'recorded', type: 'execution-deployed', count: 1 + random.below(8) };
  if (draw === 4) return { kind: 'recorded', type: 'job-vertex-initialized', count: 1 + random.below(4) };
  return { kind: 'finished', count: 1 + random.below(10) };
}

function drawDelay(kind: ChaosKind, random: Random): number {
  if (kind === 'commit') return random.below(12);
  if (kind === 'first-write') return random.below(60);
  return random.chance(0.5) ? random.below(10) : random.below(150);
}

function drawAction(kind: ChaosKind, random: Random): Action {
  if (kind === 'stop') return { kind: 'stop', victims: oneOf(random), durationMs: random.pick([300, 3_500, 5_000]) };
  if (kind === 'shuffle-service' && random.chance(0.2)) {
    return { kind: 'stop', victims: { ...nobody, shuffleService: true }, durationMs: random.pick([300, 3_500]) };
  }
  if (kind === 'damage' && random.chance(0.4)) return { kind: 'damage', damages: drawDamages(random, liveDamages) };
  const victims = drawVictims(kind, random);
  const predicts = random.chance(0.75) || kind === 'compact';
  const damaged = kind === 'damage' || (victims.jobMaster && random.chance(0.3));
  const damages = damaged && predicts ? drawDamages(random, allDamages) : [];
  return { kind: 'kill', victims, predicts, compacts: kind === 'compact', damages };
}

const allDamages: readonly Damage[] = [
  'delete-partition',
  'delete-partition',
  'cut-partition',
  'flip-partition',
  'delete-sidecar',
  'delete-worker',
  'delete-part',
];
/** What a job in full run must find out by itself. Flipped bytes are left out: DuckDB may be reading them. */
const liveDamages: readonly Damage[] = ['delete-partition', 'delete-sidecar'];

function drawDamages(random: Random, from: readonly Damage[]): Damage[] {
  return Array.from({ length: 1 + random.below(2) }, () => random.pick(from));
}

function drawVictims(kind: ChaosKind, random: Random): Victims {
  switch (kind) {
    case 'all':
    case 'first-write':
      return everybody;
    case 'job-master':
    case 'damage':
    case 'compact':
      return random.chance(0.5) ? { ...nobody, jobMaster: true } : everybody;
    case 'task-manager':
      return { ...nobody, workers: [random.below(100)] };
    case 'client':
      return { ...nobody, client: true };
    case 'shuffle-service':
      return random.chance(0.3)
        ? { ...nobody, shuffleService: true }
        : { ...anyOf(random), shuffleService: random.chance(0.6) };
    default:
      return random.chance(0.3) ? everybody : anyOf(random);
  }
}

function anyOf(random: Random): Victims {
  const workers = random.pick([[], [], [random.below(100)], [random.below(100), random.below(100)], 'all'] as const);
  const victims = { ...nobody, client: random.chance(0.4), jobMaster: random.chance(0.6), workers };
  return victims.client || victims.jobMaster || workers.length > 0 ? victims : { ...nobody, jobMaster: true };
}

function oneOf(random: Random): Victims {
  return random.pick([
    { ...nobody, jobMaster: true },
    { ...nobody, jobMaster: true },
    { ...nobody, workers: [random.below(100)] },
    { ...nobody, client: true },
    { ...nobody, jobMaster: true, workers: [random.below(100)] },
  ]);
}
