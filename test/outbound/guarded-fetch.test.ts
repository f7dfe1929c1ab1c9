import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { addressKind } from '../../src/outbound/addresses.ts';
import { GuardedFetch, type OutboundSettings } from '../../src/outbound/guarded-fetch.ts';
import { OutboundFault } from '../../src/outbound/outbound-fault.ts';
import type { OutboundRequest } from '../../src/outbound/outbound-request.ts';
import { type LocalServer, startLocalServer, testCaPem } from '../support/identity-provider.ts';
import { localName, withLocalName } from '../support/local-name.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function serve(listener: RequestListener, tls = false): Promise<LocalServer> {
  const server = await startLocalServer(listener, tls);
  open.push(server);
  return server;
}

async function ask(
  question: Partial<OutboundRequest>,
  settings: Partial<OutboundSettings> = {},
): Promise<unknown> {
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30, ...settings });
  open.push(fetch);
  try {
    const { value } = await fetch.answer({ url: '', maxBytes: 1000, ...question });
    return value;
  } catch (error) {
    if (error instanceof OutboundFault) return error.reason;
    throw error;
  }
}

const json =
  (body: string, type = 'application/json'): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };

describe('a guarded fetch', () => {
  it('asks with its bearer token, sends JSON and reads JSON', async () => {
    const seen: unknown[] = [];
    const { url } = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(request.method, request.headers.authorization, Buffer.concat(chunks).toString());
        response.writeHead(201).end('{"a":1}');
      });
    });
    expect(await ask({ url, bearer: new Secret('secret'), json: { b: 2 } })).toEqual({ a: 1 });
    expect(seen).toEqual(['POST', 'Bearer secret', '{"b":2}']);
  });

  it.each([
    ['read', 400_000, 'object'],
    ['refused', 1000, 'oversized'],
  ])('reads a long answer that ends with its connection %s', async (_, maxBytes, expected) => {
    const body = JSON.stringify({ a: 'x'.repeat(300_000) });
    const server = createServer((socket) => {
      const head = `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
      socket.once('data', () => socket.end(head + body));
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (let time = 0; time < 5; time += 1) {
      const answer = await ask({ url, maxBytes });
      expect(typeof answer === 'string' ? answer : typeof answer).toBe(expected);
    }
    server.close();
  });

  it('sends an empty POST, with any authorization', async () => {
    const seen: unknown[] = [];
    const { url } = await serve((request, response) => {
      const { authorization, 'content-length': length, 'content-type': type } = request.headers;
      seen.push(request.method, authorization, length, type);
      response.end('{}');
    });
    expect(await ask({ url, authorization: new Secret('Custom a, b="c"'), isEmptyPost: true })).toEqual({});
    expect(seen).toEqual(['POST', 'Custom a, b="c"', '0', undefined]);
  });

  it('reads one status besides success where it is told to, and no other', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1))).end('{"reason":"no"}');
    });
    expect(await ask({ url: `${url}/403`, readStatus: 403 })).toEqual({ reason: 'no' });
    expect(await ask({ url: `${url}/200`, readStatus: 403 })).toEqual({ reason: 'no' });
    expect(await ask({ url: `${url}/403` })).toBe('rejected');
    expect(await ask({ url: `${url}/401`, readStatus: 403 })).toBe('rejected');
    expect(await ask({ url: `${url}/503`, readStatus: 403 })).toBe('server_error');
  });

  it('may have less time for a request, never more', async () => {
    const { url } = await serve(() => undefined);
    const took = async (asked: number, configured: number): Promise<number> => {
      const startedAt = performance.now();
      expect(await ask({ url, timeoutSeconds: asked }, { timeoutSeconds: configured })).toBe('timeout');
      return performance.now() - startedAt;
    };
    // Far from both limits: the machine may be busy.
    expect(await took(0.2, 60)).toBeLessThan(20_000);
    expect(await took(60, 0.2)).toBeLessThan(20_000);
  });

  it('finds out whether anything answers, whatever the answer is', async () => {
    const { url } = await serve((_, response) => response.writeHead(405).end());
    const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30 });
    open.push(fetch);
    await expect(fetch.reach(url)).resolves.toBeUndefined();
    await expect(fetch.reach('http://idp.example.com/')).rejects.toMatchObject({ reason: 'forbidden' });
    await expect(fetch.reach('http://127.0.0.1:1/')).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('uses no proxy of the environment', async () => {
    const proxied: string[] = [];
    const proxy = await serve((request, response) => {
      proxied.push(request.url ?? '');
      response.end('{}');
    });
    const { url } = await serve(json('{"direct":true}'));
    const before = process.env['http_proxy'];
    process.env['http_proxy'] = proxy.url;
    try {
      expect(await ask({ url })).toEqual({ direct: true });
    } finally {
      if (before === undefined) delete process.env['http_proxy'];
      else process.env['http_proxy'] = before;
    }
    expect(proxied).toEqual([]);
  });

  it.each([
    'http://idp.example.com/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'data:application/json,{}',
    'https://user:secret@127.0.0.1/',
    'not a URL',
    '',
  ])('refuses to ask %s', async (url) => {
    expect(await ask({ url })).toBe('forbidden');
  });

  it('asks an allowed origin over http, and no other port of it', async () => {
    const { url } = await serve(json('{}'));
    const named = url.replace('127.0.0.1', 'localhost.localdomain');
    expect(await ask({ url: named })).toBe('forbidden');
    expect(await ask({ url: named }, { allowHttp: ['http://localhost.localdomain'] })).toBe('forbidden');
  });

  it.each(['http://169.254.169.254/latest/meta-data/', 'http://0.0.0.0/', 'http://[fe80::1]/'])(
    'does not talk to %s even where the origin is allowed',
    async (url) => {
      const reason = await ask({ url }, { allowHttp: [new URL(url).origin] });
      // A machine without a route there does not even connect.
      expect(['forbidden', 'unreachable', 'timeout']).toContain(reason);
    },
  );

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
    'does not lead from a public issuer to a loopback service: %s',
    async (host) => {
      let count = 0;
      const { url } = await serve((_, response) => {
        count += 1;
        response.end('{}');
      }, true);
      const question = { url: url.replace('127.0.0.1', host) };
      const settings = { caPem: testCaPem, allowHttp: [new URL(question.url).origin] };
      expect(await ask({ ...question, namedBy: 'https://idp.example.com' }, settings)).toBe('forbidden');
      expect(count).toBe(0);
    },
  );

  it('does not lead from a public issuer to a loopback service behind a name, even one that may be asked over http', async () => {
    const { url } = await serve(json('{}'));
    const named = url.replace('127.0.0.1', localName);
    const allowHttp = [url, named];
    await withLocalName(async () => {
      expect(await ask({ url: named }, { allowHttp })).toEqual({});
      for (const one of [url, named]) {
        expect(await ask({ url: one, namedBy: 'https://idp.example.com' }, { allowHttp })).toBe('forbidden');
      }
      // The very origin that may be asked over http, wherever its name leads.
      expect(await ask({ url: `${named}/keys`, namedBy: named }, { allowHttp })).toEqual({});
      expect(await ask({ url, namedBy: named }, { allowHttp })).toBe('forbidden');
    });
  });

  it('does not follow a name to this machine unless its origin may be asked over http', async () => {
    const { url } = await serve(json('{}'), true);
    const named = url.replace('127.0.0.1', localName);
    const reason = await withLocalName(() => ask({ url: named }, { caPem: testCaPem }));
    // The certificate of the test server is of another name, which ends the connection first.
    expect(['forbidden', 'unreachable']).toContain(reason);
  });

  it('leads from an issuer on this machine to others there', async () => {
    const { url } = await serve(json('{}'));
    expect(await ask({ url, namedBy: 'http://localhost:1' })).toEqual({});
    expect(await ask({ url, namedBy: 'https://[::1]/issuer' })).toEqual({});
  });

  it('trusts the configured authority, and for a request with one of its own that alone', async () => {
    const { url } = await serve(json('{}'), true);
    expect(await ask({ url })).toBe('unreachable');
    expect(await ask({ url }, { caPem: testCaPem })).toEqual({});
    expect(await ask({ url, caPem: testCaPem })).toEqual({});
    expect(await ask({ url, caPem: '' }, { caPem: testCaPem })).toBe('unreachable');
  });

  it('reads the authorities once, not for every connection', async () => {
    const { url } = await serve(json('{}'), true);
    const closed = await startLocalServer(json('{}'));
    await closed.close();
    const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30, caPem: testCaPem });
    open.push(fetch);
    const reading = vi.spyOn(tls, 'createSecureContext');
    onTestFinished(() => reading.mockRestore());
    const refusing = closed.url.replace('http:', 'https:');
    const questions = [refusing, url].flatMap((one) =>
      ['a', 'b', 'c'].flatMap((pool) => [
        { url: one, pool },
        { url: one, pool, caPem: testCaPem },
      ]),
    );
    const outcomes = await Promise.allSettled(
      questions.map((question) => fetch.answer({ ...question, maxBytes: 1000 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    // Node makes a context for each connection that is given none.
    expect(reading).not.toHaveBeenCalled();
  });

  it('reads long answers that arrive together one in each turn of the event loop', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(20_000) });
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
    const complete: (() => void)[] = [];
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () => {
          socket.write(head + body.slice(0, -1));
          complete.push(() => socket.write(body.slice(-1)));
          if (complete.length === 8) for (const finish of complete) finish();
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30 });
    open.push(fetch);
    let turn = 0;
    const count = (): void => {
      turn += 1;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    const asked = Array.from({ length: 8 }, (_, index) =>
      fetch.answer({ url, maxBytes: 100_000, pool: String(index % 2) }).then(() => turn),
    );
    const turns = await Promise.all(asked);
    clearImmediate(counting);
    server.close();
    expect(new Set(turns).size).toBe(8);
  });

  it('counts bytes, not what a header says', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200);
      for (let index = 0; index < 20; index += 1) response.write('"'.padEnd(100, 'x'));
      response.end('"');
    });
    expect(await ask({ url, maxBytes: 1000 })).toBe('oversized');
  });

  it.each([
    ['a redirect', 302, 'rejected'],
    ['401', 401, 'rejected'],
    ['304', 304, 'rejected'],
    ['429', 429, 'server_error'],
    ['500', 500, 'server_error'],
  ])('does not accept %s as an answer', async (_, status, reason) => {
    const { url } = await serve((__, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
    expect(await ask({ url })).toBe(reason);
  });

  it.each(['', 'text', '{"a":1,"a":2}', '\uFEFF{}', '[1,]'])('does not accept %j as JSON', async (body) => {
    const { url } = await serve(json(body));
    expect(await ask({ url })).toBe('unusable');
  });

  it.each(['9007199254740993', '3600.0', '1e3'])('reads the number %s', async (number) => {
    const { url } = await serve(json(`{"a":${number}}`));
    expect(await ask({ url })).toEqual({ a: Number(number) });
  });

  it('does not accept compressed content as JSON', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from([0x1f, 0x8b, 8, 0]));
    });
    expect(await ask({ url })).toBe('unusable');
  });

  it('gives up in time on a server that accepts and says nothing', async () => {
    const { url } = await serve(() => undefined);
    expect(await ask({ url }, { timeoutSeconds: 0.2 })).toBe('timeout');
  });

  it('cannot reach a closed port', async () => {
    const { url, close } = await startLocalServer(json('{}'));
    await close();
    expect(await ask({ url })).toBe('unreachable');
  });
});

describe('an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.8.9.10', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.169.254', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['name', 'forbidden'],
    [undefined, 'forbidden'],
    ['10.0.0.1', 'other'],
    ['192.168.1.1', 'other'],
    ['203.0.113.7', 'other'],
    ['2001:db8::1', 'other'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });
});
