import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlClient } from '../support/control-client.ts';
import { signedHead, type ToSign } from '../support/hostile/signed.ts';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';

const token = 'control-token-of-this-test';
let clock: TestClock;
let sidecar: TestSidecar;
let session: SdkCredentials;

beforeEach(async () => {
  clock = new TestClock();
  sidecar = await startSidecar({
    clock,
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
    variables: { CONTROL: token },
  });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'before' }));
  session = await assume(sidecar.url, alice, 'data');
});
afterEach(() => sidecar.stop());

const revoke = async (): Promise<void> => {
  const { status } = await controlClient(sidecar.controlUrl, token).add({ role: 'data' });
  expect(status).toBe(201);
};

/** Sends a request, and `meanwhile` between the first half of its body and the second. */
async function sendSlowly(
  request: ToSign,
  body: string,
  meanwhile: () => Promise<void> | void,
): Promise<string> {
  const head = await signedHead(
    sidecar.url,
    session,
    request,
    `Content-Length: ${body.length}\r\nConnection: close\r\n`,
  );
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const answer = readAll(socket);
  const half = Math.floor(body.length / 2);
  socket.write(head + body.slice(0, half), 'latin1');
  await setTimeout(300);
  await meanwhile();
  socket.write(body.slice(half), 'latin1');
  return summary(await answer);
}

async function objectNow(key = 'k'): Promise<string | undefined> {
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials, { clock });
  const { Body } = await store.send(new GetObjectCommand({ Bucket: 'data', Key: key }));
  return Body?.transformToString();
}

const put: ToSign = { method: 'PUT', path: '/data/k' };
const batch: ToSign = { method: 'POST', path: '/data', query: { delete: '' } };
const keys = '<Delete><Object><Key>k</Key></Object></Delete>';

describe('a session that is revoked while its body comes', () => {
  it.each<[string, ToSign, string]>([
    ['writes no small object', put, 'x'.repeat(50)],
    ['writes no large object', put, 'x'.repeat(300_000)],
    ['deletes nothing', batch, keys],
  ])('%s', async (_, request, body) => {
    expect(await sendSlowly(request, body, revoke)).toBe('400 ExpiredToken');
    expect(await objectNow()).toBe('before');
  });
});

describe('a session that expires while its body comes', () => {
  const expire = (): void => clock.advance(3_700_000);

  it.each<[string, ToSign, string]>([
    ['writes no small object', put, 'x'.repeat(50)],
    ['deletes nothing', batch, keys],
  ])('%s', async (_, request, body) => {
    expect(await sendSlowly(request, body, expire)).toBe('400 ExpiredToken');
    expect(await objectNow()).toBe('before');
  });

  it('finishes a large upload that began in time, as on AWS', async () => {
    expect(await sendSlowly(put, 'x'.repeat(300_000), expire)).toBe('200');
    expect(await objectNow()).toBe('x'.repeat(300_000));
  });
});

it('a session that stays valid writes a body that arrives slowly', async () => {
  expect(await sendSlowly(put, 'x'.repeat(50), () => undefined)).toBe('200');
  expect(await objectNow()).toBe('x'.repeat(50));
});
