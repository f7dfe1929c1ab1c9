import { randomBytes } from 'node:crypto';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { Secret, TOTP } from 'otpauth';
import { startIdentityProvider, type TestIdentityProvider } from '../../support/identity-provider.ts';
import { samlProviderArn, samlRole } from '../../support/saml-directory.ts';
import { createSamlIdp, type SamlIdp } from '../../support/saml-idp.ts';
import { assume, type SdkCredentials, stsClient } from '../../support/sdk.ts';
import {
  account,
  alice,
  bob,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
} from '../../support/sidecar.ts';
import { providerArn } from '../../support/web-identity.ts';
import { startWebhook, type TestWebhook } from '../../support/webhook.ts';

/** Moves the sidecar and the clients together. */
export const clock: TestClock = new TestClock();
export const rootKey: SdkCredentials = {
  accessKeyId: 'AKIAROOTROOTROOTROOT',
  secretAccessKey: randomBytes(30).toString('base64'),
};
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
export const serialNumber: string = `arn:aws:iam::${account}:mfa/alice`;
export const saml: SamlIdp = createSamlIdp({ roles: [samlRole('people')], now: () => clock.now() });
export let idp: TestIdentityProvider;
/** Configured, and not there any more. */
export let gone: TestIdentityProvider;
export let webhook: TestWebhook;
export let sidecar: TestSidecar;

const trust = (principal: string, action = '"sts:AssumeRole"', effect = 'Allow'): string =>
  `{ Version: "2012-10-17", Statement: [{ Sid: Trust, Effect: ${effect}, Principal: ${principal}, Action: ${action} }] }`;
const own = `{ AWS: "arn:aws:iam::${account}:root" }`;
const directory = (): string => `
directory:
  root: { accessKeys: [{ accessKeyId: ${rootKey.accessKeyId}, secretAccessKey: { env: ROOT } }] }
  policies:
    Sts: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:*", Resource: "arn:aws:iam::${account}:role/*" }, { Effect: Allow, Action: ["sts:DecodeAuthorizationMessage", "sts:GetAccessKeyInfo"], Resource: "*" }] }
    NotThat: { Version: "2012-10-17", Statement: [{ Sid: NotThat, Effect: Deny, Action: "sts:AssumeRole", Resource: "arn:aws:iam::${account}:role/forbidden" }] }
  users:
    - name: alice
      policies: [Sts, NotThat]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      mfaDevices: [{ serialNumber: "${serialNumber}", totpSecret: { env: TOTP } }]
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  roles:
    - { name: data, policies: [Sts], trustPolicy: ${trust(own, '["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]')} }
    - { name: forbidden, trustPolicy: ${trust(own)} }
    - { name: closed, trustPolicy: ${trust(`{ AWS: "arn:aws:iam::${account}:user/nobody" }`)} }
    - { name: web, trustPolicy: ${trust(`{ Federated: "${providerArn(idp.issuer)}" }`, '"sts:AssumeRoleWithWebIdentity"')} }
    - { name: people, trustPolicy: ${trust(`{ Federated: "${samlProviderArn('company')}" }`, '"sts:AssumeRoleWithSAML"')} }
  identityProviders:
    - { kind: oidc, name: login, issuer: "${idp.issuer}", clientIds: [sts-sidecar] }
    - { kind: oidc, name: unreachable, issuer: "${gone.issuer}", clientIds: [sts-sidecar] }
    - { kind: saml, name: company, metadataFile: company.xml }
    - { kind: custom-token, name: plugin, url: "${webhook.url}", rolePolicies: [Sts], roleId: plugin }
`;

/** Starts the sidecar of the error table, with everything that can refuse. */
export async function startErrorWorld(): Promise<void> {
  idp = await startIdentityProvider({ clock });
  gone = await startIdentityProvider({ clock });
  webhook = await startWebhook();
  sidecar = await startSidecar({
    clock,
    directory: directory(),
    disabledRegions: '[eu-north-1]',
    files: { 'company.xml': saml.metadata },
    variables: { ROOT: rootKey.secretAccessKey, TOTP: totpSecret },
  });
  await gone.stop();
}
export async function stopErrorWorld(): Promise<void> {
  await sidecar.stop();
  await webhook.stop();
  await idp.stop();
}

/** What the SDK says of a refusal. */
export type Refusal = readonly [code: string, status: number, message: string];

export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    // biome-ignore lint/suspicious/noExplicitAny: as the SDK throws it.
    const { Error: sent, $metadata, message } = error as any;
    return [sent?.Code, $metadata?.httpStatusCode, message];
  }
  return ['', 200, ''];
}

export const as = (keys: SdkCredentials): STSClient => stsClient(sidecar.url, keys, clock);
export const role = (
  name: string,
  input: Partial<AssumeRoleCommandInput> = {},
  keys: SdkCredentials = alice,
): Promise<AssumeRoleCommandOutput> =>
  as(keys).send(new AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: 'table', ...input }));
export const session = (): Promise<Required<SdkCredentials>> => assume(sidecar.url, alice, 'data', {}, clock);
export const identity = (keys: SdkCredentials): Promise<unknown> =>
  as(keys).send(new GetCallerIdentityCommand({}));
const unsigned = (): STSClient =>
  new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
export const web = (WebIdentityToken: string, name = 'web', more: object = {}): Promise<unknown> =>
  unsigned().send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn(name),
      RoleSessionName: 'table',
      WebIdentityToken,
      ...more,
    }),
  );
export const assertion = (SAMLAssertion: string, name = 'people'): Promise<unknown> =>
  unsigned().send(
    new AssumeRoleWithSAMLCommand({
      RoleArn: roleArn(name),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion,
    }),
  );
export const code = (): string =>
  new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp: clock.now() });

/** An action that the SDK does not have, or a request that it does not make. */
export async function raw(query: string, headers: Record<string, string> = {}): Promise<Refusal> {
  const answer = await fetch(`${sidecar.url}/${query}`, { method: 'POST', headers });
  const text = await answer.text();
  const field = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
  return [field('Code'), answer.status, field('Message').replaceAll('&apos;', "'").replaceAll('&quot;', '"')];
}
export const plugin = (Token: string, RoleArn = 'arn:minio:iam:::role/idmp-plugin'): Promise<Refusal> =>
  raw(
    `?${new URLSearchParams({ Action: 'AssumeRoleWithCustomToken', Version: '2011-06-15', Token, RoleArn })}`,
  );
