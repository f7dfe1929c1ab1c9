import {
  AssumeRoleCommand,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetScopedCredentialsCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { assume, outcome, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';

const clock = new TestClock();
const saml = createSamlIdp({ roles: [samlRole('people')], now: () => clock.now() });
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  const trust = (principal: string, action: string): string =>
    `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: "${action}" }] }`;
  sidecar = await startSidecar({
    clock,
    files: { 'company.xml': saml.metadata },
    directory: `
directory:
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - { name: alice, policies: [All], accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
  roles:
    - { name: data, policies: [All], trustPolicy: ${trust(`{ AWS: "arn:aws:iam::${account}:root" }`, 'sts:AssumeRole')} }
    - { name: pod, policies: [All], trustPolicy: ${trust(`{ Federated: "${providerArn(idp.issuer)}" }`, 'sts:AssumeRoleWithWebIdentity')} }
    - { name: people, policies: [All], trustPolicy: ${trust(`{ Federated: "${samlProviderArn('company')}" }`, 'sts:AssumeRoleWithSAML')} }
  identityProviders:
    - { kind: oidc, name: login, issuer: "${idp.issuer}", clientIds: [sts-sidecar] }
    - { kind: saml, name: company, metadataFile: company.xml }
`,
  });
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
});

interface Sized {
  readonly Credentials?: Credentials | undefined;
  readonly SessionTokenSize?: number | undefined;
  readonly SessionTokenUtilization?: number | undefined;
}
const plain = (): STSClient => new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
const own = (): STSClient => stsClient(sidecar.url, alice, clock);
const role = { RoleArn: roleArn('data'), RoleSessionName: 'test' };

const actions: readonly [
  name: string,
  call: (size: { MinimumSessionTokenSize?: number }) => Promise<Sized>,
][] = [
  ['AssumeRole', (size) => own().send(new AssumeRoleCommand({ ...role, ...size }))],
  [
    'AssumeRoleWithWebIdentity',
    async (size) => {
      const WebIdentityToken = await idp.mint();
      const web = { RoleArn: roleArn('pod'), RoleSessionName: 'web', WebIdentityToken };
      return plain().send(new AssumeRoleWithWebIdentityCommand({ ...web, ...size }));
    },
  ],
  [
    'AssumeRoleWithSAML',
    (size) => {
      const [RoleArn, PrincipalArn] = [roleArn('people'), samlProviderArn('company')];
      const assertion = { RoleArn, PrincipalArn, SAMLAssertion: saml.respond() };
      return plain().send(new AssumeRoleWithSAMLCommand({ ...assertion, ...size }));
    },
  ],
  ['GetFederationToken', (size) => own().send(new GetFederationTokenCommand({ Name: 'guest', ...size }))],
  ['GetSessionToken', (size) => own().send(new GetSessionTokenCommand({ ...size }))],
  [
    'GetScopedCredentials',
    async (size) => {
      const session = await assume(sidecar.url, alice, 'data', {}, clock);
      const scoped = new GetScopedCredentialsCommand({ DurationSeconds: 600, ...size });
      return stsClient(sidecar.url, session, clock).send(scoped);
    },
  ],
];

describe.each(actions)('%s', (_, call) => {
  it('says how large the token is, of which it pads a short one', async () => {
    const natural = await call({});
    const length = natural.Credentials?.SessionToken?.length ?? 0;
    expect(natural).toMatchObject({
      SessionTokenSize: length,
      SessionTokenUtilization: Math.ceil(length / 81.92),
    });
    expect(
      Math.abs(((await call({ MinimumSessionTokenSize: 0 })).SessionTokenSize ?? 0) - length),
    ).toBeLessThan(16);
    const padded = await call({ MinimumSessionTokenSize: 4096 });
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = padded.Credentials ?? {};
    expect(padded.SessionTokenSize).toBe(SessionToken.length);
    expect(padded.SessionTokenSize).toBeGreaterThanOrEqual(4096);
    expect(padded.SessionTokenSize).toBeLessThan(4096 + 32);
    expect(padded.SessionTokenUtilization).toBe(51);
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    expect(await outcome(stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({})))).toBe(
      'allowed',
    );
    expect(padded).not.toHaveProperty('TrustedIdentityPropagationContext');
  });

  it.each([4097, -1])('refuses a size of %i', async (MinimumSessionTokenSize) => {
    expect(await outcome(call({ MinimumSessionTokenSize }))).toMatch(/^ValidationError/);
  });
});
