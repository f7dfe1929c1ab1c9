import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildDirectory, type Directory } from '../../src/directory/directory.ts';
import { readPolicyRecord } from '../../src/directory/records.ts';
import type { FederatedIdentity } from '../../src/identity/federated-identity.ts';
import { maxTokenLength } from '../../src/tokens/seal.ts';
import { testNowMs } from '../support/raw-requests.ts';
import {
  accountId,
  arrive,
  assumeRoleForm,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  identityForm,
  type Outcome,
  providersWith,
  serve,
  version,
} from './support/sts-fixture.ts';

const provider = 'p'.repeat(64);
/** Text of letters that packing does not shorten. */
const noise = (length: number): string => randomBytes(length).toString('base64url').slice(0, length);
const names = Array.from({ length: 60 }, () => noise(128));

function directoryWith(policyNames: readonly string[]): Directory {
  const policy = readPolicyRecord(document({ Effect: 'Allow', Action: '*', Resource: '*' }), 'identity');
  return buildDirectory({
    account: { id: accountId, partition: 'aws' },
    policies: policyNames.map((name) => ({ name, ...policy })),
    users: [],
    roles: [],
    bucketPolicies: [],
    rootAccessKeys: [],
    providerRoles: [{ mode: 'claim', provider, name: provider, policies: [], uniqueName: provider }],
  });
}

const host = noise(240);
const identity: FederatedIdentity = {
  provider,
  providerArn: `arn:aws:iam::${accountId}:oidc-provider/${host}`,
  hasOwnRole: true,
  issuer: `https://${host}`,
  subject: noise(255),
  audience: noise(255),
  claims: new Map(),
  expiresAt: Math.floor(testNowMs / 1000) + 600,
  tags: [],
  sourceIdentity: undefined,
  policyNames: names.slice(0, 2),
};

async function ask(
  changes: Partial<FederatedIdentity> = {},
  parameters: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const webIdentity = (): Promise<FederatedIdentity> => Promise.resolve({ ...identity, ...changes });
  const dependencies = dependenciesOf(directoryWith(names), {
    identityProviders: providersWith({ webIdentity }),
  });
  const form = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: version,
    WebIdentityToken: 'token',
    ...parameters,
  };
  return serve(await arrive(form, undefined), dependencies);
}

describe('a session that names its policies', () => {
  it('fits into a header with as many as it can have, and has no more', async () => {
    const { response, code } = await ask({ policyNames: names.slice(0, 39) }, { RoleSessionName: noise(64) });
    expect(code).toBe('');
    expect(elementText(response.body, 'SessionToken')?.length).toBeLessThanOrEqual(maxTokenLength);
    expect((await ask({ policyNames: names })).code).toBe('PackedPolicyTooLarge');
  });

  it('shares that room with session policies', async () => {
    const Policy = JSON.stringify(document({ Effect: 'Allow', Action: `s3:${noise(1500)}`, Resource: '*' }));
    expect((await ask({ policyNames: names.slice(0, 39) }, { Policy })).code).toBe('PackedPolicyTooLarge');
    const few = await ask({ policyNames: names.slice(0, 2) }, { Policy });
    expect(Number(elementText(few.response.body, 'PackedPolicySize'))).toBeGreaterThan(30);
    expect(elementText((await ask()).response.body, 'PackedPolicySize')).toBeUndefined();
  });

  it('lasts as long as its token, at least a second and at most a year', async () => {
    const lifetime = async (expiresAt: number): Promise<number> => {
      const { response } = await ask({ expiresAt });
      return (Date.parse(elementText(response.body, 'Expiration') ?? '') - testNowMs) / 1000;
    };
    const now = Math.floor(testNowMs / 1000);
    expect(await lifetime(now + 1)).toBe(1);
    expect(await lifetime(now + 600)).toBe(600);
    expect(await lifetime(now + 100_000_000)).toBe(31_536_000);
    expect((await ask({ expiresAt: now })).code).toBe('ExpiredTokenException');
  });

  it('ends when its provider is replaced, and never belongs to a role of the directory', async () => {
    const credentials = credentialsIn(await ask());
    const identityOf = async (directory: Directory): Promise<string> =>
      (await serve(await arrive(identityForm, credentials), dependenciesOf(directory))).code;
    expect(await identityOf(directoryWith(names))).toBe('');
    expect(await identityOf(directoryWith([]))).toBe('');
    const other = buildDirectory({
      account: { id: accountId, partition: 'aws' },
      policies: [],
      users: [],
      roles: [],
      bucketPolicies: [],
      rootAccessKeys: [],
      providerRoles: [
        { mode: 'claim', provider, name: provider, policies: [], uniqueName: 'another issuer' },
      ],
    });
    expect(await identityOf(other)).toBe('InvalidClientTokenId');
  });

  it('whose policies are all gone may assume nothing', async () => {
    const credentials = credentialsIn(await ask());
    const request = await arrive(assumeRoleForm('any'), credentials);
    const { code, message } = await serve(request, dependenciesOf(directoryWith([])));
    expect(code).toBe('AccessDenied');
    expect(message).toContain('because no identity-based policy allows the sts:AssumeRole action');
  });
});

describe('violated constraints', () => {
  it('are all reported at once, whichever mode the RoleArn selects', async () => {
    const iamMode = await serve(
      await arrive(
        { Action: 'AssumeRoleWithWebIdentity', Version: version, DurationSeconds: '1' },
        undefined,
      ),
      dependenciesOf(
        buildDirectory({
          account: { id: accountId, partition: 'aws' },
          policies: [],
          users: [],
          roles: [],
          bucketPolicies: [],
          rootAccessKeys: [],
        }),
      ),
    );
    expect(iamMode.message).toMatch(
      /^4 validation errors detected: .*roleArn.*roleSessionName.*webIdentityToken/,
    );
    const claimMode = await ask({}, { WebIdentityToken: 'x', RoleSessionName: 'a b', DurationSeconds: '1' });
    expect(claimMode.message).toMatch(/^3 validation errors detected: /);
    const secret = await ask({}, { WebIdentityAccessToken: 'a secret\r\nX: y' });
    expect([secret.code, secret.message]).toEqual(['ValidationError', expect.not.stringContaining('secret')]);
  });
});
