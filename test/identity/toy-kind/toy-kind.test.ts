import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type IdentityKinds, identityKinds } from '../../../src/identity/kinds.ts';
import { outcome, s3Client, stsClient } from '../../support/sdk.ts';
import { alice, roleArn, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { webIdentityDirectory } from '../../support/web-identity.ts';
import { pinnedKey } from './pinned-key.ts';

/** The list with one more row, which is all that a kind needs outside its folder. */
const kinds: IdentityKinds = [...identityKinds, pinnedKey];

const issuer = 'https://pinned.example.com';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const provider = `kind: pinned-key, audience: sts-sidecar, publicKey: "${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}"`;
const directory = webIdentityDirectory({ issuer, provider });

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory, identityKinds: kinds });
});
afterAll(() => sidecar.stop());

function mint(claims: object = {}, key: KeyObject = privateKey): string {
  const iat = Math.floor(systemClock.now() / 1000);
  const all = { iss: issuer, sub: 'subject-1', aud: 'sts-sidecar', iat, exp: iat + 600, ...claims };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'EdDSA' })}.${encode(all)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

const exchange = (token: string) =>
  stsClient(sidecar.url, alice).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn('pod'),
      RoleSessionName: 'toy',
      WebIdentityToken: token,
    }),
  );

describe('a kind of identity provider that is one object and one row of the list', () => {
  it('gives credentials, for a role whose trust policy names the provider and its claims', async () => {
    const { Credentials, Provider, SubjectFromWebIdentityToken } = await exchange(mint());
    expect([Provider, SubjectFromWebIdentityToken]).toEqual([issuer, 'subject-1']);
    const s3 = s3Client(sidecar.url, {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a', Body: 'x' }));
    expect(sidecar.seen.map(({ method, target }) => `${method} ${target}`)).toContain('PUT /data/a');
  });

  it.each<[string, () => string, string]>([
    [
      'another key',
      () => mint({}, generateKeyPairSync('ed25519').privateKey),
      'InvalidIdentityTokenException 400',
    ],
    ['another audience', () => mint({ aud: 'other' }), 'InvalidIdentityTokenException 400'],
    ['another issuer', () => mint({ iss: 'https://other.example.com' }), 'InvalidIdentityTokenException 400'],
    ['an expiry in the past', () => mint({ exp: 1 }), 'ExpiredTokenException 400'],
    ['another subject', () => mint({ sub: 'subject-2' }), 'AccessDenied 403'],
  ])('refuses a token with %s', async (_, token, expected) => {
    expect(await outcome(exchange(token()))).toBe(expected);
  });

  it('is known by its name in the log', async () => {
    await exchange(mint());
    expect(sidecar.logged.at(-1)).toContain('"identity_provider":"test"');
  });

  it('has its settings checked like those of every kind', async () => {
    const start = (text: string): Promise<TestSidecar> =>
      startSidecar({ directory: text, identityKinds: kinds });
    await expect(start(directory.replace('audience: sts-sidecar, ', ''))).rejects.toThrow(
      /identityProviders\[0\]\.audience: is required/,
    );
    await expect(start(directory.replace(issuer, 'https://aws'))).rejects.toThrow(
      /identityProviders\[0\]\.issuer: would be the prefix of condition keys of another service/,
    );
  });

  it('is unknown without its row', async () => {
    await expect(startSidecar({ directory })).rejects.toThrow(
      /kind: must be one of "oidc", "kubernetes", "saml", "custom-token"/,
    );
  });
});
