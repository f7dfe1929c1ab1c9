import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Exchange, ExchangeQueue, type QueueTurns } from '../../src/edge/exchange-queue.ts';
import { GatheringMessage } from '../../src/edge/gathering-message.ts';

const turns: QueueTurns = {
  mayBegin: () => true,
  ask: () => ({ comes: Promise.resolve(), abandon: () => undefined }),
  givesWay: false,
};

const noEvents = { onIdle: () => undefined, onOverflow: () => undefined, onGivenWay: () => undefined };

it('a head that is parsed after its connection was destroyed is not served', () => {
  const socket = new Socket();
  let served = 0;
  const serve = (): Promise<void> => {
    served += 1;
    return new Promise(() => undefined);
  };
  const queue = new ExchangeQueue(socket, serve, noEvents, { turns, total: { bytes: 0 } });
  const message = { rawHeaders: [], url: '/' } as unknown as IncomingMessage;
  const response = { once: () => undefined } as unknown as ServerResponse;
  const exchange: Exchange = {
    message,
    response,
    invite: () => undefined,
    isExpectationUnknown: false,
    arrivedAt: 0,
  };
  socket.destroy();
  // Node goes on parsing what one read brought, after a failed write has destroyed the socket.
  expect(queue.push(exchange)).toBe(false);
  expect(served).toBe(0);
});

it('a head that comes after the connection was ended is not served', () => {
  const socket = new Socket();
  let served = 0;
  const serve = (): Promise<void> => {
    served += 1;
    return new Promise(() => undefined);
  };
  const queue = new ExchangeQueue(socket, serve, noEvents, { turns, total: { bytes: 0 } });
  const message = { rawHeaders: [], url: '/' } as unknown as IncomingMessage;
  const response = { once: () => undefined } as unknown as ServerResponse;
  // The client has not yet read the answer that announces the end.
  socket.end();
  expect(
    queue.push({ message, response, invite: () => undefined, isExpectationUnknown: false, arrivedAt: 0 }),
  ).toBe(false);
  expect(served).toBe(0);
});

it('a request whose body finds no room begins, and gives back what it was counted with', () => {
  const socket = new Socket();
  const served: IncomingMessage[] = [];
  const serve = ({ message }: Exchange): Promise<void> => {
    served.push(message);
    return new Promise(() => undefined);
  };
  const full = 8 * 1024 * 1024;
  const total = { bytes: full };
  const never: QueueTurns = {
    mayBegin: () => false,
    ask: () => ({ comes: new Promise(() => undefined), abandon: () => undefined }),
    givesWay: false,
  };
  const queue = new ExchangeQueue(socket, serve, noEvents, { turns: never, total });
  const message = new GatheringMessage(socket);
  const response = { once: () => undefined } as unknown as ServerResponse;
  expect(
    queue.push({ message, response, invite: () => undefined, isExpectationUnknown: false, arrivedAt: 0 }),
  ).toBe(true);
  message.push(Buffer.alloc(1_000));
  expect(served).toEqual([]);
  expect(total.bytes).toBeGreaterThan(full + 1_000);
  message.push(Buffer.alloc(30_000));
  expect(served).toEqual([message]);
  expect(total.bytes).toBe(full);
});

it('a connection that was destroyed in the middle of a read leaves nothing counted', () => {
  const socket = new Socket();
  const total = { bytes: 0 };
  const never: QueueTurns = {
    mayBegin: () => false,
    ask: () => ({ comes: new Promise(() => undefined), abandon: () => undefined }),
    givesWay: false,
  };
  const serve = (): Promise<void> => new Promise(() => undefined);
  const queue = new ExchangeQueue(socket, serve, noEvents, { turns: never, total });
  const response = { once: () => undefined } as unknown as ServerResponse;
  const push = (message: GatheringMessage): boolean =>
    queue.push({ message, response, invite: () => undefined, isExpectationUnknown: false, arrivedAt: 0 });
  const last = new GatheringMessage(socket);
  expect([push(new GatheringMessage(socket)), push(last)]).toEqual([true, true]);
  socket.destroy();
  for (let piece = 0; piece < 10; piece += 1) last.push(Buffer.alloc(20_000));
  socket.emit('close');
  expect(total.bytes).toBe(0);
});
