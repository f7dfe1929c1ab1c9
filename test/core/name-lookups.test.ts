import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { expect, it, onTestFinished, vi } from 'vitest';
import { NameLookups } from '../../src/core/name-lookups.ts';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import { OutboundFault } from '../../src/outbound/outbound-fault.ts';
import { Asked } from '../http-client/asking.ts';
import { timeouts } from '../http-client/in-front-of.ts';
import { promptName, silentName, withHeldLookups } from '../support/held-lookups.ts';
import { startLocalServer } from '../support/identity-provider.ts';

const a = silentName('a');
const b = silentName('b');
const longMs = 600_000;

/** The answer to a socket that asks for a name: the address or addresses, or the code of the failure. */
function find(names: NameLookups, name: string, all = true): Promise<unknown> {
  return new Promise((resolve) => {
    names.lookup(name, { all }, (failure, found, family) => {
      if (failure !== null) resolve(failure.code);
      else resolve(typeof found === 'string' ? `${found} ${family}` : found.map(({ address }) => address));
    });
  });
}

async function startProvider(): Promise<number> {
  const server = await startLocalServer((_, response) => response.end('{}'));
  onTestFinished(server.close);
  return Number(new URL(server.url).port);
}

/** The answer, or why there is none. */
const outcome = (asked: Promise<{ readonly value: unknown }>): Promise<unknown> =>
  asked.then(
    ({ value }) => value,
    (error: unknown) => (error instanceof OutboundFault ? error.reason : error),
  );

it('the name of the store resolves while those of providers get no answer', async () => {
  const port = await startProvider();
  await withHeldLookups(async (lookups) => {
    const urls = [a, a, b].map((name) => `http://${name}:${port}`);
    const fetch = new GuardedFetch({ allowHttp: urls, timeoutSeconds: 0.1 });
    onTestFinished(() => fetch.close());
    for (let time = 0; time < 3; time += 1) {
      const asked = urls.map((url) => outcome(fetch.answer({ url, maxBytes: 100 })));
      const reasons = await Promise.all(asked);
      expect(reasons).toEqual(['timeout', 'timeout', 'timeout']);
    }
    const store = new HttpClient(`http://${promptName}:${port}`, { ...timeouts, connectMs: 10_000 });
    onTestFinished(() => store.destroy());
    expect((await new Asked(store).over).outcome).toBe('200 {}');
    expect(lookups.running).toEqual([a]);
  });
});

it('a look-up outlives the callers that asked, and later callers share it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await withHeldLookups(async (lookups) => {
    const names = new NameLookups(5_000, longMs);
    const hasty = find(names, a);
    vi.advanceTimersByTime(5_000);
    expect(await hasty).toBe('ETIMEDOUT');
    const later = find(names, a);
    lookups.release(a, ['192.0.2.1']);
    expect(await later).toEqual(['192.0.2.1']);
    expect(lookups.begun).toEqual([a]);
  });
});

it('a question with a shorter timeout keeps it while its name is looked up', async () => {
  await withHeldLookups(async () => {
    const url = `https://${a}`;
    const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 600 });
    onTestFinished(() => fetch.close());
    expect(await outcome(fetch.answer({ url, maxBytes: 100, timeoutSeconds: 0.1 }))).toBe('timeout');
  });
});

it('a name with several addresses is reached at the one that answers', async () => {
  const port = await startProvider();
  await withHeldLookups(async (lookups) => {
    const url = `http://${a}:${port}`;
    const fetch = new GuardedFetch({ allowHttp: [url], timeoutSeconds: 60 });
    onTestFinished(() => fetch.close());
    const asked = outcome(fetch.answer({ url, maxBytes: 100 }));
    await vi.waitFor(() => expect(lookups.running).toEqual([a]));
    lookups.release(a, ['127.0.0.2', '127.0.0.1']);
    expect(await asked).toEqual({});
  });
});

it('a public issuer whose second address is this machine is refused', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n{}'));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://${a}:${(server.address() as AddressInfo).port}`;
  await withHeldLookups(async (lookups) => {
    const fetch = new GuardedFetch({ allowHttp: [url], timeoutSeconds: 60 });
    onTestFinished(() => fetch.close());
    const asked = outcome(fetch.answer({ url, maxBytes: 100, namedBy: 'https://idp.example.com' }));
    await vi.waitFor(() => expect(lookups.running).toEqual([a]));
    lookups.release(a, ['127.0.0.2', '127.0.0.1']);
    expect(await asked).toBe('forbidden');
  });
  expect(connections).toBe(1);
});

it('names are looked up one after the other, once for all that wait, and again for later callers', async () => {
  await withHeldLookups(async (lookups) => {
    const names = new NameLookups(longMs, longMs);
    const asked = Promise.all([find(names, a), find(names, b), find(names, a, false)]);
    expect(lookups.begun).toEqual([a]);
    lookups.release(a, ['192.0.2.1', '192.0.2.2']);
    expect(lookups.begun).toEqual([a, b]);
    const later = find(names, a);
    lookups.release(b, ['192.0.2.3']);
    expect(await asked).toEqual([['192.0.2.1', '192.0.2.2'], ['192.0.2.3'], '192.0.2.1 4']);
    lookups.release(a, ['192.0.2.4']);
    expect(await later).toEqual(['192.0.2.4']);
    expect(lookups.begun).toEqual([a, b, a]);
  });
});

it('a name without waiters is not looked up', async () => {
  await withHeldLookups(async (lookups) => {
    const names = new NameLookups(1, longMs);
    expect(await Promise.all([find(names, a), find(names, b)])).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    expect(lookups.running).toEqual([a]);
    lookups.release(a);
    expect(lookups.begun).toEqual([a]);
  });
});

it('a name whose look-up failed after a long time rests for as long, and others do not wait for it', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  await withHeldLookups(async (lookups) => {
    const names = new NameLookups(longMs, longMs);
    const first = find(names, a);
    now.mockReturnValue(10_000);
    lookups.release(a);
    expect(await first).toBe('EAI_AGAIN');
    now.mockReturnValue(19_999);
    expect(await find(names, a)).toBe('EAI_AGAIN');
    const other = find(names, b);
    lookups.release(b, ['192.0.2.1']);
    expect(await other).toEqual(['192.0.2.1']);
    now.mockReturnValue(20_000);
    const again = find(names, a);
    lookups.release(a, ['192.0.2.2']);
    expect(await again).toEqual(['192.0.2.2']);
    expect(lookups.begun).toEqual([a, b, a]);
  });
});

it('a look-up that fails at once may be repeated at once', async () => {
  await withHeldLookups(async (lookups) => {
    const names = new NameLookups(longMs, longMs);
    for (const _ of [1, 2]) {
      const asked = find(names, a);
      lookups.release(a);
      expect(await asked).toBe('EAI_AGAIN');
    }
  });
});
