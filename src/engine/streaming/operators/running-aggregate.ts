// sum and reduce without a window: every row gives its key's new aggregate.
import type { Row } from '../../../model/streaming-plan.ts';
import { keyText } from '../state/key-groups.ts';
import type { ValueState } from '../state/keyed-state.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import type { Aggregation } from './aggregation.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';

export class RunningAggregate implements Operator {
  readonly #keyBy: readonly string[];
  readonly #load: (functionsFolder: string) => Promise<Aggregation>;
  #add!: Aggregation;
  #state!: KeyedStateBackend;
  #aggregate!: ValueState<Row>;
  #output!: Output;

  constructor(keyBy: readonly string[], load: (functionsFolder: string) => Promise<Aggregation>) {
    this.#keyBy = keyBy;
    this.#load = load;
  }

  async open({ keyedState, output, functionsFolder }: OperatorContext): Promise<void> {
    this.#state = keyedState as KeyedStateBackend;
    this.#aggregate = this.#state.value<Row>('aggregate');
    this.#output = output;
    this.#add = await this.#load(functionsFolder);
  }

  processElement(row: Row): void {
    this.#state.useKey(keyText(row, this.#keyBy));
    const aggregate = this.#add(this.#aggregate.get(), row);
    this.#aggregate.set(aggregate);
    this.#output.collect(aggregate);
  }
}
