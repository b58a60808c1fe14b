// Counts of the judge's rounds on one version, said at the end: how many predictions were right, and how many would
// have been from less than the whole high-availability folder.
import type { JudgedFailover } from './judgement.ts';

export class Tally {
  readonly #version: string;
  readonly #failovers: JudgedFailover[] = [];
  readonly #skipped: string[] = [];

  constructor(version: string) {
    this.#version = version;
  }

  add(failovers: readonly JudgedFailover[]): void {
    this.#failovers.push(...failovers);
  }

  skip(why: string): void {
    this.#skipped.push(why);
  }

  text(): string {
    const all = this.#failovers.filter(({ unpredictable }) => unpredictable === null);
    const right = all.filter(({ disagreements }) => disagreements.length === 0).length;
    const tasks = all.reduce((sum, { rerun, kept }) => sum + rerun + kept, 0);
    const rerun = all.reduce((sum, failover) => sum + failover.rerun, 0);
    const fromPlan = all.filter(({ withPlanAlone }) => withPlanAlone).length;
    const fromStore = all.filter(({ withStoreAlone }) => withStoreAlone).length;
    return [
      `Flink ${this.#version}: ${right} of ${all.length} failovers predicted exactly (${rerun} of ${tasks} finished tasks to run again)`,
      `from the plan alone ${fromPlan}, from the store alone ${fromStore}`,
      `not predictable (finishes lost with the write buffer or by damage): ${this.#failovers.length - all.length}`,
      `rounds without an answer: ${this.#skipped.length}${this.#skipped.map((why) => `; ${why}`).join('')}`,
    ].join('; ');
  }
}
