import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { presignWithSmithy, signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let store: CapturingStore;
let sidecar: TestSidecar;

beforeAll(async () => {
  store = await startCapturingStore();
  sidecar = await startSidecar({
    directory: openDirectory,
    server: '  limits: { maxInFlight: 100 }',
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
});
afterAll(async () => {
  await sidecar.stop();
  store.close();
});

async function metrics(): Promise<string> {
  return (await fetch(`${sidecar.adminUrl}/metrics`)).text();
}

const inFlight = async (): Promise<number> =>
  Number(/sts_sidecar_requests_in_flight\{listener="s3"\} (\d+)/.exec(await metrics())?.[1]);

describe('an invalid declared length', () => {
  it.each(['-5', 'abc', '1e308', 'Infinity'])(
    'does not end the process or spoil a counter: %s',
    async (length) => {
      const socket = await openSigned(sidecar.url, {
        method: 'GET',
        path: '/data/key',
        headers: { connection: 'close', 'x-amz-decoded-content-length': length },
      });
      expect(summary(await readAll(socket))).toBe('200');
      expect(await metrics()).not.toMatch(/NaN|Infinity|1e\+308/);
      expect(sidecar.logged.join('')).not.toContain('recording failed');
    },
  );
});

describe('a place among the requests in flight', () => {
  it.each(['reset', 'kept open, nothing read'])(
    'is not held by pipelined requests of a stranger (%s)',
    async (end) => {
      const { hostname, port } = new URL(sidecar.url);
      const sockets = [1, 2, 3].map(() => {
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on('error', () => undefined);
        socket.pause();
        socket.write('GET /data/k HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5000));
        return socket;
      });
      await setTimeout(300);
      if (end === 'reset') for (const socket of sockets) socket.resetAndDestroy();
      await expect.poll(inFlight, { timeout: 5_000 }).toBe(0);
      expect((await fetch(`${sidecar.url}/data/k`)).status).toBe(403);
      for (const socket of sockets) socket.destroy();
    },
  );

  it('is not held by refused uploads whose bodies never come', async () => {
    const { hostname, port } = new URL(sidecar.url);
    const sockets = Array.from({ length: 120 }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      socket.write('PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
      return socket;
    });
    await setTimeout(300);
    expect(await inFlight()).toBe(0);
    expect((await fetch(`${sidecar.url}/data/k`)).status).toBe(403);
    for (const socket of sockets) socket.destroy();
  });
});

it('framing that the signature does not cover is not stored inside the object', async () => {
  store.uploads.length = 0;
  const body = '3\r\nabc\r\n0\r\n\r\n';
  const socket = await openSigned(sidecar.url, {
    method: 'PUT',
    path: '/data/key',
    headers: {
      connection: 'close',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '3',
      'content-length': String(body.length),
    },
  });
  socket.write(body);
  expect(summary(await readAll(socket))).toBe('400 InvalidRequest');
  expect(store.uploads).toEqual([]);
});

it('a Deny on unsigned payloads holds for presigned uploads too', async () => {
  const guarded = await startSidecar({
    directory: `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        SignedOnly:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: "s3:*", Resource: "*" }
            - { Effect: Deny, Action: "s3:PutObject", Resource: "*", Condition: { StringEquals: { "s3:x-amz-content-sha256": UNSIGNED-PAYLOAD } } }
`,
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  try {
    const { host } = new URL(guarded.url);
    const request = { method: 'PUT', path: '/data/k', query: {}, headers: { host } };
    const nowMs = Date.now();
    const unsigned = { ...request, headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } };
    for (const wire of [
      await signWithSmithy(unsigned, alice, { nowMs }),
      await presignWithSmithy(request, alice, { nowMs }),
    ]) {
      const bytes = toBytes({ ...wire, headers: [...wire.headers, ['content-length', '1']] }, 'x');
      expect(summary(await exchange(guarded.url, bytes))).toBe('403 AccessDenied');
    }
  } finally {
    await guarded.stop();
  }
});
