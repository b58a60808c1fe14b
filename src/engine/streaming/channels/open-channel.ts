// A consumer's connection to the data port of a producer's slot.
import { connect } from 'node:net';
import { messageOf } from '../../../model/errors.ts';
import { Connection } from '../../protocol/connection.ts';
import { ChannelLost } from './channel-lost.ts';
import { parseToConsumer, type ToProducer } from './channel-messages.ts';
import { type ConsumerConnection, creditsPerChannel } from './input-gate.ts';

export interface ChannelAddress extends Omit<Extract<ToProducer, { type: 'open' }>, 'type' | 'credits'> {
  readonly port: number;
}

/** Rejects with ChannelLost where nobody listens. */
export function openChannel({ port, ...channel }: ChannelAddress): Promise<ConsumerConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const peer = `subtask ${channel.producer} of data set ${channel.datasetId}`;
    const connection: ConsumerConnection = new Connection({ socket, peer, parse: parseToConsumer });
    const refused = (error: Error) => reject(new ChannelLost(`${peer} cannot be reached: ${messageOf(error)}`));
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      connection.send({ type: 'open', ...channel, credits: creditsPerChannel });
      resolve(connection);
    });
  });
}
