// A stage with everything decided but its vertex.
import type { Column } from '../../model/job-graph.ts';
import type { ChosenExchange, PlanInput } from '../exchanges/stage-plan.ts';

export type StageWork =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'map'; readonly module: string; readonly exportName: string };

export interface PlannedStage {
  readonly name: string;
  readonly work: StageWork;
  readonly inputs: readonly PlanInput[];
  /** Parallel to `inputs`. */
  readonly exchanges: readonly ChosenExchange[];
  /** Columns read of each input, by alias; null or absent: all. */
  readonly usedColumns: ReadonlyMap<string, readonly string[] | null>;
  /** Output columns; null: not known before the job runs. */
  readonly columns: readonly Column[] | null;
  /** Number of tasks where it is fixed; null: decided at run time. */
  readonly parallelism: number | null;
  /** false: the stage is a vertex of its own. */
  readonly mayChain: boolean;
}
