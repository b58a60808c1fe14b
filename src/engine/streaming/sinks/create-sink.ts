// From a sink's connector to the sink. The one place to add a kind.
import { JobrecError } from '../../../model/errors.ts';
import type { SinkConnector } from '../../../model/streaming-plan.ts';
import { FileSink } from './file-sink.ts';
import { PrintSink } from './print-sink.ts';
import type { SinkContext, StreamSink } from './stream-sink.ts';

export async function createSink(connector: SinkConnector, context: SinkContext): Promise<StreamSink> {
  switch (connector.kind) {
    case 'print':
      return new PrintSink(context);
    case 'file':
      return new FileSink(connector, context);
    case 'kafka':
      throw new JobrecError('JOB_FAILED', `sink ${context.sinkName}: kafka is not built in yet`);
  }
}
