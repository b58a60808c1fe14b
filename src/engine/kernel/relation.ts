// Relation: rows inside a task, not yet computed or already a table, as SQL that later steps and outputs build on.

import { messageOf } from '../../model/errors.ts';
import { TaskError } from './task-error.ts';

export interface Relation {
  /** A SELECT without parameters. */
  readonly sql: string;
  /** False only for rows of a map function that yielded none and declares no columns: nobody knows their columns. */
  readonly hasColumns: boolean;
  /** Whether reading it again costs little: a scan or a table. */
  readonly isScan: boolean;
  /** The stages whose SQL it contains, for messages. */
  readonly stages: readonly string[];
}

/** Rows of which nothing is known but that there are none. */
export function unknownRelation(stage: string): Relation {
  return { sql: 'SELECT 0 WHERE false', hasColumns: false, isScan: true, stages: [stage] };
}

export function tableRelation(qualifiedName: string, stage: string): Relation {
  return { sql: `SELECT * FROM ${qualifiedName}`, hasColumns: true, isScan: true, stages: [stage] };
}

/** The failure of running `relation`'s SQL: names its stages. */
export function relationError(relation: Relation, error: unknown): TaskError {
  if (error instanceof TaskError) return error;
  const stages = relation.stages.length === 0 ? '' : `stage ${relation.stages.join(' -> ')}: `;
  return new TaskError('task', `${stages}${messageOf(error)}`, { cause: error });
}

/** What a task says that needs columns which nobody knows. */
export function unknownColumnsError(stage: string, inputName: string): TaskError {
  return new TaskError(
    'task',
    `stage ${stage}: its input ${inputName} has no rows here and its map function declares no columns, so they are unknown: give the map stage 'columns'`,
  );
}
