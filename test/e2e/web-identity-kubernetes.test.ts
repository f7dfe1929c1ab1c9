import { readFileSync } from 'node:fs';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  serviceAccountClaims,
  startIdentityProvider,
  type TestIdentityProvider,
  testCaFile,
} from '../support/identity-provider.ts';
import { outcome } from '../support/sdk.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { bareIssuer, webIdentityDirectory } from '../support/web-identity.ts';

const clock = new TestClock();
let cluster: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  cluster = await startIdentityProvider({ clock, tls: true, jwksPath: '/openid/v1/jwks' });
  const bare = bareIssuer(cluster.issuer);
  sidecar = await startSidecar({
    clock,
    further: 'outbound: { caFile: cluster-ca.crt }',
    files: { 'cluster-ca.crt': readFileSync(testCaFile, 'utf8') },
    directory: webIdentityDirectory({
      issuer: cluster.issuer,
      provider: 'kind: kubernetes, audiences: [sts-sidecar]',
      condition: `{ StringEquals: { "${bare}:aud": sts-sidecar, "${bare}:kubernetes.io/namespace": apps }, StringLike: { "${bare}:kubernetes.io/pod/name": "web-*" }, StringNotEquals: { "${bare}:kubernetes.io/serviceaccount/name": default } }`,
    }),
  });
});
afterAll(async () => {
  await sidecar.stop();
  await cluster.stop();
});

async function assume(claims: Record<string, unknown>): Promise<string> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: roleArn('pod'),
    RoleSessionName: 'app',
    WebIdentityToken: await cluster.mint(claims),
  });
  return outcome(client.send(command));
}

describe('a pod of a cluster with a private authority', () => {
  it('assumes the role that trusts its namespace and service account', async () => {
    expect(await assume(serviceAccountClaims('apps', 'web'))).toBe('allowed');
  });

  it.each<[string, Record<string, unknown>]>([
    ['another namespace', serviceAccountClaims('other', 'web')],
    ['another namespace in its claims only', { ...serviceAccountClaims('apps', 'web'), 'kubernetes.io': {} }],
    ['another pod', serviceAccountClaims('apps', 'worker')],
    ['the default service account', serviceAccountClaims('apps', 'default')],
    [
      'a namespace under a flat name in another spelling',
      { ...serviceAccountClaims('x', 'web'), 'kubernetes.io.namespace': 'apps' },
    ],
  ])('of %s is refused', async (_, claims) => {
    expect(await assume(claims)).toBe('AccessDenied 403');
  });

  it('is refused with a token that gives its namespace twice', async () => {
    const claims = { ...serviceAccountClaims('other', 'web'), 'kubernetes.io/namespace': 'apps' };
    expect(await assume(claims)).toBe('InvalidIdentityTokenException 400');
  });

  it('is refused with the token for the API server', async () => {
    const claims = { ...serviceAccountClaims('apps', 'web'), aud: [cluster.issuer] };
    expect(await assume(claims)).toBe('InvalidIdentityTokenException 400');
  });
});
