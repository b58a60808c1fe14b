// Runs the chain of a vertex. Consecutive SQL steps stay one query, so that nothing is materialised that nobody asked
// for; a table is made only of what a map function yields and of SQL whose rows more than one reader needs.

import { invariant } from '../../model/errors.ts';
import type { JobVertex, SqlStep, Step, StepInput } from '../../model/job-graph.ts';
import type { Attempt } from './attempt.ts';
import { runMapStep } from './map-step.ts';
import { type Relation, relationError, tableRelation, unknownColumnsError } from './relation.ts';
import { withRelations } from './sql-text.ts';

/** Gives the relation that a step or output reads. */
export type RelationOf = (input: StepInput) => Relation;

export async function runSteps(attempt: Attempt, inputs: readonly Relation[]): Promise<RelationOf> {
  const { vertex } = attempt.deployment;
  const steps: Relation[] = [];
  const relationOf: RelationOf = (input) => {
    const relation = input.kind === 'step' ? steps[input.step] : inputs[input.input];
    invariant(relation, `${vertex.name} reads only what comes before`);
    return relation;
  };
  for (const [index, step] of vertex.steps.entries()) {
    steps.push(await runStep(attempt, step, relationOf, readersOf(vertex, index)));
  }
  return relationOf;
}

async function runStep(attempt: Attempt, step: Step, relationOf: RelationOf, readers: number): Promise<Relation> {
  if (step.kind === 'map') return runMapStep(attempt, step, relationOf(step.input));
  const relation = sqlRelation(step, relationOf);
  return readers > 1 ? materialise(attempt, step.stage, relation) : relation;
}

function sqlRelation(step: SqlStep, relationOf: RelationOf): Relation {
  const named = Object.entries(step.inputs).map(([name, input]) => ({ name, relation: relationOf(input) }));
  for (const { name, relation } of named) {
    if (!relation.hasColumns) throw unknownColumnsError(step.stage, name);
  }
  const scope = named.map(({ name, relation: { sql, isScan } }) => ({ name, sql, isScan }));
  const stages = [
    ...new Set([...named.flatMap(({ relation }) => (relation.isScan ? [] : relation.stages)), step.stage]),
  ];
  return { sql: withRelations(scope, step.sql), hasColumns: true, isScan: false, stages };
}

async function materialise(attempt: Attempt, stage: string, relation: Relation): Promise<Relation> {
  const { qualified } = await attempt.newTable();
  try {
    await attempt.run(`CREATE TABLE ${qualified} AS ${relation.sql}`);
  } catch (error) {
    throw relationError(relation, error);
  }
  return tableRelation(qualified, stage);
}

/** How many steps, data sets and sinks read the step; a step that names it twice is two readers. */
function readersOf(vertex: JobVertex, step: number): number {
  const stepInputs = vertex.steps.flatMap((other) =>
    other.kind === 'map' ? [other.input] : Object.values(other.inputs),
  );
  const outputs = [...vertex.outputs, ...vertex.sinks].map(({ from }) => from);
  return [...stepInputs, ...outputs].filter((input) => input.kind === 'step' && input.step === step).length;
}
