// `npm run chaos -- [--runs N] [--seed S] [--only KIND] [--keep FOLDER]`: chaos runs of consecutive seeds. A failing run
// prints the command that plays it again and where its evidence lies; the others go on. Spec: docs/testing.md "Chaos".
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ChaosKind, chaosKinds, drawPlan } from './chaos-plan.ts';
import { type ChaosOutcome, chaosRun } from './chaos-run.ts';
import { summaryLines } from './summary.ts';

interface Settings {
  readonly runs: number;
  readonly seed: number;
  readonly only: ChaosKind | null;
  readonly keep: string;
}

const usage = `npm run chaos -- [--runs N] [--seed S] [--only KIND] [--keep FOLDER]
  --runs N       seeded runs of real jobs (20)
  --seed S       seed of the first; the others follow it (1)
  --only KIND    one of ${chaosKinds.join(', ')}
  --keep FOLDER  where failed runs are kept
`;

/** null: the usage was asked for. */
function readSettings(): Settings | null {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      runs: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      keep: { type: 'string', default: join(tmpdir(), 'jobrec-chaos-failed') },
    },
  });
  if (values.help) return null;
  return {
    runs: count(values.runs, 'runs'),
    seed: count(values.seed, 'seed'),
    only: kindOf(values.only),
    keep: values.keep,
  };
}

function count(text: string, name: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

function kindOf(text: string | undefined): ChaosKind | null {
  if (text === undefined) return null;
  const kind = chaosKinds.find((known) => known === text);
  if (kind === undefined) throw new Error(`--only takes one of ${chaosKinds.join(', ')}, not ${text}`);
  return kind;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function outcomeLine({ plan, blows, recoveries, predictions, durationMs }: ChaosOutcome): string {
  const { stages, sinks, form } = plan.shape;
  const job = `${form}, ${stages.length} stages, ${sinks.length} sinks`;
  const told = `${blows.length} strikes, ${recoveries} recoveries, ${predictions.compared} predictions`;
  return `ok      seed ${plan.seed}  ${plan.kind}: ${told} (${job}, ${(durationMs / 1000).toFixed(1)} s)`;
}

async function main(): Promise<number> {
  const settings = readSettings();
  if (settings === null) {
    say(usage);
    return 0;
  }
  const { runs, seed: first, only, keep } = settings;
  const outcomes: ChaosOutcome[] = [];
  const failed: string[] = [];
  for (let seed = first; seed < first + runs; seed += 1) {
    try {
      const outcome = await chaosRun(drawPlan(seed, only), keep);
      outcomes.push(outcome);
      say(outcomeLine(outcome));
    } catch (error) {
      const again = `npm run chaos -- --seed ${seed} --runs 1${only === null ? '' : ` --only ${only}`}`;
      failed.push(again);
      say(`FAILED  ${error instanceof Error ? error.message : error}\n        again: ${again}`);
    }
  }
  say(`\nseeds ${first} to ${first + runs - 1}${only === null ? '' : `, only ${only}`}`);
  for (const line of summaryLines(outcomes)) say(line);
  for (const again of failed) say(`failed: ${again}`);
  say(`${outcomes.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
