import { randomBytes } from 'node:crypto';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithSAMLCommand,
  GetFederationTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { type AssertionFacts, createSamlIdp } from '../support/saml-idp.ts';
import { assume, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { execute, file, removeFiles } from './command.ts';

afterAll(removeFiles);

const user = (name: string): string => `arn:aws:iam::${account}:user/${name}`;
const carol = { accessKeyId: 'AKIACAROLCAROLCAROL1', secretAccessKey: randomBytes(30).toString('base64') };
const device = `arn:aws:iam::${account}:mfa/alice`;
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

const trust = (actions: string, principal: string, condition = '{}'): string =>
  `{ Version: "2012-10-17", Statement: { Effect: Allow, Principal: ${principal}, Action: [${actions}], Condition: ${condition} } }`;
const byAccount = `{ AWS: "${account}" }`;
const byCompany = `{ Federated: "${samlProviderArn('company')}" }`;
const besides = '"sts:TagSession", "sts:SetSourceIdentity"';
const keysOnly = '{ "ForAllValues:StringEquals": { "aws:TagKeys": [team] } }';

const roles: Readonly<Record<string, string>> = {
  plain: trust('"sts:AssumeRole"', byAccount),
  tagged: trust(`"sts:AssumeRole", ${besides}`, byAccount, keysOnly),
  blue: trust(`"sts:AssumeRole", ${besides}`, byAccount, '{ StringEquals: { "aws:RequestTag/team": blue } }'),
  steady: trust(`"sts:AssumeRole", ${besides}`, byAccount, '{ "Null": { "sts:TransitiveTagKeys": "true" } }'),
  named: trust(`"sts:AssumeRole", ${besides}`, byAccount, '{ StringLike: { "sts:SourceIdentity": "ada*" } }'),
  proved: trust('"sts:AssumeRole"', byAccount, '{ NumericLessThan: { "aws:MultiFactorAuthAge": "60" } }'),
  direct: trust(`"sts:AssumeRole", ${besides}`, `{ AWS: "arn:aws:sts::${account}:assumed-role/plain/test" }`),
  'saml-plain': trust('"sts:AssumeRoleWithSAML"', byCompany),
  'saml-full': trust(`"sts:AssumeRoleWithSAML", ${besides}`, byCompany),
  'saml-ada': trust(
    '"sts:AssumeRoleWithSAML"',
    byCompany,
    `{ StringEquals: { "saml:sub": ada@example.com, "saml:doc": "${account}/company", "saml:aud": "https://signin.aws.amazon.com/saml" } }`,
  ),
  'saml-members': trust(
    '"sts:AssumeRoleWithSAML"',
    byCompany,
    '{ "ForAnyValue:StringEquals": { "saml:eduPersonAffiliation": member }, StringEquals: { "saml:sub_type": persistent } }',
  ),
  'saml-others': trust('"sts:AssumeRoleWithSAML"', `{ Federated: "${samlProviderArn('other')}" }`),
  'saml-everyone': trust('"sts:AssumeRoleWithSAML"', '"*"'),
};

const roleNames = Object.keys(roles);
const idp = createSamlIdp({ roles: roleNames.map((name) => samlRole(name)), now: () => systemClock.now() });

const directory = (secret: (name: string) => string): string => `
directory:
  policies:
    Sts: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:*", Resource: "*" } }
    Assume: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:AssumeRole", Resource: "*" } }
    Federate:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["sts:AssumeRole", "sts:GetFederationToken", "sts:SetSourceIdentity"], Resource: "*" }
        - { Effect: Allow, Action: "sts:TagSession", Resource: "*", Condition: ${keysOnly} }
        - { Effect: Deny, Action: "sts:*", Resource: "*", Condition: { StringNotEquals: { "aws:ResourceAccount": "${account}" } } }
  users:
    - name: alice
      policies: [Federate]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: ${secret('ALICE')} }]
      mfaDevices: [{ serialNumber: "${device}", totpSecret: ${secret('TOTP')} }]
    - { name: carol, policies: [Sts], permissionsBoundary: Assume, accessKeys: [{ accessKeyId: ${carol.accessKeyId}, secretAccessKey: ${secret('CAROL')} }] }
    - { name: bob, policies: [Assume], accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: ${secret('BOB')} }] }
  roles:${roleNames.map((name) => `\n    - { name: ${name}, policies: [Assume], trustPolicy: ${roles[name]} }`).join('')}
    - { name: source, policies: [Sts], trustPolicy: ${trust(`"sts:AssumeRole", ${besides}`, byAccount)} }
  identityProviders:
    - { kind: saml, name: company, metadataFile: company.xml }
    - { kind: saml, name: other, metadataFile: company-2.xml }
`;

const other = createSamlIdp({ entityId: 'https://other.example.com', roles: [], now: () => 0 });
let sidecar: TestSidecar;
let config: string;

beforeAll(async () => {
  const files = { 'company.xml': idp.metadata, 'company-2.xml': other.metadata };
  sidecar = await startSidecar({
    files,
    directory: directory((name) => `{ env: ${name} }`),
    variables: { TOTP: totpSecret, CAROL: carol.secretAccessKey },
  });
  for (const [name, content] of Object.entries(files)) file(name, content);
  config = file(
    'trust.yaml',
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
${directory((name) => (name === 'TOTP' ? totpSecret : 'a-literal-secret-of-a-user'))}`,
  );
});
afterAll(() => sidecar.stop());

async function isGranted(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AccessDenied') return false;
    throw error;
  }
}

async function isAllowedOffline(words: readonly string[], actions: readonly string[]): Promise<boolean> {
  const asked = actions.flatMap((action) => ['--action', `sts:${action}`]);
  const { code, prose } = await execute('policy', 'simulate', '--config', config, ...words, ...asked);
  if (code === 2) throw new Error(prose);
  return code === 0;
}

/** What a request asks for besides the role. */
interface Extras {
  readonly tags?: Readonly<Record<string, string>>;
  readonly transitive?: readonly string[];
  readonly sourceIdentity?: string;
}

const contextOf = ({ tags = {}, transitive = [], sourceIdentity }: Extras): string[] =>
  [
    ...Object.entries(tags).map(([key, value]) => `aws:RequestTag/${key}=${value}`),
    ...transitive.map((key) => `sts:TransitiveTagKeys=${key}`),
    ...(sourceIdentity === undefined ? [] : [`sts:SourceIdentity=${sourceIdentity}`]),
  ].flatMap((pair) => ['--context', pair]);

const actionsOf = (action: string, { tags, sourceIdentity }: Extras): string[] => [
  action,
  ...(tags === undefined ? [] : ['TagSession']),
  ...(sourceIdentity === undefined ? [] : ['SetSourceIdentity']),
];

const extras: readonly Extras[] = [
  {},
  { tags: { team: 'blue' } },
  { tags: { team: 'red', cost: '7' } },
  { tags: { team: 'blue' }, transitive: ['team'] },
  { sourceIdentity: 'ada' },
  { tags: { team: 'blue' }, sourceIdentity: 'bob' },
];

function inputOf({ tags = {}, transitive = [], sourceIdentity }: Extras): Partial<AssumeRoleCommandInput> {
  return {
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    TransitiveTagKeys: [...transitive],
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
  };
}

const session = (role: string): string => `arn:aws:sts::${account}:assumed-role/${role}/test`;

/** Every caller asks for tags and a source identity, though only some roles and some callers' policies allow them. */
const callers: Readonly<
  Record<string, { arn: string; credentials: () => Promise<SdkCredentials>; allowed?: number }>
> = {
  'a user': { arn: user('alice'), credentials: async () => alice },
  'a user without permission for tags': { arn: user('bob'), credentials: async () => bob },
  'a user whose boundary allows no tags': { arn: user('carol'), credentials: async () => carol },
  'a session that may do everything': {
    arn: session('source'),
    credentials: () => assume(sidecar.url, alice, 'source'),
    allowed: 10,
  },
  'a session that may only assume': {
    arn: session('plain'),
    credentials: () => assume(sidecar.url, alice, 'plain'),
  },
};

describe('policy simulate of AssumeRole', () => {
  it.each(Object.keys(callers))('agrees with the running sidecar, for %s', async (name) => {
    const { arn = '', credentials, allowed = 3 } = callers[name] ?? {};
    const sts = stsClient(sidecar.url, (await credentials?.()) ?? alice);
    const live: Record<string, boolean> = {};
    const offline: Record<string, boolean> = {};
    for (const role of ['plain', 'tagged', 'blue', 'steady', 'named', 'direct', 'source', 'proved']) {
      for (const asked of extras) {
        const about = `${role} ${JSON.stringify(asked)}`;
        const input = { RoleArn: roleArn(role), RoleSessionName: 'next', ...inputOf(asked) };
        const words = ['--principal', arn, '--resource', roleArn(role), ...contextOf(asked)];
        live[about] = await isGranted(sts.send(new AssumeRoleCommand(input)));
        offline[about] = await isAllowedOffline(words, actionsOf('AssumeRole', asked));
      }
    }
    expect(offline).toEqual(live);
    expect(Object.values(live).filter(Boolean).length).toBeGreaterThan(allowed);
  });

  it.each(['named', 'plain', 'source', 'blue'])(
    'passes the source identity of the calling session on to the next, for the role %s',
    async (role) => {
      const keys = await assume(sidecar.url, alice, 'source', { SourceIdentity: 'ada' });
      const input = { RoleArn: roleArn(role), RoleSessionName: 'next' };
      const live = await isGranted(stsClient(sidecar.url, keys).send(new AssumeRoleCommand(input)));
      const words = ['--principal', session('source'), '--resource', roleArn(role)];
      const own = ['--context', 'aws:SourceIdentity=ada'];
      expect(await isAllowedOffline([...words, ...own], ['AssumeRole', 'SetSourceIdentity'])).toBe(live);
      expect(live).toBe(role === 'named' || role === 'source');
    },
  );

  it('treats a second factor in the context as a code in this request', async () => {
    const TokenCode = new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate();
    const input = { RoleArn: roleArn('proved'), RoleSessionName: 'next', SerialNumber: device, TokenCode };
    const words = ['--principal', user('alice'), '--resource', roleArn('proved')];
    const proved = ['--context', 'aws:MultiFactorAuthPresent=true'];
    expect(await isGranted(stsClient(sidecar.url, alice).send(new AssumeRoleCommand(input)))).toBe(true);
    expect(await isAllowedOffline([...words, ...proved], ['AssumeRole'])).toBe(true);
    expect(await isAllowedOffline(words, ['AssumeRole'])).toBe(false);
    const own = [...words, '--session-token', '--mfa-age'];
    expect(await isAllowedOffline([...own, '59'], ['AssumeRole'])).toBe(true);
    expect(await isAllowedOffline([...own, '60'], ['AssumeRole'])).toBe(false);
  });
});

describe('policy simulate of GetFederationToken', () => {
  it.each([
    ['alice', alice],
    ['bob', bob],
  ])('agrees with the running sidecar, for %s', async (name, key) => {
    for (const asked of [{}, { tags: { team: 'blue' } }, { tags: { team: 'blue', cost: '7' } }]) {
      const input = { Name: 'guest', Tags: inputOf(asked).Tags };
      const resource = `arn:aws:sts::${account}:federated-user/guest`;
      const words = ['--principal', user(name), '--resource', resource, ...contextOf(asked)];
      const live = await isGranted(stsClient(sidecar.url, key).send(new GetFederationTokenCommand(input)));
      expect(await isAllowedOffline(words, actionsOf('GetFederationToken', asked))).toBe(live);
      expect(live).toBe(name === 'alice' && !('cost' in (asked.tags ?? {})));
    }
  });
});

describe('policy simulate of AssumeRoleWithSAML', () => {
  const people: readonly { facts: Partial<AssertionFacts>; context: readonly string[]; asked: Extras }[] = [
    { facts: {}, context: [], asked: {} },
    {
      facts: { nameId: 'bob@example.com' },
      context: ['saml:sub=bob@example.com'],
      asked: {},
    },
    {
      facts: {
        format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
        attributes: { 'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': ['staff', 'member'] },
      },
      context: [
        'saml:sub_type=transient',
        'saml:eduPersonAffiliation=staff',
        'saml:eduPersonAffiliation=member',
      ],
      asked: {},
    },
    {
      facts: { attributes: { 'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': ['member'] } },
      context: ['saml:eduPersonAffiliation=member'],
      asked: {},
    },
    {
      facts: { attributes: { 'PrincipalTag:team': ['blue'], SourceIdentity: ['ada'] } },
      context: [],
      asked: { tags: { team: 'blue' }, sourceIdentity: 'ada' },
    },
  ];

  it.each(roleNames.filter((name) => name !== 'proved'))(
    'agrees with the running sidecar, for the role %s',
    async (role) => {
      const sts = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
      for (const { facts, context, asked } of people) {
        const input = {
          RoleArn: roleArn(role),
          PrincipalArn: samlProviderArn('company'),
          SAMLAssertion: idp.respond(facts),
        };
        const usual = ['saml:sub=ada@example.com', 'saml:sub_type=persistent'].filter(
          (pair) => !context.some((one) => one.startsWith(pair.slice(0, pair.indexOf('=') + 1))),
        );
        const given = [...usual, ...context].flatMap((pair) => ['--context', pair]);
        const words = ['--saml-provider', 'company', '--resource', roleArn(role), ...given];
        const live = await isGranted(sts.send(new AssumeRoleWithSAMLCommand(input)));
        const actions = actionsOf('AssumeRoleWithSAML', asked);
        const offline = await isAllowedOffline([...words, ...contextOf(asked)], actions);
        expect([JSON.stringify(facts), offline]).toEqual([JSON.stringify(facts), live]);
      }
    },
  );
});
