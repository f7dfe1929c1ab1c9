import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { startAuditCollector } from '../support/audit-collector.ts';
import { startIdentityProvider } from '../support/identity-provider.ts';
import { listenAsStore } from '../support/own-store.ts';
import { outcome, stsClient } from '../support/sdk.ts';
import {
  alice,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
  type TestSidecarOptions,
} from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: TestSidecarOptions = {}): Promise<TestSidecar> {
  const sidecar = await startSidecar({ probeSeconds: 1, ...options });
  closing.push(() => sidecar.stop());
  return sidecar;
}

interface Readiness {
  readonly status: number;
  readonly text: string;
}

async function ready({ adminUrl }: TestSidecar, query = '?verbose'): Promise<Readiness> {
  const response = await fetch(`${adminUrl}/readyz${query}`);
  return { status: response.status, text: await response.text() };
}

const lines = async (sidecar: TestSidecar): Promise<string[]> => (await ready(sidecar)).text.split('\n');

/** Waits until that line is there. */
async function expectLine(sidecar: TestSidecar, line: string): Promise<void> {
  await expect.poll(() => lines(sidecar), { timeout: 20_000 }).toContain(line);
}

async function gauges({ adminUrl }: TestSidecar): Promise<Record<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const found = text.matchAll(/^sts_sidecar_component_ready\{component="(\w+)"\} (\d)$/gm);
  return Object.fromEntries([...found].map(([, name = '', value]) => [name, Number(value)]));
}

async function storeOf(answer: RequestListener): Promise<{
  readonly backend: NonNullable<TestSidecarOptions['backend']>;
  readonly server: Server;
}> {
  const server = createServer(answer);
  const backend = await listenAsStore(server);
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { backend, server };
}

/** An address of this machine where no other test listens, so that a free port stays free. */
const ownAddress = '127.77.0.1';

/** An endpoint where nothing listens. */
async function nowhere(): Promise<string> {
  const server = createServer();
  server.listen(0, ownAddress);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://${ownAddress}:${port}`;
}

const storeError = (code: string): string => `<Error><Code>${code}</Code><Message>m</Message></Error>`;

describe('/readyz?verbose', () => {
  it('names every part, like the API server of Kubernetes', async () => {
    const sidecar = await start();
    await expectLine(sidecar, '[+]store_credentials ok');
    const text =
      '[+]configuration ok\n[+]listeners ok\n[+]store ok\n[+]store_credentials ok\nreadyz check passed\n';
    for (const query of ['?verbose', '?verbose=1', '?verbose=true', '?a=%ff&verbose'])
      expect(await ready(sidecar, query)).toEqual({ status: 200, text });
    for (const query of ['', '?', '?verbos', '?x=verbose'])
      expect(await ready(sidecar, query)).toEqual({ status: 200, text: 'ok\n' });
    expect(await gauges(sidecar)).toEqual({ configuration: 1, listeners: 1, store: 1, store_credentials: 1 });
  });

  it('causes no request to the store, however often it is asked', async () => {
    const sidecar = await start({ probeSeconds: 3600 });
    await expectLine(sidecar, '[+]store ok');
    await Promise.all(Array.from({ length: 100 }, () => ready(sidecar)));
    await Promise.all(Array.from({ length: 20 }, () => gauges(sidecar)));
    expect(sidecar.seen).toHaveLength(1);
  });

  it('says nothing of a store that is not asked', async () => {
    const sidecar = await start({ probeSeconds: 0 });
    expect(await lines(sidecar)).toEqual([
      '[+]configuration ok',
      '[+]listeners ok',
      'readyz check passed',
      '',
    ]);
    expect(await gauges(sidecar)).toEqual({ configuration: 1, listeners: 1 });
  });

  it('names listeners while the sidecar drains', async () => {
    const sidecar = await startSidecar();
    const stopping = sidecar.app.stop(500);
    const { status, text } = await ready(sidecar);
    expect(status).toBe(503);
    expect(text).toContain('[-]listeners failed: draining\n');
    expect(text).toMatch(/\nreadyz check failed\n$/);
    await stopping;
    await sidecar.stop();
  });

  it('names a changed configuration that was refused, which takes nothing out of service', async () => {
    const sidecar = await start();
    sidecar.reload({ directory: 'directory: { surprise: 1 }' });
    expect(await ready(sidecar)).toMatchObject({
      status: 200,
      text: expect.stringContaining('[-]configuration failed: the changed file was refused (not required)'),
    });
    sidecar.reload({});
    expect(await lines(sidecar)).toContain('[+]configuration ok');
  });

  it('names certificates that have expired', async () => {
    const clock = new TestClock();
    const tls = '  tls: { certFile: server.pem, keyFile: key.pem }';
    const { readFile } = await import('node:fs/promises');
    const file = (name: string): Promise<string> => readFile(`test/support/tls/${name}`, 'utf8');
    const sidecar = await start({
      clock,
      probeSeconds: 0,
      server: tls,
      files: { 'server.pem': await file('server.pem'), 'key.pem': await file('server-key.pem') },
      readyRequires: '[tls]',
    });
    expect(await ready(sidecar)).toMatchObject({
      status: 200,
      text: expect.stringContaining('[+]tls/s3 ok'),
    });
    clock.advance(200 * 365 * 86_400_000);
    expect(await ready(sidecar)).toMatchObject({
      status: 503,
      text: expect.stringContaining('[-]tls/s3 failed: the certificate has expired\n'),
    });
  });
});

describe('the readiness of the store', () => {
  it('tells a refused key from a store that is away, and shows neither key nor address', async () => {
    const sidecar = await start();
    await expectLine(sidecar, '[+]store ok');
    const wrong = await start({
      backend: { endpoint: sidecar.storeUrl, accessKeyId: 'STOREKEY', secretAccessKey: 'not-the-secret' },
    });
    await expectLine(wrong, '[-]store_credentials failed: SignatureDoesNotMatch (not required)');
    const { status, text } = await ready(wrong);
    expect(status).toBe(200);
    expect(text).toContain('[+]store ok\n');
    expect(text).not.toMatch(/127\.0\.0\.1|STOREKEY|not-the-secret/);
    expect(await gauges(wrong)).toMatchObject({ store: 1, store_credentials: 0 });
    expect(wrong.logged.join('')).toContain('"part":"store_credentials","cause":"SignatureDoesNotMatch"');
    expect(wrong.logged.join('')).not.toContain('not-the-secret');
  });

  it('is not ready with a refused key where the configuration requires it', async () => {
    const sidecar = await start();
    const wrong = await start({
      backend: { endpoint: sidecar.storeUrl, accessKeyId: 'STRANGER', secretAccessKey: 'not-the-secret' },
      readyRequires: '[store_credentials]',
    });
    await expectLine(wrong, '[-]store_credentials failed: InvalidAccessKeyId');
    expect(await ready(wrong, '')).toEqual({ status: 503, text: 'not ready\n' });
    // What the reload changes is in force at once.
    wrong.reload({ readyRequires: '[]' });
    expect(await ready(wrong, '')).toEqual({ status: 200, text: 'ok\n' });
  });

  it('is not ready without a store that is required, until the store is there', async () => {
    const endpoint = await nowhere();
    const sidecar = await start({
      backend: { endpoint, accessKeyId: 'STOREKEY', secretAccessKey: 'store-secret' },
      readyRequires: '[store, store_credentials]',
    });
    await expectLine(sidecar, '[-]store failed: connect');
    expect(await lines(sidecar)).toContain(
      '[-]store_credentials failed: not known: the store has not answered yet',
    );
    expect((await ready(sidecar, '')).status).toBe(503);
    expect(await gauges(sidecar)).toMatchObject({ store: 0, store_credentials: 0, listeners: 1 });
    const store = createServer((_, response) => response.writeHead(403).end(storeError('AccessDenied')));
    store.listen(Number(new URL(endpoint).port), ownAddress);
    closing.push(async () => {
      store.closeAllConnections();
      store.close();
    });
    await expectLine(sidecar, '[+]store ok');
    expect((await ready(sidecar, '')).status).toBe(200);
  });

  it.each<[string, RequestListener, string, string]>([
    [
      'a key that may not list buckets',
      (_, response) => response.writeHead(403).end(storeError('AccessDenied')),
      '[+]store ok',
      '[+]store_credentials ok',
    ],
    [
      'a store without ListBuckets',
      (_, response) => response.writeHead(501).end(storeError('NotImplemented')),
      '[+]store ok',
      '[+]store_credentials ok',
    ],
    [
      'a list without an end',
      (_, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (response.write('<Bucket/>'.repeat(1000)));
        };
        response.on('drain', more);
        more();
      },
      '[+]store ok',
      '[+]store_credentials ok',
    ],
    [
      'the page of a proxy that refuses',
      (_, response) => response.writeHead(403).end('<html>no</html>'),
      '[+]store ok',
      '[-]store_credentials failed: status 403 (not required)',
    ],
    [
      'a clock that differs',
      (_, response) => response.writeHead(403).end(storeError('RequestTimeTooSkewed')),
      '[+]store ok',
      '[-]store_credentials failed: RequestTimeTooSkewed (not required)',
    ],
    [
      'a store that fails',
      (_, response) => response.writeHead(503).end(storeError('SlowDown')),
      '[-]store failed: status 503 (not required)',
      '[-]store_credentials failed: not known: the store has not answered yet (not required)',
    ],
    [
      'a store that hangs up',
      ({ socket }) => socket.destroy(),
      '[-]store failed: reset (not required)',
      '[-]store_credentials failed: not known: the store has not answered yet (not required)',
    ],
    [
      'a store that says nothing',
      () => undefined,
      '[-]store failed: timeout (not required)',
      '[-]store_credentials failed: not known: the store has not answered yet (not required)',
    ],
  ])('judges %s', async (_, answer, store, credentials) => {
    const { backend } = await storeOf(answer);
    const sidecar = await start({ backend });
    await expectLine(sidecar, store);
    await expectLine(sidecar, credentials);
  });

  it('does not change by one failure', async () => {
    let failures = 0;
    let asked = 0;
    const { backend } = await storeOf((_, response) => {
      asked += 1;
      response.writeHead(failures-- > 0 ? 500 : 200).end();
    });
    const sidecar = await start({ backend, readyRequires: '[store]' });
    await expectLine(sidecar, '[+]store ok');
    failures = 1;
    const before = asked;
    const statuses = new Set<number>();
    const look = async (): Promise<number> => {
      statuses.add((await ready(sidecar, '')).status);
      return asked;
    };
    await expect.poll(look, { timeout: 20_000, interval: 20 }).toBeGreaterThan(before + 2);
    expect(failures).toBeLessThan(0);
    expect([...statuses]).toEqual([200]);
    failures = Number.POSITIVE_INFINITY;
    await expectLine(sidecar, '[-]store failed: status 500');
  });
});

describe('the readiness of what else is used', () => {
  it('names an identity provider whose keys never came, until they come', async () => {
    const issuer = await startIdentityProvider();
    closing.push(() => issuer.stop());
    issuer.answerWith((_, response) => {
      response.writeHead(503).end();
      return true;
    });
    const sidecar = await start({
      probeSeconds: 0,
      directory: webIdentityDirectory({ issuer: issuer.issuer }),
      readyRequires: '[identity_providers]',
    });
    await expectLine(sidecar, '[-]identity_providers/test failed: its keys were never fetched');
    expect((await ready(sidecar, '')).status).toBe(503);
    expect(await gauges(sidecar)).toMatchObject({ identity_providers: 0 });
    const before = issuer.requests.length;
    await Promise.all(Array.from({ length: 50 }, () => ready(sidecar)));
    expect(issuer.requests.length).toBeLessThanOrEqual(before + 1);
    issuer.answerWith(undefined);
    const sts = new STSClient({
      endpoint: sidecar.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
    });
    const login = async (): Promise<string> =>
      outcome(
        sts.send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn: roleArn('pod'),
            RoleSessionName: 'ready',
            WebIdentityToken: await issuer.mint(),
          }),
        ),
      );
    await expect.poll(login, { timeout: 20_000 }).toBe('allowed');
    expect(await lines(sidecar)).toContain('[+]identity_providers/test ok');
    expect((await ready(sidecar, '')).status).toBe(200);
  });

  it('fetches the keys of a provider before anyone logs in', async () => {
    const issuer = await startIdentityProvider();
    closing.push(() => issuer.stop());
    const sidecar = await start({ directory: webIdentityDirectory({ issuer: issuer.issuer }) });
    await expectLine(sidecar, '[+]identity_providers/test ok');
  });

  it('names an audit sink that does not accept records', async () => {
    const collector = await startAuditCollector();
    closing.push(() => collector.stop());
    collector.answerWith((response) => {
      response.writeHead(503).end();
      return true;
    });
    const sidecar = await start({
      probeSeconds: 0,
      further: `audit: { webhook: { url: "${collector.url}" } }`,
      readyRequires: '[audit]',
    });
    expect(await lines(sidecar)).toContain('[+]audit/webhook ok');
    await outcome(stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({})));
    await expectLine(sidecar, '[-]audit/webhook failed: does not accept records');
    expect((await ready(sidecar, '')).status).toBe(503);
    collector.answerWith(undefined);
    await expectLine(sidecar, '[+]audit/webhook ok');
    expect((await ready(sidecar, '')).status).toBe(200);
  });

  it('is never ready before Redis has answered', async () => {
    const redis = (await nowhere()).replace('http:', 'redis:');
    const sidecar = await start({ probeSeconds: 0, further: `state: { redis: { url: "${redis}" } }` });
    expect(await ready(sidecar)).toEqual({
      status: 503,
      text: '[+]configuration ok\n[+]listeners ok\n[-]redis failed: has not answered yet: sessions are refused\nreadyz check failed\n',
    });
    expect(await gauges(sidecar)).toMatchObject({ redis: 0 });
  });
});
