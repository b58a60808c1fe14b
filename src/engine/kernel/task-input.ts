// One input of a task as a relation, with what the metrics need and the check that nothing changed meanwhile.
import type { StagedPart } from '../../model/job-events.ts';
import type { TaskInput } from '../protocol/messages.ts';
import type { Attempt } from './attempt.ts';
import { datasetInput } from './dataset-input.ts';
import { enumeratedInput } from './enumerated-input.ts';
import type { Relation } from './relation.ts';
import { sourceInput } from './source-input.ts';

export interface TaskInputRelation extends Relation {
  /** null: known only by counting what the scan gives. */
  readonly recordsIn: number | null;
  readonly bytesIn: number;
  /** Source rows left out. */
  readonly badRows: number;
  /** Files that opening the input staged: quarantined rows. */
  readonly parts: readonly StagedPart[];
  /** Throws a TaskError if what was read is not what was checked before: called after the outputs are written. */
  recheck(): Promise<void>;
}

/** `index`: the input's place among those of the vertex. */
export async function openInput(attempt: Attempt, input: TaskInput, index: number): Promise<TaskInputRelation> {
  switch (input.kind) {
    case 'dataset':
      return datasetInput(attempt, input);
    case 'source':
      return sourceInput(attempt, input);
    case 'enumerated':
      return enumeratedInput(attempt, input, index);
  }
}
