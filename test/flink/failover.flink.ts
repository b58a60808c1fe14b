// The judge: random failovers of real Flink clusters. Before each restart jobrec says which finished tasks will run
// again; then Flink shows it. A failing round: JOBREC_FLINK_SEED=<seed> JOBREC_FLINK_ROUNDS=1
// JOBREC_FLINK_VERSION=<version> npm run test:flink. Spec: docs/testing.md "Real Flink".
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { playScenario, type RoundResult } from './failover.ts';
import { type FlinkJars, flinkJars, type JarsAnswer } from './jars.ts';
import { randomScenario, scenarioText } from './scenario.ts';
import { judgeSettings } from './settings.ts';
import { Tally } from './tally.ts';

const settings = judgeSettings(process.env, Date.now());
const jarsTimeoutMs = 600_000;
/** A void round may say something the second time: it is a race that made it void. */
const attempts = 2;

const isTime = () => Date.now() <= settings.deadlineMs;

describe.each(settings.versions)('Flink %s', (version) => {
  const tally = new Tally(version);
  let answer: JarsAnswer = { missing: 'not looked for' };

  beforeAll(async () => {
    answer = await flinkJars(version);
  }, jarsTimeoutMs);

  afterAll(() => say(tally.text()));

  for (const seed of settings.seeds) {
    test(`runs again exactly what was predicted, seed ${seed}`, async ({ skip }) => {
      const skipRound = (why: string) => {
        tally.skip(`seed ${seed}: ${why}`);
        say(`Flink ${version}, seed ${seed}: skipped: ${why}`);
        skip(why);
      };
      if ('missing' in answer) return skipRound(answer.missing);
      if (!isTime()) return skipRound('the time for this run is used up');
      let result = await playRound(answer.jars, seed);
      for (let attempt = 1; attempt < attempts && result.kind === 'void' && isTime(); attempt += 1) {
        say(`Flink ${version}, seed ${seed}: once more: ${result.why}`);
        result = await playRound(answer.jars, seed);
      }
      if (result.kind === 'void') return skipRound(result.why);
      tally.add(result.failovers);
      const unpredictable = result.failovers.flatMap(({ unpredictable: why }) => why ?? []);
      if (unpredictable.length === result.failovers.length) return skipRound(unpredictable.join('; '));
    });
  }
});

/** @throws Error with the scenario and where its evidence lies, where prediction and truth disagree */
async function playRound(jars: FlinkJars, seed: number): Promise<RoundResult> {
  const scenario = randomScenario(seed);
  const evidence = await mkdtemp(join(tmpdir(), 'jobrec-evidence-'));
  const kept = join(settings.keepFolder, `${jars.version}-${seed}`);
  const keep = async () => {
    await rm(kept, { recursive: true, force: true });
    await cp(evidence, kept, { recursive: true });
  };
  try {
    const result = await playScenario(jars, scenario, evidence);
    const wrong = result.kind === 'judged' ? result.failovers.flatMap(({ disagreements }) => disagreements) : [];
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    if (settings.keepAll) await keep();
    return result;
  } catch (error) {
    await keep();
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${what}\nFlink ${jars.version}, ${scenarioText(scenario)}\nevidence: ${kept}`);
  } finally {
    await rm(evidence, { recursive: true, force: true });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
