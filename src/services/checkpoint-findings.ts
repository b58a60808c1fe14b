// The list of findings of one validation, bounded: a hostile file makes more of them than anyone reads.
import { printable } from '../model/printable-text.ts';
import type { CheckpointFinding } from './checkpoint-validate-report.ts';

const findingsMax = 10_000;
const messageMax = 1000;

export class CheckpointFindings {
  readonly list: CheckpointFinding[] = [];
  omitted = 0;
  #isSound = true;

  /** No finding above info. */
  get isSound(): boolean {
    return this.#isSound;
  }

  add(finding: CheckpointFinding): void {
    if (finding.severity !== 'info') this.#isSound = false;
    if (this.list.length < findingsMax) this.list.push({ ...finding, message: printable(finding.message, messageMax) });
    else this.omitted += 1;
  }
}
