import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import { systemClock } from '../../src/core/clock.ts';
import { limitReading, sendAnswer } from '../../src/edge/answer.ts';
import { Gate } from '../../src/edge/gate.ts';
import { LimitReporter } from '../../src/edge/limit-reporter.ts';
import { Places } from '../../src/edge/places.ts';
import { Log } from '../../src/observe/log.ts';
import { Metrics } from '../../src/observe/metrics.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** An answer whose client has read nothing of it for a minute. */
async function unreadAfterAMinute(isPaidFor: boolean): Promise<ServerResponse> {
  const server = createServer((_, response) => {
    limitReading(response, () => isPaidFor);
    response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  socket.on('error', () => undefined);
  socket.pause();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, response] = await asked;
  vi.advanceTimersByTime(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  server.close();
  return response;
}

it('an answer charged to the byte budget has to be read within a minute', async () => {
  expect((await unreadAfterAMinute(true)).destroyed).toBe(true);
});

it('the end of a download has as long as its client makes progress', async () => {
  expect((await unreadAfterAMinute(false)).destroyed).toBe(false);
});

describe('a request that gave way to another', () => {
  const server = createServer();
  const logSettings = { level: 'error', requests: false, objectKeys: 'full' } as const;
  const log = new Log(logSettings, { write: () => undefined });
  const reporter = new LimitReporter(new Metrics(), log);
  let client: Socket;

  async function ask(): Promise<[IncomingMessage, ServerResponse]> {
    if (!server.listening) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    client.on('error', () => undefined).pause();
    const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return asked;
  }

  /** Answers a request whose place another one has taken while it waited. */
  async function answerWithoutPlace(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const places = new Places(
      { maxInFlight: 1, maxUnauthenticated: 1, requestsPerSecondPerClient: 0 },
      new ByteBudget(1000),
      reporter,
    );
    const place = places.enter();
    const waiting = place.waitFor(new Promise<never>(() => undefined));
    places.enter();
    await expect(waiting).rejects.toThrow('another request needs the place');
    const connection = { message, response, place, clock: systemClock, reporter, preflights: new Gate(1) };
    await sendAnswer(
      { ...connection, invite: () => undefined, ownHeaders: [] },
      { status: 503, contentType: 'text/plain', body: 'busy', headers: [] },
    );
  }

  afterEach(() => {
    client.destroy();
    server.close();
  });

  it('gets its answer', async () => {
    const [message, response] = await ask();
    client.resume();
    const answer = once(client.setEncoding('latin1'), 'data');
    await answerWithoutPlace(message, response);
    expect(String(await answer)).toMatch(/^HTTP\/1\.1 503 [\s\S]*busy$/);
    expect(message.socket.destroyed).toBe(false);
  });

  it('loses its connection when the client has not read the previous answer', async () => {
    const [message, response] = await ask();
    message.socket.write(Buffer.alloc(32 * 1024 * 1024));
    const answering = answerWithoutPlace(message, response);
    await expect.poll(() => message.socket.destroyed).toBe(true);
    await answering;
  });
});
