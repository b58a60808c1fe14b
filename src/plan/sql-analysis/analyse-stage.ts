// The analysis of one stage's SQL, from parsing to the verdict: may it run on several tasks, each over its share of the
// inputs as the exchanges deliver them, and give together the answer over the whole inputs? Pure but for parsing.
// Spec: docs/job-file.md, "What an exchange may not do".
import type { Ast } from './ast.ts';
import {
  AnalysisContext,
  type ArrivalKey,
  type Origin,
  type Requirement,
  type SqlProblem,
  type StageInput,
} from './context.ts';
import type { Distribution, Equality } from './distribution.ts';
import { QueryAnalyser } from './query-analyser.ts';
import type { Relation } from './scope.ts';

export interface StageAnalysis {
  /** Why the tasks' answers together would not be the answer; null: they are. */
  readonly reason: string | null;
  /** Columns in which agreeing rows of the output are on one task. */
  readonly outputKeys: readonly ArrivalKey[];
  /** Columns read of each input; null: all. */
  readonly usedColumns: ReadonlyMap<string, readonly string[] | null>;
  readonly inputsRead: ReadonlySet<string>;
  readonly problems: readonly SqlProblem[];
  readonly requirements: readonly Requirement[];
  readonly joins: readonly (readonly Equality[])[];
  readonly origins: ReadonlyMap<number, Origin>;
}

/** Analyses a parsed query for several tasks. `scheme` names the output's keys for the stages behind it. */
export function analyseStage(query: Ast, inputs: readonly StageInput[], scheme: string): StageAnalysis {
  const context = new AnalysisContext(inputs);
  const analyser = new QueryAnalyser(context);
  const relation = analyser.analyseQuery(query, new Map(), null);
  analyser.markOutput(relation);
  return {
    reason: reasonOf(relation.distribution),
    outputKeys: outputKeys(relation, scheme),
    usedColumns: new Map(inputs.map((input) => [input.name, context.usedColumns(input)])),
    inputsRead: context.inputsRead,
    problems: context.problems,
    requirements: context.requirements,
    joins: context.joins,
    origins: context.origins,
  };
}

function reasonOf(distribution: Distribution): string | null {
  if (distribution.kind === 'wrong') return distribution.reason;
  return distribution.kind === 'whole' ? 'every task would give all rows: no input is divided among the tasks' : null;
}

function outputKeys(relation: Relation, scheme: string): ArrivalKey[] {
  const { distribution, columns } = relation;
  if (distribution.kind !== 'split' || columns === null) return [];
  return distribution.keys.flatMap((key) => {
    const names = key.positions.flatMap((position) => columns.find((column) => position.has(column.id))?.name ?? []);
    return names.length === key.positions.length ? [{ scheme, columns: names, hashTypes: key.hashTypes }] : [];
  });
}
