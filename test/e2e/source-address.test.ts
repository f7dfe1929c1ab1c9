import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const conditions =
  'Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" }, Bool: { "aws:SecureTransport": "true" } }';
const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*", ${conditions} }] } }
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
`;

/** A client whose requests carry headers that a proxy would add after they were signed. */
function behind(sidecar: TestSidecar, headers: Readonly<Record<string, string>>): S3Client {
  const client = s3Client(sidecar.url, alice);
  client.middlewareStack.add(
    (next) => (input) => {
      if (typeof input.request === 'object' && input.request !== null && 'headers' in input.request)
        Object.assign(Object(input.request.headers), headers);
      return next(input);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'forwardedHeaders' },
  );
  return client;
}

const forwarded = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https' };

describe('aws:SourceIp and aws:SecureTransport', () => {
  let trusting: TestSidecar;
  let wary: TestSidecar;
  const get = (sidecar: TestSidecar, headers: Readonly<Record<string, string>>): Promise<string> =>
    outcome(behind(sidecar, headers).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));

  beforeAll(async () => {
    trusting = await startSidecar({ directory, server: '  trustedProxies: ["127.0.0.0/8"]' });
    wary = await startSidecar({ directory });
    for (const { storeUrl, storeCredentials } of [trusting, wary]) {
      const store = s3Client(storeUrl, storeCredentials);
      await store.send(new CreateBucketCommand({ Bucket: 'data' }));
      await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' }));
    }
  });
  afterAll(async () => {
    await trusting.stop();
    await wary.stop();
  });

  it('are the client’s behind a trusted proxy, and the log shows it', async () => {
    expect(await get(trusting, forwarded)).toBe('allowed');
    const line = trusting.logged.findLast((entry) => entry.includes('"GetObject"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ source_ip: '192.0.2.7' });
    expect(JSON.stringify(trusting.seen.at(-1)?.headers)).not.toContain('192.0.2.7');
  });

  it.each([
    ['another address', { ...forwarded, 'x-forwarded-for': '198.51.100.7' }],
    [
      'an address that the client put in front',
      { ...forwarded, 'x-forwarded-for': '192.0.2.7, 198.51.100.7' },
    ],
    ['plain http', { ...forwarded, 'x-forwarded-proto': 'http' }],
    ['a request without the scheme', { 'x-forwarded-for': '192.0.2.7' }],
    ['a request without the address', { 'x-forwarded-proto': 'https' }],
  ])('refuse, behind a trusted proxy, %s', async (_, headers) => {
    expect(await get(trusting, headers)).toBe('AccessDenied 403');
  });

  it('are the peer’s everywhere else, whatever the headers say', async () => {
    expect(await get(wary, forwarded)).toBe('AccessDenied 403');
    const line = wary.logged.findLast((entry) => entry.includes('"GetObject"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ source_ip: '127.0.0.1' });
  });

  it('refuse a request whose trusted proxy says nonsense', async () => {
    expect(await get(trusting, { ...forwarded, 'x-forwarded-for': 'unknown' })).toBe('InvalidRequest 400');
  });
});
