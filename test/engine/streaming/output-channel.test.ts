// Credits: no batch leaves without one, order is kept, and a consumer that grants none stops the producer.
import { describe, expect, it } from 'vitest';
import type { ToConsumer } from '../../../src/engine/streaming/channels/channel-messages.ts';
import { OutputChannel, type ProducerConnection } from '../../../src/engine/streaming/channels/output-channel.ts';
import { ValueCodec } from '../../../src/engine/streaming/state/value-codec.ts';

function opened(credits: number) {
  const sent: ToConsumer[] = [];
  const channel = new OutputChannel();
  const connection = { send: (element: ToConsumer) => sent.push(element) > 0 } as unknown as ProducerConnection;
  channel.open(connection, credits);
  return { channel, sent };
}

const rowsIn = (elements: readonly ToConsumer[]) =>
  elements.flatMap((element) => (element.type === 'rows' ? (new ValueCodec().decode(element.rows) as object[]) : []));

describe('an output channel', () => {
  it('sends batches against credits alone', () => {
    const { channel, sent } = opened(1);
    for (let batch = 0; batch < 3; batch += 1) {
      channel.emit({ batch });
      channel.flush();
    }
    expect(rowsIn(sent)).toEqual([{ batch: 0 }]);
    expect([channel.hasRoom, channel.isConsumed]).toEqual([false, false]);
    channel.consumed(1);
    expect([rowsIn(sent).length, channel.hasRoom]).toEqual([2, true]);
    channel.consumed(1);
    channel.consumed(1);
    expect([rowsIn(sent).length, channel.isConsumed]).toEqual([3, true]);
  });

  it('keeps barriers and watermarks where they were put', () => {
    const { channel, sent } = opened(1);
    const barrier = { checkpointId: 1, folder: '/c', mode: 'go-on' } as const;
    channel.emit({ n: 1 });
    channel.put({ type: 'watermark', watermarkMs: 5 });
    channel.emit({ n: 2 });
    channel.put({ type: 'barrier', barrier });
    expect(sent.map(({ type }) => type)).toEqual(['rows', 'watermark']);
    channel.consumed(1);
    expect(sent.map(({ type }) => type)).toEqual(['rows', 'watermark', 'rows', 'barrier']);
  });

  it('gathers small rows into large batches', () => {
    const { channel, sent } = opened(1_000_000);
    for (let n = 0; n < 20_000; n += 1) channel.emit({ n });
    channel.flush();
    expect(rowsIn(sent)).toEqual(Array.from({ length: 20_000 }, (_, n) => ({ n })));
    expect(sent.length).toBeLessThan(40);
  });
});
