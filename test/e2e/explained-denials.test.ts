import { randomBytes } from 'node:crypto';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { openAuthorizationMessage } from '../../src/tokens/authorization-message.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const tokenKey = randomBytes(32).toString('base64');
const ring = createKeyRing([{ id: 'k1', secret: new Secret(tokenKey) }], 'k1');
const marker = ' Encoded authorization failure message: ';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ tokenKey });
});
afterAll(() => sidecar.stop());

async function refusalOf(Key: string, role = 'data', input: object = {}): Promise<string> {
  const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, role, input));
  return s3.send(new GetObjectCommand({ Bucket: 'data', Key })).then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error ? error.message : 'thrown'),
  );
}

describe('the answer to a denied request', () => {
  it('says in AWS’s words who may not do what, and why', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }],
    });
    const user = `User: arn:aws:sts::${account}:assumed-role/data/test is not authorized to perform: s3:GetObject on resource:`;
    const [allowless = ''] = (await refusalOf('k', 'data', { Policy })).split(marker);
    expect(allowless).toBe(
      `${user} "arn:aws:s3:::data/k" because no session policy allows the s3:GetObject action`,
    );
    const [denied = ''] = (await refusalOf('secret/k')).split(marker);
    expect(denied).toBe(
      `${user} "arn:aws:s3:::data/secret/k" with an explicit deny in an identity-based policy`,
    );
  });

  it('carries a sealed message that says which statement decided, and holds no policy text', async () => {
    const [, sealed = ''] = (await refusalOf('secret/k')).split(marker);
    expect(sealed.length).toBeGreaterThan(100);
    expect(sealed.length).toBeLessThanOrEqual(10_240);
    const opened = await openAuthorizationMessage(sealed, ring, Date.now());
    expect(opened).toMatchObject({
      ok: true,
      document: {
        allowed: false,
        explicitDeny: true,
        context: { action: 's3:GetObject', resource: 'arn:aws:s3:::data/secret/k' },
      },
    });
    const text = JSON.stringify(opened);
    expect(text).toContain('NoSecrets');
    expect(text).not.toContain('data/secret/*');
    expect(text).toContain('aws:PrincipalArn');
  });

  it('cannot be used as a session token, nor opened a day later', async () => {
    const [, sealed = ''] = (await refusalOf('secret/k')).split(marker);
    expect(await new SessionOpener(ring).open(sealed)).toBeUndefined();
    expect(await openAuthorizationMessage(sealed, ring, Date.now() + 25 * 3_600_000)).toEqual({
      ok: false,
      reason: 'expired',
    });
  });

  it('is not sealed for unknown callers', async () => {
    const text = await (await fetch(`${sidecar.url}/data/k`)).text();
    expect(text).toContain('<Code>AccessDenied</Code>');
    expect(text).not.toContain('Encoded authorization failure message');
  });

  it('stays short when every part of the request has its greatest length', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
    const Key = 'k'.repeat(1000);
    const Tagging = Array.from(
      { length: 10 },
      (_, index) => `t${index}${'a'.repeat(120)}=${'b'.repeat(250)}`,
    ).join('&');
    const refused = await s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x', Tagging })).then(
      () => '',
      (error: unknown) => String(error),
    );
    const [, sealed = ''] = refused.split(marker);
    expect(sealed.length).toBeGreaterThan(1000);
    expect(sealed.length).toBeLessThanOrEqual(10_240);
  });

  it('has no body for HEAD, and plain errors for the entries of a multi-delete', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
    await expect(s3.send(new HeadObjectCommand({ Bucket: 'other', Key: 'k' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    const data = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    const { Errors } = await data.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'secret/k' }] } }),
    );
    expect(Errors).toEqual([{ Key: 'secret/k', Code: 'AccessDenied', Message: 'Access Denied' }]);
  });
});
