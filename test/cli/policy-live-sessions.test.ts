import { randomBytes } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openIdRoleId } from '../../src/identity/oidc/settings.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { bareIssuer, providerArn } from '../support/web-identity.ts';
import { execute, file, removeFiles } from './command.ts';

afterAll(removeFiles);

const user = (name: string): string => `arn:aws:iam::${account}:user/${name}`;
const root = `arn:aws:iam::${account}:root`;
const guest = `arn:aws:sts::${account}:federated-user/guest`;
const generated = `arn:minio:iam:us-east-1::role/${openIdRoleId('minio-client-app')}`;
const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: randomBytes(30).toString('base64') };
const device = `arn:aws:iam::${account}:mfa/alice`;
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const statement = (effect: string, resource: string, condition = '{}'): string =>
  `{ Effect: ${effect}, Action: "s3:*", Resource: "arn:aws:s3:::lake/${resource}", Condition: ${condition} }`;

const directory = (issuer: string, secret: (name: string) => string): string => `
directory:
  root: { accessKeys: [{ accessKeyId: ${rootKey.accessKeyId}, secretAccessKey: ${secret('ROOT')} }] }
  policies:
    Lake:
      Version: "2012-10-17"
      Statement:
        - ${statement('Allow', 'proved/*', '{ Bool: { "aws:MultiFactorAuthPresent": "true" } }')}
        - ${statement('Allow', 'fresh/*', '{ NumericLessThan: { "aws:MultiFactorAuthAge": "300" } }')}
        - ${statement('Allow', 'unproved/*', '{ Bool: { "aws:MultiFactorAuthPresent": "false" } }')}
        - ${statement('Allow', 'temporary/*', '{ "Null": { "aws:TokenIssueTime": "false" } }')}
        - ${statement('Allow', `team/\${aws:PrincipalTag/team}/*`)}
        - ${statement('Allow', `name/\${aws:username}/*`)}
        - ${statement('Allow', `type/\${aws:PrincipalType}/*`)}
        - ${statement('Allow', `subject/\${${bareIssuer(issuer)}:sub}/*`)}
        - ${statement('Allow', 'provider/*', `{ StringEquals: { "aws:FederatedProvider": "${providerArn(issuer)}", "${bareIssuer(issuer)}:aud": minio-client-app } }`)}
    Shared: { Version: "2012-10-17", Statement: [${statement('Allow', 'shared/*')}] }
    Again: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:*", Resource: "*" } }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: ${secret('ALICE')} }]
      mfaDevices: [{ serialNumber: "${device}", totpSecret: ${secret('TOTP')} }]
      policies: [Lake, Again]
      tags: { team: blue }
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: ${secret('BOB')} }], policies: [Lake], permissionsBoundary: Shared }
  roles:
    - name: proved
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole", Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } } }
    - name: anybody
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" } }
  bucketPolicies:
    lake:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${guest}" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/direct/*" }
        - { Effect: Deny, Principal: { AWS: "${root}" }, Action: "s3:PutObject", Resource: "arn:aws:s3:::lake/closed/*" }
  identityProviders:
    - { kind: oidc, name: roles, issuer: "${issuer}", clientIds: [minio-client-app], rolePolicies: [Lake, Again] }
    - { kind: oidc, name: claims, issuer: "${issuer}", clientIds: [claims-app], claimName: policy }
`;

let idp: TestIdentityProvider;
let sidecar: TestSidecar;
let config: string;

beforeAll(async () => {
  idp = await startIdentityProvider();
  const variables = { ROOT: rootKey.secretAccessKey, TOTP: totpSecret };
  const values: Readonly<Record<string, string>> = {
    ...variables,
    ALICE: alice.secretAccessKey,
    BOB: bob.secretAccessKey,
  };
  sidecar = await startSidecar({ directory: directory(idp.issuer, (name) => `{ env: ${name} }`), variables });
  config = file(
    'sessions.yaml',
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
${directory(idp.issuer, (name) => JSON.stringify(values[name]))}`,
  );
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
});

function keysOf(credentials: Credentials | undefined): SdkCredentials {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

async function ownSession(key: SdkCredentials, withCode = false): Promise<SdkCredentials> {
  const TokenCode = new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate();
  const code = withCode ? { SerialNumber: device, TokenCode } : {};
  return keysOf((await stsClient(sidecar.url, key).send(new GetSessionTokenCommand(code))).Credentials);
}

const federated = async (
  key: SdkCredentials,
  input: Partial<ConstructorParameters<typeof GetFederationTokenCommand>[0]> = {},
): Promise<SdkCredentials> => {
  const command = new GetFederationTokenCommand({ Name: 'guest', ...input });
  return keysOf((await stsClient(sidecar.url, key).send(command)).Credentials);
};

async function byToken(claims: object, Policy?: string): Promise<SdkCredentials> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: 'aud' in claims && claims.aud === 'claims-app' ? roleArn('elsewhere') : generated,
    RoleSessionName: 'test',
    WebIdentityToken: await idp.mint({ ...claims }),
    ...(Policy === undefined ? {} : { Policy }),
  });
  return keysOf((await client.send(command)).Credentials);
}

/** Whether the running sidecar lets a request through; what the store then says does not matter. */
async function isLetThrough(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'AccessDenied') return false;
    if (name === 'NoSuchBucket') return true;
    throw error;
  }
}

async function isAllowedOffline(...words: readonly string[]): Promise<boolean> {
  const at = ['--context', 'aws:SourceIp=127.0.0.1'];
  const { code, prose } = await execute('policy', 'simulate', '--config', config, ...at, ...words);
  if (code === 2) throw new Error(prose);
  return code === 0;
}

const places = [
  ...['proved/a', 'fresh/a', 'unproved/a', 'temporary/a', 'shared/a', 'direct/a', 'closed/a', 'provider/a'],
  ...['team/blue/a', 'team/red/a', 'name/alice/a', 'name/bob/a', 'subject/subject-1/a', 'subject/other/a'],
  ...['type/User/a', 'type/Account/a', 'type/FederatedUser/a', 'type/AssumedRole/a'],
];
const policy = (resource: string): string =>
  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::lake/${resource}"}}`;
const everything = file('everything.json', policy('*'));
const sharedOnly = file('shared.json', policy('shared/*'));
const ofAlice = ['--principal', guest, '--federated-by', user('alice')];
const subject = (): readonly string[] => ['--context', `${bareIssuer(idp.issuer)}:sub=subject-1`];
const shared = `arn:aws:iam::${account}:policy/Shared`;

interface Case {
  readonly words: () => readonly string[];
  readonly credentials: () => Promise<SdkCredentials>;
}

const cases: Readonly<Record<string, Case>> = {
  root: { words: () => ['--principal', root], credentials: async () => rootKey },
  'a session of root': {
    words: () => ['--principal', root, '--session-token'],
    credentials: () => ownSession(rootKey),
  },
  'a user': { words: () => ['--principal', user('alice')], credentials: async () => alice },
  'a session of a user': {
    words: () => ['--principal', user('alice'), '--session-token'],
    credentials: () => ownSession(alice),
  },
  'a session of a user with a second factor': {
    words: () => ['--principal', user('alice'), '--session-token', '--mfa-age', '1'],
    credentials: () => ownSession(alice, true),
  },
  'a session of a bounded user': {
    words: () => ['--principal', user('bob'), '--session-token'],
    credentials: () => ownSession(bob),
  },
  'a federated user without a session policy': {
    words: () => ofAlice,
    credentials: () => federated(alice),
  },
  'a federated user with all that the user has': {
    words: () => [...ofAlice, '--session-policy', everything],
    credentials: () => federated(alice, { Policy: policy('*') }),
  },
  'a federated user with a tag of its own': {
    words: () => [...ofAlice, '--session-policy', everything, '--tag', 'team=red'],
    credentials: () => federated(alice, { Policy: policy('*'), Tags: [{ Key: 'team', Value: 'red' }] }),
  },
  'a federated user of root with a managed session policy': {
    words: () => ['--principal', guest, '--federated-by', root, '--session-policy-arn', shared],
    credentials: () => federated(rootKey, { PolicyArns: [{ arn: shared }] }),
  },
  'a session of a provider’s role': {
    words: () => ['--principal', generated, ...subject()],
    credentials: () => byToken({ aud: 'minio-client-app' }),
  },
  'a claim-mode session': {
    words: () => [
      ...['--principal', `arn:aws:sts::${account}:assumed-role/claims/test`, ...subject()],
      ...['--policy-name', 'Shared', '--policy-name', 'Lake'],
    ],
    credentials: () => byToken({ aud: 'claims-app', policy: ['Shared', 'Lake', 'Gone'] }),
  },
  'a claim-mode session with a session policy': {
    words: () => [
      ...['--principal', 'arn:minio:iam:::role/claims/claims', ...subject()],
      ...['--policy-name', 'Shared', '--policy-name', 'Lake', '--session-policy', sharedOnly],
    ],
    credentials: () => byToken({ aud: 'claims-app', policy: 'Shared,Lake' }, policy('shared/*')),
  },
};

describe('policy simulate', () => {
  it.each(Object.keys(cases))('agrees with the running sidecar, for %s', async (name) => {
    const { words = () => [], credentials } = cases[name] ?? {};
    const s3 = s3Client(sidecar.url, (await credentials?.()) ?? alice);
    const live: Record<string, boolean> = {};
    const offline: Record<string, boolean> = {};
    for (const Key of places) {
      const at = { Bucket: 'lake', Key };
      const resource = ['--resource', `arn:aws:s3:::lake/${Key}`];
      live[`get ${Key}`] = await isLetThrough(s3.send(new GetObjectCommand(at)));
      live[`put ${Key}`] = await isLetThrough(s3.send(new PutObjectCommand({ ...at, Body: 'x' })));
      offline[`get ${Key}`] = await isAllowedOffline(...words(), '--action', 's3:GetObject', ...resource);
      offline[`put ${Key}`] = await isAllowedOffline(...words(), '--action', 's3:PutObject', ...resource);
    }
    expect(offline).toEqual(live);
    // Root may do everything except one thing, and every caller may do something.
    const isBoundedUser = name.includes('bounded');
    expect(new Set(Object.values(live)).size).toBe(isBoundedUser ? 1 : 2);
  });

  it.each([
    'a session of a user',
    'a session of a user with a second factor',
    'a session of a provider’s role',
  ])('says which roles may be assumed, for %s', async (name) => {
    const { words = () => [] } = cases[name] ?? {};
    // A code is good for one session, so the one with a second factor asks offline only.
    const isProved = name.includes('factor');
    const keys = isProved ? undefined : await cases[name]?.credentials();
    for (const role of ['proved', 'anybody']) {
      const input = { RoleArn: roleArn(role), RoleSessionName: 'next' };
      const expected =
        keys === undefined ||
        (await isLetThrough(stsClient(sidecar.url, keys).send(new AssumeRoleCommand(input))));
      const asked = ['--action', 'sts:AssumeRole', '--resource', roleArn(role)];
      expect([role, await isAllowedOffline(...words(), ...asked)]).toEqual([role, expected]);
      expect(expected).toBe(isProved || role === 'anybody');
    }
  });
});
