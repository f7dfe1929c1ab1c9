import { randomBytes } from 'node:crypto';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { assume, type SdkCredentials, stsClient } from '../support/sdk.ts';
import {
  account,
  alice,
  bob,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
} from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';
import { startWebhook, type TestWebhook } from '../support/webhook.ts';

const clock = new TestClock();
const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: randomBytes(30).toString('base64') };
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const serialNumber = `arn:aws:iam::${account}:mfa/alice`;
const saml = createSamlIdp({ roles: [samlRole('people')], now: () => clock.now() });
let idp: TestIdentityProvider;
let gone: TestIdentityProvider;
let webhook: TestWebhook;
let sidecar: TestSidecar;

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

beforeAll(async () => {
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
});
afterAll(async () => {
  await sidecar.stop();
  await webhook.stop();
  await idp.stop();
});

/** What the SDK says of a refusal. */
type Refusal = readonly [code: string, status: number, message: string];

async function refusal(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    // biome-ignore lint/suspicious/noExplicitAny: as the SDK throws it.
    const { Error: sent, $metadata, message } = error as any;
    return [sent?.Code, $metadata?.httpStatusCode, message];
  }
  return ['', 200, ''];
}

const as = (keys: SdkCredentials): STSClient => stsClient(sidecar.url, keys, clock);
const role = (name: string, input: Partial<AssumeRoleCommandInput> = {}, keys: SdkCredentials = alice) =>
  as(keys).send(new AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: 'table', ...input }));
const session = (): Promise<Required<SdkCredentials>> => assume(sidecar.url, alice, 'data', {}, clock);
const identity = (keys: SdkCredentials): Promise<unknown> => as(keys).send(new GetCallerIdentityCommand({}));
const unsigned = (): STSClient =>
  new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
const web = (WebIdentityToken: string, name = 'web', more: object = {}): Promise<unknown> =>
  unsigned().send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn(name),
      RoleSessionName: 'table',
      WebIdentityToken,
      ...more,
    }),
  );
const assertion = (SAMLAssertion: string, name = 'people'): Promise<unknown> =>
  unsigned().send(
    new AssumeRoleWithSAMLCommand({
      RoleArn: roleArn(name),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion,
    }),
  );
const code = (): string =>
  new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp: clock.now() });
const seconds = (): number => Math.floor(clock.now() / 1000);

/** An action that the SDK does not have, or a request that it does not make. */
async function raw(query: string, headers: Record<string, string> = {}): Promise<Refusal> {
  const answer = await fetch(`${sidecar.url}/${query}`, { method: 'POST', headers });
  const text = await answer.text();
  const field = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
  return [field('Code'), answer.status, field('Message').replaceAll('&apos;', "'").replaceAll('&quot;', '"')];
}
const plugin = (Token: string, RoleArn = 'arn:minio:iam:::role/idmp-plugin'): Promise<Refusal> =>
  raw(
    `?${new URLSearchParams({ Action: 'AssumeRoleWithCustomToken', Version: '2011-06-15', Token, RoleArn })}`,
  );

/** The decoded message follows in every denial of somebody who signed. */
const sealed = ' Encoded authorization failure message: ';
const suffix = (text: string): string => expect.stringContaining(text) as unknown as string;
const starts = (text: string): string => expect.stringMatching(new RegExp(`^${text}`)) as unknown as string;
const denied = (arn: string, name: string): string =>
  `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn(name)}`;
const aliceArn = `arn:aws:iam::${account}:user/alice`;
const bobArn = `arn:aws:iam::${account}:user/bob`;

const incompressible = (length: number): string => randomBytes(length).toString('base64').slice(0, length);
const bigTags = Array.from({ length: 50 }, (_, index) => ({
  Key: `k${index}-${incompressible(100).replaceAll('/', '-')}`,
  Value: incompressible(250),
}));
const bigPolicy = (): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${'x'.repeat(1900)}` }],
  });

type Row = readonly [situation: string, call: () => Promise<Refusal>, expected: Refusal];

/** The table of the STS contract, in its order; a situation that has several is several rows. */
const rows: readonly Row[] = [
  [
    'denied by the identity policies',
    () => refusal(role('data', {}, bob)),
    [
      'AccessDenied',
      403,
      suffix(
        `${denied(bobArn, 'data')} because no identity-based policy allows the sts:AssumeRole action${sealed}`,
      ),
    ],
  ],
  [
    'denied by the identity policies, the role does not exist',
    () => refusal(role('missing', {}, bob)),
    [
      'AccessDenied',
      403,
      suffix(
        `${denied(bobArn, 'missing')} because no identity-based policy allows the sts:AssumeRole action`,
      ),
    ],
  ],
  [
    'denied explicitly',
    () => refusal(role('forbidden')),
    [
      'AccessDenied',
      403,
      suffix(`${denied(aliceArn, 'forbidden')} with an explicit deny in an identity-based policy`),
    ],
  ],
  [
    'denied by the trust policy',
    () => refusal(role('closed')),
    ['AccessDenied', 403, starts(`${denied(aliceArn, 'closed')}(?:${sealed}|$)`)],
  ],
  [
    'allowed by the own policies, the role does not exist',
    () => refusal(role('missing')),
    ['AccessDenied', 403, starts(`${denied(aliceArn, 'missing')}(?:${sealed}|$)`)],
  ],
  [
    'a token denied',
    async () => refusal(web(await idp.mint(), 'people')),
    ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
  ],
  [
    'an assertion denied',
    () => refusal(assertion(saml.respond({ attributes: {} }), 'web')),
    ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithSAML'],
  ],
  [
    'root assumes a role',
    () => refusal(role('data', {}, rootKey)),
    ['AccessDenied', 403, 'Roles may not be assumed by root accounts.'],
  ],
  [
    'GetSessionToken with temporary credentials',
    async () => refusal(as(await session()).send(new GetSessionTokenCommand({}))),
    ['AccessDenied', 403, 'Cannot call GetSessionToken with session credentials'],
  ],
  [
    'GetFederationToken with temporary credentials',
    async () => refusal(as(await session()).send(new GetFederationTokenCommand({ Name: 'guest' }))),
    ['AccessDenied', 403, 'Cannot call GetFederationToken with session credentials'],
  ],
  [
    'a wrong code',
    () =>
      refusal(
        as(alice).send(new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: '000000' })),
      ),
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'a reused code',
    async () => {
      const sent = new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: code() });
      await as(alice).send(sent);
      return refusal(as(alice).send(sent));
    },
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'another user’s code',
    () =>
      refusal(as(bob).send(new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: code() }))),
    ['AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  ],
  [
    'a serial number without a code',
    () => refusal(role('data', { SerialNumber: serialNumber })),
    ['AccessDenied', 403, suffix('must provide both MFA serial number and one time pass code.')],
  ],
  [
    'a malformed ARN',
    () => refusal(role('data', { RoleArn: 'arn:aws:iam::role/no-account' })),
    ['ValidationError', 400, 'arn:aws:iam::role/no-account is invalid'],
  ],
  [
    'several constraints',
    () => refusal(role('data', { RoleSessionName: 'a b', DurationSeconds: 899 })),
    [
      'ValidationError',
      400,
      starts(
        "2 validation errors detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must .+; Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900$",
      ),
    ],
  ],
  [
    'a missing parameter',
    () => refusal(role('data', { RoleSessionName: undefined })),
    [
      'ValidationError',
      400,
      "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    ],
  ],
  [
    'longer than the role allows',
    () => refusal(role('data', { DurationSeconds: 3601 })),
    [
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
  ],
  [
    'chained for longer than an hour',
    async () => refusal(role('data', { DurationSeconds: 3601 }, await session())),
    [
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    ],
  ],
  [
    'a transitive key that is no tag',
    () => refusal(role('data', { Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['other'] })),
    ['InvalidParameterValue', 400, suffix('other')],
  ],
  [
    'a tag twice, ignoring case',
    () =>
      refusal(
        role('data', {
          Tags: [
            { Key: 'team', Value: 'a' },
            { Key: 'TEAM', Value: 'b' },
          ],
        }),
      ),
    ['InvalidParameterValue', 400, suffix('TEAM')],
  ],
  [
    'an inherited transitive tag set again',
    async () => {
      const Tags = [{ Key: 'team', Value: 'blue' }];
      const tagged = await assume(sidecar.url, alice, 'data', { Tags, TransitiveTagKeys: ['team'] }, clock);
      return refusal(role('data', { Tags }, tagged));
    },
    ['InvalidParameterValue', 400, suffix('team')],
  ],
  [
    'too many tags to pack',
    () =>
      refusal(
        role('data', { Tags: bigTags.map(({ Key, Value }) => ({ Key: Key.replaceAll('+', '-'), Value })) }),
      ),
    ['PackedPolicyTooLarge', 400, starts('Packed size of session tags consumes \\d+% of allotted space\\.$')],
  ],
  [
    'a policy and ARNs that are too long together',
    () =>
      refusal(
        role('data', {
          Policy: bigPolicy(),
          PolicyArns: Array.from({ length: 3 }, () => ({ arn: `arn:aws:iam::${account}:policy/Sts` })),
        }),
      ),
    ['PackedPolicyTooLarge', 400, suffix('')],
  ],
  [
    'a policy that is none',
    () => refusal(role('data', { Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}' })),
    ['MalformedPolicyDocument', 400, suffix('Effect')],
  ],
  [
    'a token of an issuer that nobody configured',
    async () => refusal(web(await idp.mint({ iss: 'https://other.example.com' }))),
    [
      'InvalidIdentityToken',
      400,
      'No OpenIDConnect provider found in your account for https://other.example.com',
    ],
  ],
  [
    'a token for another audience',
    async () => refusal(web(await idp.mint({ aud: 'other' }))),
    ['InvalidIdentityToken', 400, 'Incorrect token audience'],
  ],
  [
    'a token with a bad signature',
    async () => refusal(web(`${(await idp.mint()).slice(0, -8)}AAAAAAAA`)),
    ['InvalidIdentityToken', 400, suffix('signature')],
  ],
  [
    'a provider for access tokens of social networks',
    async () => refusal(web(await idp.mint(), 'web', { ProviderId: 'www.amazon.com' })),
    ['InvalidIdentityToken', 400, suffix('ProviderId')],
  ],
  [
    'an identity provider that cannot be reached',
    async () => refusal(web(await idp.mint({ iss: gone.issuer }))),
    ['IDPCommunicationError', 400, suffix('')],
  ],
  [
    'an expired token',
    async () => refusal(web(await idp.mint({ exp: seconds() - 60, iat: seconds() - 600 }))),
    [
      'ExpiredTokenException',
      400,
      starts('Token expired: current date/time \\d{10} must be before the expiration date/time \\d{10}$'),
    ],
  ],
  [
    'an assertion that was used before',
    async () => {
      const used = saml.respond();
      await assertion(used);
      return refusal(assertion(used));
    },
    ['InvalidIdentityToken', 400, suffix('used before')],
  ],
  ['a webhook that says no', () => plugin('stranger'), ['AccessDenied', 403, suffix('')]],
  [
    'a webhook that is ill',
    async () => {
      webhook.answerWith((_, response) => {
        response.writeHead(500).end();
        return true;
      });
      const said = await plugin('aaa');
      webhook.answerWith(undefined);
      return said;
    },
    ['IDPCommunicationError', 400, suffix('')],
  ],
  ['a role that is of no webhook', () => plugin('aaa', roleArn('data')), ['AccessDenied', 403, suffix('')]],
  [
    'an unknown key',
    () => refusal(identity({ accessKeyId: 'AKIAUNKNOWNUNKNOWN11', secretAccessKey: 'x'.repeat(40) })),
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'a temporary key without its token',
    async () => {
      const { accessKeyId, secretAccessKey } = await session();
      return refusal(identity({ accessKeyId, secretAccessKey }));
    },
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'another session’s token',
    async () => refusal(identity({ ...(await session()), sessionToken: (await session()).sessionToken })),
    ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
  ],
  [
    'a wrong secret',
    () => refusal(identity({ ...alice, secretAccessKey: 'x'.repeat(40) })),
    ['SignatureDoesNotMatch', 403, suffix('The request signature we calculated does not match')],
  ],
  [
    'a region in which STS is disabled',
    () =>
      refusal(
        new STSClient({
          endpoint: sidecar.url,
          region: 'eu-north-1',
          credentials: alice,
          maxAttempts: 1,
        }).send(new GetCallerIdentityCommand({})),
      ),
    ['RegionDisabledException', 403, suffix('')],
  ],
  [
    'no signature',
    () => raw('?Action=GetCallerIdentity&Version=2011-06-15'),
    ['MissingAuthenticationToken', 403, 'Request is missing Authentication Token'],
  ],
  [
    'a malformed header',
    () => raw('?Action=GetCallerIdentity&Version=2011-06-15', { authorization: 'AWS4-HMAC-SHA256 nonsense' }),
    ['IncompleteSignature', 400, suffix('')],
  ],
  [
    'an unknown action',
    () => raw('?Action=Nonsense&Version=2011-06-15'),
    ['InvalidAction', 400, 'Could not find operation Nonsense for version 2011-06-15'],
  ],
  [
    'an unknown version',
    () => raw('?Action=GetCallerIdentity&Version=2010-01-01'),
    ['InvalidAction', 400, 'Could not find operation GetCallerIdentity for version 2010-01-01'],
  ],
  [
    'no action',
    () =>
      raw('', {
        authorization: `AWS4-HMAC-SHA256 Credential=${alice.accessKeyId}/20261122/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      }),
    ['MissingAction', 400, suffix('')],
  ],
  [
    'a message that was not sealed here',
    () => refusal(as(alice).send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'made-up' }))),
    ['InvalidAuthorizationMessageException', 400, suffix('')],
  ],
  [
    'a key that says nothing of an account',
    () => refusal(as(alice).send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIA0000000000000000' }))),
    ['ValidationError', 400, suffix('')],
  ],
];

describe('every error of STS, through an SDK', () => {
  it.each(rows)('%s', async (_, call, expected) => {
    expect(await call()).toEqual(expected);
  });

  it.each([
    [
      -901_000,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
    ],
    [
      901_000,
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 15 min\.\)$/,
    ],
  ])('a clock that is %i ms wrong', async (systemClockOffset, message) => {
    const client = new STSClient({
      endpoint: sidecar.url,
      region: 'us-east-1',
      credentials: alice,
      maxAttempts: 1,
      systemClockOffset,
    });
    const said = await refusal(client.send(new GetCallerIdentityCommand({})));
    expect(said).toEqual(['SignatureDoesNotMatch', 403, expect.stringMatching(message)]);
  });

  it('an expired session', async () => {
    const keys = await assume(sidecar.url, alice, 'data', { DurationSeconds: 900 }, clock);
    clock.advance(900_000);
    expect(await refusal(identity(keys))).toEqual([
      'ExpiredToken',
      403,
      'The security token included in the request is expired',
    ]);
  });
});
