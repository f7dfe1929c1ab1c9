import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { Asked } from './asking.ts';
import { answerOf, eventually, inFrontOf, timeouts, upload } from './in-front-of.ts';
import type { Accepted } from './raw-server.ts';

describe('a connection', () => {
  it('is used again, by one request at a time', async () => {
    const { client, server } = await inFrontOf(({ socket }, request) => socket.write(answerOf(`${request}`)));
    expect((await new Asked(client).over).outcome).toBe('200 1');
    expect((await new Asked(client).over).outcome).toBe('200 2');
    expect(server.accepted).toHaveLength(1);
    const three = await Promise.all([new Asked(client).over, new Asked(client).over, new Asked(client).over]);
    expect(three.map(({ outcome }) => outcome).sort()).toEqual(['200 3', '200 4', '200 5']);
    expect(server.accepted).toHaveLength(3);
  });

  it.each([
    ['says close', answerOf('ok', 'connection: close\r\n')],
    ['says close in a second line', answerOf('ok', 'connection: x-a\r\nconnection: close\r\n')],
    ['speaks HTTP/1.0', answerOf('ok').replace('1.1', '1.0')],
    ['sends more than its answer', `${answerOf('ok')}excess`],
    ['keeps connections for a second', answerOf('ok', 'keep-alive: timeout=1\r\n')],
  ])('is not used again when the peer %s', async (_, answer) => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answer));
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect(server.accepted).toHaveLength(2);
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
  });

  // MinIO refuses an upload that stalled, and then treats the connection as closed by the client.
  it.each([
    ['refuses an upload', 503, upload(4)],
    ['has waited too long', 408, {}],
  ])('is not used again when the peer %s', async (_, status, request) => {
    const { client, server } = await inFrontOf(({ socket }) =>
      socket.write(answerOf('no').replace('200 OK', `${status} X`)),
    );
    const asked = new Asked(client, request);
    if ('body' in request) asked.exchange.write(Buffer.from('data'));
    expect((await asked.over).outcome).toBe(`${status} no`);
    await new Asked(client).over;
    expect(server.accepted).toHaveLength(2);
  });

  it('that the peer considers closed is a fault', async () => {
    const { client, server } = await inFrontOf(({ socket }) =>
      socket.write(answerOf('no').replace('200 OK', '499 X')),
    );
    expect((await new Asked(client).over).outcome).toBe('reset');
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
  });

  it('closes when data comes before a request', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    await new Asked(client).over;
    server.accepted[0]?.socket.write(answerOf('poison'));
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect(server.accepted).toHaveLength(2);
  });

  it('that was closed while it was idle is not used', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    await new Asked(client).over;
    server.accepted[0]?.socket.end();
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect(server.accepted).toHaveLength(2);
  });

  it('is closed after a few idle seconds', async () => {
    const { client, server } = await inFrontOf(({ socket }) =>
      socket.write(answerOf('ok', 'keep-alive: timeout=2\r\n')),
    );
    await new Asked(client).over;
    await eventually(() => expect(server.accepted[0]?.ending()).toBe('end'));
  });

  it('sends the requests of one turn together, each on its own connection', async () => {
    const { client, server } = await inFrontOf(({ socket, received }) =>
      socket.write(answerOf(received().split(' ')[1] ?? '')),
    );
    const asked = Array.from({ length: 20 }, (_, index) => new Asked(client, { target: `/${index}` }));
    const outcomes = (await Promise.all(asked.map(({ over }) => over))).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(asked.map((_, index) => `200 /${index}`));
    expect(server.accepted).toHaveLength(20);
  });
});

describe('a kept-alive connection that is closed when it is used again', () => {
  it.each([
    ['in order', (connection: Accepted) => void connection.socket.end()],
    ['by a reset', (connection: Accepted) => void connection.socket.resetAndDestroy()],
  ])('%s is reported as stale', async (_, close) => {
    const { client } = await inFrontOf((connection, request) => {
      if (request === 2) close(connection);
      else connection.socket.write(answerOf('ok'));
    });
    await new Asked(client).over;
    const { fault } = await new Asked(client).over;
    expect(fault).toMatchObject({ reason: 'reset', isStale: true, wasSent: true });
    expect((await new Asked(client, { isFresh: true }).over).outcome).toBe('200 ok');
  });

  it('is not stale when it had not been used before, or a byte of an answer came', async () => {
    const { client } = await inFrontOf(({ socket }, request) => {
      if (request === 1) socket.end();
      else if (request === 2) socket.write(answerOf('ok'));
      else socket.end('H');
    });
    for (const expected of ['fault', 'end', 'fault']) {
      const { events, fault } = await new Asked(client).over;
      expect(events.at(-1)).toBe(expected);
      if (expected === 'fault') expect(fault).toMatchObject({ reason: 'reset', isStale: false });
    }
  });

  it('has been sent nothing when it closes in the turn before', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    await Promise.all([new Asked(client).over, new Asked(client).over]);
    // The first is sent at once, the second at the end of this turn: its connection ends before that.
    const first = new Asked(client);
    const second = new Asked(client, { target: '/second' });
    client.destroy();
    expect((await first.over).fault).toMatchObject({ reason: 'reset' });
    expect((await second.over).fault).toMatchObject({ reason: 'reset' });
    await setTimeout(50);
    expect(server.accepted.filter(({ received }) => received().includes('/second'))).toEqual([]);
  });
});

describe('an answer', () => {
  it('that ends in its middle is a reset, however it ends', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      for (const start of ['HTTP/1.1 200 OK\r\nx', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf']) {
        const { client } = await inFrontOf(({ socket }) => {
          socket.write(start, () => void setTimeout(20).then(() => socket[end]()));
        });
        expect((await new Asked(client).over).outcome).toBe('reset');
      }
    }
  });

  it('without a length is not whole when its last bytes come together with a reset', async () => {
    const { client } = await inFrontOf(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nbody', () => socket.resetAndDestroy());
    });
    for (let round = 0; round < 20; round += 1) expect((await new Asked(client).over).outcome).toBe('reset');
  });

  it('without a length is whole only by an orderly end', async () => {
    const { client } = await inFrontOf(({ socket }, request) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nbody', () => {
        void setTimeout(20).then(() => (request === 1 ? socket.end() : socket.resetAndDestroy()));
      });
    });
    expect((await new Asked(client).over).outcome).toBe('200 body');
    expect((await new Asked(client).over).outcome).toBe('reset');
  });

  it('that is malformed closes the connection', async () => {
    const { client, server } = await inFrontOf(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nx : y\r\n\r\n'),
    );
    expect((await new Asked(client).over).outcome).toBe('protocol');
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
  });

  it('is not read while it is paused, and arrives whole', async () => {
    const size = 20_000_000;
    let written = 0;
    const { client } = await inFrontOf(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      const more = (): void => {
        while (written < size) {
          written += 100_000;
          if (!socket.write(Buffer.alloc(100_000, 'x'))) {
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const asked = new Asked(client);
    asked.exchange.pause();
    await setTimeout(300);
    expect(asked.bytes).toBe(0);
    expect(written).toBeLessThan(size);
    asked.exchange.resume();
    expect((await asked.over).bytes).toBe(size);
  });

  it('that is paused does not time out', async () => {
    const { client } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')), { idleMs: 300 });
    const asked = new Asked(client);
    asked.exchange.pause();
    await setTimeout(1500);
    expect(asked.events).toEqual([]);
    asked.exchange.resume();
    expect((await asked.over).outcome).toBe('200 ok');
  });

  it('leaves a connection that is read on, even if it was paused at its end', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    const first = new Asked(client);
    await first.over;
    first.exchange.pause();
    const second = new Asked(client);
    first.exchange.pause();
    first.exchange.abort();
    expect((await second.over).outcome).toBe('200 ok');
    expect(server.accepted).toHaveLength(1);
  });
});

describe('time', () => {
  it('runs out for a peer that accepts no connection', async () => {
    const refused = new HttpClient('http://127.0.0.1:1', timeouts);
    expect((await new Asked(refused).over).fault).toMatchObject({ reason: 'connect', wasSent: false });
    // The handshake of TLS never begins.
    const { server } = await inFrontOf(() => undefined);
    const silent = new HttpClient(server.url.replace('http:', 'https:'), { ...timeouts, connectMs: 300 });
    expect((await new Asked(silent).over).fault).toMatchObject({ reason: 'connect_timeout', wasSent: false });
  });

  it('runs out for a head that does not come, or comes a byte at a time', async () => {
    const { client } = await inFrontOf(
      ({ socket }, request) => {
        if (request === 1) return;
        const timer = setInterval(() => socket.write('H'), 50);
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        socket.on('close', () => clearInterval(timer));
      },
      { headersMs: 400 },
    );
    expect((await new Asked(client).over).outcome).toBe('headers_timeout');
    expect((await new Asked(client).over).outcome).toBe('headers_timeout');
  });

  it('runs out for a body that stops', async () => {
    const { client } = await inFrontOf(
      ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx'),
      {
        idleMs: 400,
      },
    );
    expect((await new Asked(client).over).outcome).toBe('idle_timeout');
  });

  it('runs out for a peer that does not read, and the connection is reset', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.pause(), { idleMs: 400 });
    const asked = new Asked(client, upload(50_000_000));
    for (let left = 50; left > 0; left -= 1) asked.exchange.write(Buffer.alloc(1_000_000));
    expect((await asked.over).outcome).toBe('idle_timeout');
    server.accepted[0]?.socket.resume();
    await eventually(() => expect(server.accepted[0]?.ending()).toBe('reset'));
  });

  it('does not run out while the body of the request is still to come', async () => {
    const { client } = await inFrontOf(
      ({ socket }) => socket.on('data', () => socket.write(answerOf('ok'))),
      { headersMs: 600, idleMs: 600 },
    );
    const asked = new Asked(client, upload(4));
    await setTimeout(1500);
    asked.exchange.write(Buffer.from('body'));
    expect((await asked.over).outcome).toBe('200 ok');
  });
});

describe('a request', () => {
  it.each([
    ['a line end in its target', { target: '/a\r\nx: y' }],
    ['a space in its target', { target: '/a b' }],
    ['a line end in a value', { headers: ['x', 'a\r\nb: c'] }],
    ['a lone LF in a value', { headers: ['x', 'a\nb'] }],
    ['a character that latin1 cuts down to LF', { headers: ['x', 'a\u010ab'] }],
    ['NUL in a value', { headers: ['x', 'a\0'] }],
    ['a colon in a name', { headers: ['x: y', 'a'] }],
    ['an empty name', { headers: ['', 'a'] }],
    ['a line end in its method', { method: 'GET / HTTP/1.1\r\n\r\nGET' }],
  ])('with %s is not sent', async (_, request) => {
    const { client, server } = await inFrontOf(() => undefined);
    expect(() => new Asked(client, request)).toThrow(TypeError);
    await setTimeout(20);
    expect(server.accepted).toEqual([]);
  });

  it('with a whole body is sent in one piece', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    const headers = ['host', 'x', 'content-length', '4', 'x-latin', '\xe9'];
    expect(
      (await new Asked(client, { method: 'PUT', headers, body: Buffer.from('body') }).over).outcome,
    ).toBe('200 ok');
    expect(server.accepted[0]?.received()).toBe(
      'PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nx-latin: \xe9\r\n\r\nbody',
    );
  });

  it('that is aborted closes its connection, and the client goes on', async () => {
    const { client, server } = await inFrontOf(({ socket }, request) => {
      if (request > 1) socket.write(answerOf('ok'));
    });
    const given = new Asked(client);
    await eventually(() => expect(server.accepted[0]?.received()).toMatch(/GET/));
    given.exchange.abort();
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect(given.events).toEqual([]);
  });

  it('that is aborted while it connects opens nothing', async () => {
    const { client, server } = await inFrontOf(() => undefined);
    new Asked(client, upload(10)).exchange.abort();
    await setTimeout(100);
    for (const { received, ending } of server.accepted) {
      expect(received()).toBe('');
      expect(ending()).toBeDefined();
    }
  });
});

it('1,000 exchanges with resets, ends and garbage leave no connection behind', async () => {
  const { client, server } = await inFrontOf(({ socket }, request) => {
    if (request % 5 === 0) socket.resetAndDestroy();
    else if (request % 5 === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nha');
    else if (request % 5 === 2) socket.write('garbage\r\n\r\n');
    else socket.write(answerOf('ok'));
  });
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 20; round += 1) {
    const asked = await Promise.all(
      Array.from(
        { length: 50 },
        (_, index) =>
          new Asked(client, index % 2 === 0 ? {} : { ...upload(3), body: Buffer.from('abc') }).over,
      ),
    );
    for (const { outcome } of asked) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(1000);
  expect([...outcomes.keys()].sort()).toEqual(['200 ok', 'protocol', 'reset']);
  client.destroy();
  await eventually(() =>
    expect(
      server.accepted.filter(({ ending, socket }) => ending() === undefined && !socket.destroyed),
    ).toEqual([]),
  );
});

it('destroying the client closes idle connections in order', async () => {
  const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
  await new Asked(client).over;
  client.destroy();
  const [connection] = server.accepted;
  if (connection !== undefined && connection.ending() === undefined) await once(connection.socket, 'end');
  expect(connection?.ending()).toBe('end');
});
