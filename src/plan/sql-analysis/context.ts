// What one analysis of a stage's SQL collects on its way over the tree: which input columns are read (so that nothing
// else crosses an exchange), which columns rows must agree in to be together (from which default exchanges are
// chosen), and what makes the SQL unusable as a stage at all.
import type { Column } from '../../model/job-graph.ts';
import type { ColumnInstance, Distribution, Equality } from './distribution.ts';

/** An input of the stage, and how its rows arrive at the tasks. */
export interface StageInput {
  readonly name: string;
  /** null: not known before run time. */
  readonly columns: readonly Column[] | null;
  readonly arrival: Arrival;
}

export type Arrival =
  /** broadcast: every task has all rows */
  | { readonly kind: 'whole' }
  /** each row at one task; by each of `keys` rows are together that agree in these columns */
  | { readonly kind: 'split'; readonly keys: readonly ArrivalKey[] };

export interface ArrivalKey {
  readonly scheme: string;
  readonly columns: readonly string[];
  readonly hashTypes: readonly (string | null)[];
}

/** Rows that agree in these columns belong together: for a group, for DISTINCT, for a window. */
export interface Requirement {
  readonly clause: string;
  readonly ids: readonly number[];
}

/** Something that no exchange mends: a table that is not an input, a function that reads behind the job's back. */
export interface SqlProblem {
  readonly message: string;
  /** Offset in the SQL text. */
  readonly position: number | null;
  /** Names known in its place, for "did you mean". */
  readonly known: readonly string[];
}

export interface Origin {
  readonly input: string;
  readonly column: string;
}

/** Nodes analysed before a query counts as too complex (CTEs are analysed once per use). */
const nodesMax = 20_000;

export class AnalysisContext {
  readonly inputs: ReadonlyMap<string, StageInput>;
  readonly requirements: Requirement[] = [];
  readonly joins: Equality[][] = [];
  readonly problems: SqlProblem[] = [];
  readonly origins = new Map<number, Origin>();
  /** Inputs that the SQL names. */
  readonly inputsRead = new Set<string>();
  private readonly used = new Map<string, Set<string>>();
  private allUsed = false;
  private lastId = 0;
  private nodes = 0;

  constructor(inputs: readonly StageInput[]) {
    this.inputs = new Map(inputs.map((input) => [input.name.toLowerCase(), input]));
  }

  newColumn(name: string, type: string | null): ColumnInstance {
    this.lastId += 1;
    return { id: this.lastId, name, type };
  }

  inputColumn(input: string, name: string, type: string | null): ColumnInstance {
    const column = this.newColumn(name, type);
    this.origins.set(column.id, { input, column: name });
    return column;
  }

  markUsed(column: ColumnInstance): void {
    const origin = this.origins.get(column.id);
    if (!origin) return;
    const columns = this.used.get(origin.input) ?? new Set<string>();
    this.used.set(origin.input, columns.add(origin.column));
  }

  /** A reference that cannot be followed: every column may be meant. */
  markAllUsed(): void {
    this.allUsed = true;
  }

  /** Columns of `input` that the SQL reads; null: all, or not known. */
  usedColumns(input: StageInput): string[] | null {
    if (this.allUsed || input.columns === null) return null;
    const used = this.used.get(input.name);
    return input.columns.map((column) => column.name).filter((name) => used?.has(name));
  }

  /** Counts a node; false where there are too many to go on. */
  enter(): boolean {
    this.nodes += 1;
    return this.nodes <= nodesMax;
  }

  requireTogether(distribution: Distribution, clause: string, ids: Iterable<number>): void {
    if (distribution.kind !== 'whole') this.requirements.push({ clause, ids: [...ids] });
  }
}
