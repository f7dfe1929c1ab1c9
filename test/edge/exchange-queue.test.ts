import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Exchange, ExchangeQueue, type QueueTurns } from '../../src/edge/exchange-queue.ts';

const turns: QueueTurns = {
  mayBegin: () => true,
  ask: () => ({ comes: Promise.resolve(), abandon: () => undefined }),
  givesWay: false,
};

it('a head that is parsed after its connection was destroyed is not served', () => {
  const socket = new Socket();
  let served = 0;
  const serve = (): Promise<void> => {
    served += 1;
    return new Promise(() => undefined);
  };
  const events = { onIdle: () => undefined, onOverflow: () => undefined, onGivenWay: () => undefined };
  const queue = new ExchangeQueue(socket, serve, events, { turns, total: { bytes: 0 } });
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
  const events = { onIdle: () => undefined, onOverflow: () => undefined, onGivenWay: () => undefined };
  const queue = new ExchangeQueue(socket, serve, events, { turns, total: { bytes: 0 } });
  const message = { rawHeaders: [], url: '/' } as unknown as IncomingMessage;
  const response = { once: () => undefined } as unknown as ServerResponse;
  // The client has not yet read the answer that announces the end.
  socket.end();
  expect(
    queue.push({ message, response, invite: () => undefined, isExpectationUnknown: false, arrivedAt: 0 }),
  ).toBe(false);
  expect(served).toBe(0);
});
