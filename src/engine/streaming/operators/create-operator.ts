// From an operator of the plan to the operator that runs. The one place to add a kind.
import { invariant } from '../../../model/errors.ts';
import type { OperatorSpec, StreamOperator } from '../../../model/streaming-plan.ts';
import { createSink } from '../sinks/create-sink.ts';
import type { SinkContext } from '../sinks/stream-sink.ts';
import { type Aggregation, reductionOf, sumOf } from './aggregation.ts';
import { FunctionOperator } from './function-operators.ts';
import type { Operator } from './operator.ts';
import { ProcessOperator } from './process-operator.ts';
import { RunningAggregate } from './running-aggregate.ts';
import { SinkOperator } from './sink-operator.ts';
import { WatermarkOperator } from './watermark-operator.ts';
import { WindowAggregate } from './window-aggregate.ts';

export async function createOperator(
  { name, spec }: StreamOperator,
  sinkContext: Omit<SinkContext, 'sinkName'>,
): Promise<Operator> {
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
    case 'filter':
      return new FunctionOperator(name, spec.kind, spec.function);
    case 'watermarks':
      return new WatermarkOperator(spec);
    case 'sum':
    case 'reduce':
      return aggregateOf(name, spec);
    case 'process':
      return new ProcessOperator(name, spec.function, spec.keyBy);
    case 'sink':
      return new SinkOperator(await createSink(spec.connector, { ...sinkContext, sinkName: name }));
    case 'source':
      return invariant(false, 'a source is the operator of its own task') as never;
  }
}

function aggregateOf(name: string, spec: Extract<OperatorSpec, { kind: 'sum' | 'reduce' }>): Operator {
  const load = async (functionsFolder: string): Promise<Aggregation> =>
    spec.kind === 'sum' ? sumOf(name, spec.field) : reductionOf(name, spec.function, functionsFolder);
  const { keyBy, window } = spec;
  return window ? new WindowAggregate(keyBy, window, load) : new RunningAggregate(keyBy, load);
}
