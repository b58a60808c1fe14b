// Stages of kind `process`: a function of the user with keyed state, `(row, context) => rows`.
import type { FunctionRef, Row } from '../../../model/streaming-plan.ts';
import { keyText } from '../state/key-groups.ts';
import type { KeyedStateStore } from '../state/keyed-state.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import { type StreamTaskInfo, taskInfoOf } from './function-operators.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';
import { UserFunction } from './user-function.ts';

/** What a process function gets beside its row. Public: docs/streaming.md, "Keyed state". */
export interface ProcessContext {
  readonly state: KeyedStateStore;
  readonly task: StreamTaskInfo;
}

export class ProcessOperator implements Operator {
  readonly #stage: string;
  readonly #ref: FunctionRef;
  readonly #keyBy: readonly string[];
  #function!: UserFunction;
  #state!: KeyedStateBackend;
  #context!: ProcessContext;
  #output!: Output;

  constructor(stage: string, ref: FunctionRef, keyBy: readonly string[]) {
    this.#stage = stage;
    this.#ref = ref;
    this.#keyBy = keyBy;
  }

  async open(context: OperatorContext): Promise<void> {
    this.#function = await UserFunction.load(this.#stage, this.#ref, context.functionsFolder);
    this.#state = context.keyedState as KeyedStateBackend;
    this.#output = context.output;
    const state: KeyedStateStore = {
      value: (name) => this.#state.value(name),
      list: (name) => this.#state.list(name),
      map: (name) => this.#state.map(name),
    };
    this.#context = Object.freeze({ state, task: taskInfoOf(context) });
  }

  processElement(row: Row): void {
    this.#state.useKey(keyText(row, this.#keyBy));
    for (const made of this.#function.rows(row, this.#context)) this.#output.collect(made);
  }
}
