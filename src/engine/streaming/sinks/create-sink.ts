// From a sink's connector to the sink. The one place to add a kind.
import type { SinkConnector } from '../../../model/streaming-plan.ts';
import { KafkaSink } from '../kafka/kafka-sink.ts';
import { connectKafka } from '../kafka/kafkajs-client.ts';
import { FileSink } from './file-sink.ts';
import { jsonText } from './json-line.ts';
import { PrintSink } from './print-sink.ts';
import type { SinkContext, StreamSink } from './stream-sink.ts';

export async function createSink(connector: SinkConnector, context: SinkContext): Promise<StreamSink> {
  switch (connector.kind) {
    case 'print':
      return new PrintSink(context);
    case 'file':
      return new FileSink(connector, context);
    case 'kafka':
      return new KafkaSink({
        ...connector,
        client: await connectKafka(connector.bootstrapServers, context.notice),
        encode: jsonText,
      });
  }
}
