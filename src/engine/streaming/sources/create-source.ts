// From a source's connector to the source. The one place to add a kind.
import type { OperatorSpec } from '../../../model/streaming-plan.ts';
import { KafkaSource } from '../kafka/kafka-source.ts';
import { connectKafka } from '../kafka/kafkajs-client.ts';
import { GeneratorSource } from './generator-source.ts';
import { LogSource } from './log-source.ts';
import { RowDecoder } from './row-format.ts';
import { SocketSource } from './socket-source.ts';
import type { SourceContext, StreamSource } from './stream-source.ts';

export async function createSource(
  spec: Extract<OperatorSpec, { kind: 'source' }>,
  context: SourceContext,
): Promise<StreamSource> {
  const { connector, format, onBadRow } = spec;
  const decoder = new RowDecoder(format, onBadRow);
  switch (connector.kind) {
    case 'log':
      return new LogSource({ connector, decoder });
    case 'socket':
      return new SocketSource(connector, decoder);
    case 'generator':
      return new GeneratorSource(connector, context);
    case 'kafka': {
      const client = await connectKafka(connector.bootstrapServers, context.notice);
      return new KafkaSource({ ...connector, client, decoder });
    }
  }
}
