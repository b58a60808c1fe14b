// A connection over a real loopback socket: typed messages both ways, violations close it and are handed over.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../src/engine/protocol/connection.ts';
import { encodeFrame } from '../../../src/engine/protocol/framing.ts';
import type { ToJobMaster, ToTaskManager } from '../../../src/engine/protocol/messages.ts';
import { ProtocolViolation } from '../../../src/engine/protocol/protocol-violation.ts';
import { parseToJobMaster, parseToTaskManager } from '../../../src/engine/protocol/validate.ts';

let server: Server;
let near: Socket;
let far: Socket;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  near = connect((server.address() as { port: number }).port, '127.0.0.1');
  [far] = (await accepted) as [Socket];
});
afterEach(() => {
  near.destroy();
  far.destroy();
  server.close();
});

const master = () =>
  new Connection<ToTaskManager, ToJobMaster>({ socket: near, peer: 'TaskManager w1', parse: parseToJobMaster });
const worker = () =>
  new Connection<ToJobMaster, ToTaskManager>({ socket: far, peer: 'the JobMaster', parse: parseToTaskManager });

function closeOf(connection: Connection<never, unknown> | ReturnType<typeof master>): Promise<Error | null> {
  return new Promise((resolve) => connection.onClose(resolve));
}

describe('Connection', () => {
  it('carries messages both ways in order, and an ordinary end has no cause', async () => {
    const received: string[] = [];
    const [left, right] = [master(), worker()];
    right.onMessage((message) => {
      received.push(message.type);
      if (message.type === 'registered') right.send({ type: 'heartbeat' });
    });
    left.onMessage(() => left.end());
    left.send({ type: 'heartbeat' });
    left.send({ type: 'registered', epoch: 1 });
    expect(await closeOf(left)).toBeNull();
    expect(received).toEqual(['heartbeat', 'registered']);
    expect(left.send({ type: 'heartbeat' })).toBe(false);
  });

  it('notes when the other side was last heard', async () => {
    const left = master();
    const before = left.lastReceivedMs;
    const heard = new Promise<void>((resolve) => left.onMessage(() => resolve()));
    far.write(encodeFrame({ type: 'heartbeat' }));
    await heard;
    expect(left.lastReceivedMs).toBeGreaterThanOrEqual(before);
    expect(left.silentMs(left.lastReceivedMs + 40)).toBeCloseTo(40);
  });

  it('closes on a message that does not fit, and hands on no later one', async () => {
    const left = master();
    const received: unknown[] = [];
    left.onMessage((message) => received.push(message));
    far.write(Buffer.concat([{ type: 'heartbeat' }, { type: 'bogus' }, { type: 'heartbeat' }].map(encodeFrame)));
    const cause = await closeOf(left);
    expect(cause).toBeInstanceOf(ProtocolViolation);
    expect(cause?.message).toContain('TaskManager w1 sent');
    expect(received).toEqual([{ type: 'heartbeat' }]);
  });

  it('reports an end inside a frame', async () => {
    const left = master();
    far.end(encodeFrame({ type: 'heartbeat' }).subarray(0, 5));
    expect((await closeOf(left))?.message).toBe('TaskManager w1 ended the connection inside a frame');
  });
});
