// Operators without state: map, flatMap, filter.
import { invariant } from '../../../model/errors.ts';
import type { FunctionRef, Row } from '../../../model/streaming-plan.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { UserFunction } from './user-function.ts';

/** What a function is told of the task that it runs in. */
export interface StreamTaskInfo {
  readonly vertexName: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly attempt: number;
}

export function taskInfoOf({ vertexName, subtask, parallelism, attempt }: OperatorContext): StreamTaskInfo {
  return Object.freeze({ vertexName, subtask, parallelism, attempt });
}

export class FunctionOperator implements Operator {
  readonly #stage: string;
  readonly #kind: 'map' | 'flatMap' | 'filter';
  readonly #ref: FunctionRef;
  #apply: (row: Row) => void = () => invariant(false, 'an operator is opened before it is used');

  constructor(stage: string, kind: 'map' | 'flatMap' | 'filter', ref: FunctionRef) {
    this.#stage = stage;
    this.#kind = kind;
    this.#ref = ref;
  }

  async open(context: OperatorContext): Promise<void> {
    const { output } = context;
    const info = taskInfoOf(context);
    const loaded = await UserFunction.load(this.#stage, this.#ref, context.functionsFolder);
    const applications = {
      map: (row: Row) => output.collect(loaded.row(row, info)),
      flatMap: (row: Row) => {
        for (const made of loaded.rows(row, info)) output.collect(made);
      },
      filter: (row: Row) => {
        if (loaded.call(row, info)) output.collect(row);
      },
    };
    this.#apply = applications[this.#kind];
  }

  processElement(row: Row): void {
    this.#apply(row);
  }
}
