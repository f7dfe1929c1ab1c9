import { connect, type Socket } from 'node:net';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { exchange, summary } from '../support/wire.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
  roles: []
  bucketPolicies:
    data: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: ["s3:PutObject", "s3:GetObject"], Resource: "arn:aws:s3:::data/*" }] }
`;

let sidecar: TestSidecar;
beforeEach(async () => {
  sidecar = await startSidecar({
    directory,
    server: '  trustedProxies: [127.0.0.1]\n  limits: { maxInFlight: 16, maxUnauthenticated: 4 }',
    store: '  anonymous: policy\n  passthrough: [/health/]',
  });
});
afterEach(() => sidecar.stop());

/** Opens an upload from an address, whose body does not arrive. */
function open(address: string): Socket {
  const { host, hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.write(
    `PUT /data/k HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: ${address}\r\nContent-Length: 100\r\n\r\n`,
  );
  return socket;
}

const get = async (address: string, path = '/data/k'): Promise<string> => {
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\nConnection: close\r\n\r\n`;
  return summary(await exchange(sidecar.url, head));
};

const gauge = async (name: string): Promise<number> => {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^sts_sidecar_${name}(?:\\{listener="s3"\\})? (\\d+)$`, 'm').exec(metrics)?.[1]);
};

it('anonymous callers have a quarter of the places, and callers with a signature the others', async () => {
  const sockets = [1, 2, 3, 4].map((number) => open(`192.0.2.${number}`));
  await expect.poll(() => gauge('requests_in_flight')).toBe(4);
  await expect.poll(() => gauge('unauthenticated_requests')).toBe(0);
  expect(summary(await readAll(open('192.0.2.1')))).toBe('503 SlowDown');
  const signed = Array.from({ length: 8 }, () =>
    outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({}))),
  );
  expect(new Set(await Promise.all(signed))).toEqual(new Set(['allowed']));
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => get('192.0.2.1')).toBe('404 NoSuchBucket');
});

it('one network has three quarters of them, also after a time without another one', async () => {
  const sockets = Array.from({ length: 3 }, () => open('192.0.2.1'));
  await expect.poll(() => gauge('requests_in_flight')).toBe(3);
  expect(await get('192.0.2.1')).toBe('503 SlowDown');
  expect(await get('192.0.2.2')).toBe('404 NoSuchBucket');
  for (const socket of sockets) socket.destroy();
});

it('leave those for paths of the store to them', async () => {
  const sockets = [1, 2, 3, 4].map((number) => open(`192.0.2.${number}`));
  await expect.poll(() => gauge('requests_in_flight')).toBe(4);
  expect(await get('192.0.2.5')).toBe('503 SlowDown');
  expect(await get('192.0.2.5', '/health/live')).not.toContain('503');
  for (const socket of sockets) socket.destroy();
});
