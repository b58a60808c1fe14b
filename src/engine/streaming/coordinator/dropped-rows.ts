// Says how many rows were given up: those that came too late for their window, and those that were no rows. Told at the
// first, then whenever the number has doubled, and once more at the end: often enough to be seen, and no noise.
import type { StreamingPlan } from '../../../model/streaming-plan.ts';

const what = {
  source: 'skipped rows that could not be read',
  window: 'dropped rows that came too late for their window',
};

export class DroppedRows {
  readonly #names: ReadonlyMap<string, string>;
  /** Operator id → number that was told last. */
  readonly #told = new Map<string, number>();

  constructor({ vertices }: StreamingPlan) {
    const operators = vertices.flatMap((vertex) => vertex.operators);
    this.#names = new Map(
      operators.map(({ operatorId, name, spec }) => {
        const text = spec.kind === 'source' ? `source ${name} ${what.source}` : `stage ${name} ${what.window}`;
        return [operatorId, text];
      }),
    );
  }

  /** The tasks begin again: they count anew. */
  reset(): void {
    this.#told.clear();
  }

  /** What is to be told of the numbers of a checkpoint. */
  news(droppedRows: ReadonlyMap<string, number>, isLast: boolean): string[] {
    const news: string[] = [];
    for (const [operatorId, rows] of droppedRows) {
      const told = this.#told.get(operatorId) ?? 0;
      if (rows === told || (!isLast && rows < 2 * told)) continue;
      this.#told.set(operatorId, rows);
      news.push(`${this.#names.get(operatorId) ?? operatorId}: ${rows} since the tasks began`);
    }
    return news;
  }
}
