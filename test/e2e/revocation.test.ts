import { randomBytes } from 'node:crypto';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ControlClient, controlClient } from '../support/control-client.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
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

const clock = new TestClock();
const controlToken = randomBytes(24).toString('base64url');
const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: randomBytes(30).toString('base64') };
const saml = createSamlIdp({ roles: [samlRole('people')], now: () => clock.now() });
const generatedArn = 'arn:minio:iam:us-east-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0';
let idp: TestIdentityProvider;

const trust = (principal: string, action: string): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: "${action}" }] }`;
const own = trust(`{ AWS: "arn:aws:iam::${account}:root" }`, 'sts:AssumeRole');
const directory = (issuer: string): string => `
directory:
  root: { accessKeys: [{ accessKeyId: ${rootKey.accessKeyId}, secretAccessKey: { env: ROOT } }] }
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - { name: alice, policies: [All], accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
    - { name: bob, path: /staff/, policies: [All], accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  roles:
    - { name: data, policies: [All], trustPolicy: ${own} }
    - { name: reader, path: /teams/, policies: [All], trustPolicy: ${own} }
    - { name: pod, policies: [All], trustPolicy: ${trust(`{ Federated: "${providerArn(issuer)}" }`, 'sts:AssumeRoleWithWebIdentity')} }
    - { name: people, policies: [All], trustPolicy: ${trust(`{ Federated: "${samlProviderArn('company')}" }`, 'sts:AssumeRoleWithSAML')} }
  identityProviders:
    - { kind: oidc, name: login, issuer: "${issuer}", clientIds: [sts-sidecar] }
    - { kind: oidc, name: generated, issuer: "${issuer}", clientIds: [minio-client-app], rolePolicies: [All] }
    - { kind: saml, name: company, metadataFile: company.xml }
`;

async function start(
  further = `control: { listen: "127.0.0.1:0", token: { env: CONTROL } }`,
): Promise<TestSidecar> {
  return startSidecar({
    clock,
    directory: directory(idp.issuer),
    files: { 'company.xml': saml.metadata },
    variables: { CONTROL: controlToken, ROOT: rootKey.secretAccessKey },
    tokenKey,
    further,
  });
}
const tokenKey = randomBytes(32).toString('base64');

type Holder = Required<SdkCredentials>;
const holder = ({ Credentials }: { Credentials?: Credentials | undefined }): Holder => ({
  accessKeyId: Credentials?.AccessKeyId ?? '',
  secretAccessKey: Credentials?.SecretAccessKey ?? '',
  sessionToken: Credentials?.SessionToken ?? '',
});

/** Sessions of every kind, by what tells them apart. */
async function sessionsAt(url: string) {
  const plain = new STSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });
  const byToken = async (RoleArn: string, aud: string): Promise<Holder> =>
    holder(
      await plain.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn,
          RoleSessionName: 'web',
          WebIdentityToken: await idp.mint({ aud }),
        }),
      ),
    );
  return {
    data: await assume(url, alice, 'data', { RoleSessionName: 'one' }, clock),
    dataTwo: await assume(url, bob, 'data', { RoleSessionName: 'two' }, clock),
    reader: await assume(url, alice, 'teams/reader', { RoleSessionName: 'one' }, clock),
    alice: holder(await stsClient(url, alice, clock).send(new GetSessionTokenCommand({}))),
    bob: holder(await stsClient(url, bob, clock).send(new GetSessionTokenCommand({}))),
    root: holder(await stsClient(url, rootKey, clock).send(new GetSessionTokenCommand({}))),
    guest: holder(
      await stsClient(url, alice, clock).send(
        new GetFederationTokenCommand({
          Name: 'guest',
          PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/All` }],
        }),
      ),
    ),
    pod: await byToken(roleArn('pod'), 'sts-sidecar'),
    generated: await byToken(generatedArn, 'minio-client-app'),
    people: holder(
      await plain.send(
        new AssumeRoleWithSAMLCommand({
          RoleArn: roleArn('people'),
          PrincipalArn: samlProviderArn('company'),
          SAMLAssertion: saml.respond(),
        }),
      ),
    ),
  };
}
type Name = keyof Awaited<ReturnType<typeof sessionsAt>>;

const identity = (url: string, keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(url, keys, clock).send(new GetCallerIdentityCommand({})));
const buckets = (url: string, keys: SdkCredentials): Promise<string> =>
  outcome(s3Client(url, keys, { clock }).send(new ListBucketsCommand({})));

/** The names of the callers who are told that their session is over. */
async function ended(url: string, sessions: Readonly<Record<Name, Holder>>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, keys] of Object.entries(sessions)) {
    const said = [await identity(url, keys), await buckets(url, keys)];
    expect([
      ['allowed', 'allowed'],
      ['ExpiredTokenException 403', 'ExpiredToken 400'],
      ['ExpiredToken 403', 'ExpiredToken 400'],
    ]).toContainEqual(said);
    if (said[0] !== 'allowed') names.push(name);
  }
  return names;
}

const everyone: Name[] = [
  'data',
  'dataTwo',
  'reader',
  'alice',
  'bob',
  'root',
  'guest',
  'pod',
  'generated',
  'people',
];
/** The sessions that each revocation ends. */
const cases: readonly [
  Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>),
  Name[],
][] = [
  [{ role: 'data' }, ['data', 'dataTwo']],
  [{ role: 'DATA' }, ['data', 'dataTwo']],
  [{ role: roleArn('data') }, ['data', 'dataTwo']],
  [{ role: 'arn:aws:iam:::role/teams/reader' }, ['reader']],
  [{ role: 'reader' }, ['reader']],
  [{ role: generatedArn }, ['generated']],
  [{ role: 'nOybJqMNzNmroqEKq5D0EUsRZw0' }, ['generated']],
  [{ roleSession: 'data/two' }, ['dataTwo']],
  [{ roleSession: 'data/Two' }, []],
  [{ roleSession: 'reader/one' }, ['reader']],
  [{ roleSession: `${roleArn('teams/reader')}/one` }, ['reader']],
  [{ user: 'alice' }, ['alice', 'guest']],
  [{ user: 'bob' }, ['bob']],
  [{ user: `arn:aws:iam::${account}:user/staff/bob` }, ['bob']],
  [{ user: `arn:aws:iam::${account}:root` }, ['root']],
  [() => ({ issuer: idp.issuer }), ['pod', 'generated']],
  [{ issuer: 'login' }, ['pod', 'generated']],
  [() => ({ issuer: providerArn(idp.issuer) }), ['pod', 'generated']],
  [{ issuer: 'company' }, ['people']],
  [{ issuer: saml.entityId }, ['people']],
  [{ issuer: 'https://gone.example.com' }, []],
  [{ sessionId: 'unknown' }, []],
  [{ issuedBefore: '2099-01-01T00:00:00Z' }, everyone],
  [{ issuedBefore: '2020-01-01T00:00:00Z' }, []],
  [{ role: 'data', issuedBefore: '2020-01-01T00:00:00Z' }, []],
];

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
});
afterAll(() => idp.stop());

describe('a revocation at run time', () => {
  let sidecar: TestSidecar;
  let control: ControlClient;
  let sessions: Awaited<ReturnType<typeof sessionsAt>>;
  beforeAll(async () => {
    sidecar = await start();
    control = controlClient(sidecar.controlUrl, controlToken);
    sessions = await sessionsAt(sidecar.url);
  });
  afterAll(() => sidecar.stop());
  beforeEach(() => clock.advance(2000));

  it.each(cases)('%j ends the sessions it names and no others, until it is deleted', async (what, names) => {
    const revocation = typeof what === 'function' ? what() : what;
    const added = await control.add(revocation);
    expect(added.status).toBe(201);
    expect(await ended(sidecar.url, sessions)).toEqual(names);
    expect((await control.remove(added.body['id'])).status).toBe(200);
    expect(await ended(sidecar.url, sessions)).toEqual([]);
  });

  it('leaves long-term keys and new sessions alone', async () => {
    const added = await control.add({ issuedBefore: new Date(clock.now()).toISOString() });
    expect([await identity(sidecar.url, alice), await identity(sidecar.url, rootKey)]).toEqual([
      'allowed',
      'allowed',
    ]);
    clock.advance(1000);
    expect(await identity(sidecar.url, await assume(sidecar.url, alice, 'data', {}, clock))).toBe('allowed');
    expect(await identity(sidecar.url, sessions.data)).toMatch(/^ExpiredToken/);
    await control.remove(added.body['id']);
  });

  it('covers the sessions that exist now when it names no time', async () => {
    const sameSecond = await assume(sidecar.url, alice, 'data', {}, clock);
    const added = await control.add({ role: 'data' });
    expect(added.body['issuedBefore']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(Date.parse(added.body['issuedBefore'] ?? '') - clock.now()).toBeLessThanOrEqual(1000);
    expect(await identity(sidecar.url, sameSecond)).toMatch(/^ExpiredToken/);
    clock.advance(1000);
    expect(await identity(sidecar.url, await assume(sidecar.url, alice, 'data', {}, clock))).toBe('allowed');
    await control.remove(added.body['id']);
  });

  it('ends a session by the id that the log names', async () => {
    const keys = await assume(sidecar.url, alice, 'data', {}, clock);
    const line = sidecar.logged
      .map((text) => JSON.parse(text))
      .findLast((one) => one.issued_session_id !== undefined);
    const added = await control.add({ sessionId: line.issued_session_id });
    expect(await identity(sidecar.url, keys)).toMatch(/^ExpiredToken/);
    expect(await ended(sidecar.url, sessions)).toEqual([]);
    await control.remove(added.body['id']);
  });

  it('keeps a revoked session from assuming another role', async () => {
    const added = await control.add({ role: 'data' });
    expect(await outcome(assume(sidecar.url, sessions.data, 'teams/reader', {}, clock))).toMatch(
      /^ExpiredToken/,
    );
    await control.remove(added.body['id']);
  });

  it('is shown only to callers with a valid signature', async () => {
    const added = await control.add({ role: 'data' });
    const forged = { ...sessions.data, secretAccessKey: 'x'.repeat(40) };
    expect(await identity(sidecar.url, forged)).toBe('SignatureDoesNotMatch 403');
    expect(await buckets(sidecar.url, forged)).toBe('SignatureDoesNotMatch 403');
    await control.remove(added.body['id']);
  });

  it('is counted as such', async () => {
    const added = await control.add({ role: 'data' });
    await identity(sidecar.url, sessions.data);
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/sts_sidecar_authn_failures_total\{reason="revoked"\} [1-9]/);
    await control.remove(added.body['id']);
  });

  it('holds on this replica only, and says so', async () => {
    const added = await control.add({ role: 'data' });
    expect(added.body).toEqual({
      id: expect.stringMatching(/^[\w-]{16}$/),
      role: 'data',
      issuedBefore: expect.any(String),
      addedAt: new Date(Date.parse(added.body['addedAt'] ?? '')).toISOString(),
      scope: 'this replica',
      note: 'without state.redis it holds on this replica only, and ends with its process',
    });
    const other = await start();
    expect(await identity(other.url, sessions.data)).toBe('allowed');
    await other.stop();
    expect((await control.remove(added.body['id'])).body).toMatchObject({ scope: 'this replica' });
  });

  it('is listed, oldest first', async () => {
    const first = await control.add({ role: 'data' });
    clock.advance(1000);
    const second = await control.add({ user: 'alice', issuedBefore: '2026-01-01T00:00:00Z' });
    const { scope: _, note: __, ...shownFirst } = first.body;
    expect((await control.list()).body).toEqual({
      revocations: [
        { source: 'run-time', ...shownFirst },
        {
          source: 'run-time',
          id: second.body['id'],
          user: 'alice',
          issuedBefore: '2026-01-01T00:00:00.000Z',
          addedAt: expect.any(String),
        },
      ],
    });
    for (const { body } of [first, second]) await control.remove(body['id']);
    expect((await control.list()).body).toEqual({ revocations: [] });
  });
});

describe('a revocation of the configuration', () => {
  let sessions: Awaited<ReturnType<typeof sessionsAt>>;
  beforeAll(async () => {
    const before = await start();
    sessions = await sessionsAt(before.url);
    await before.stop();
  });

  it.each(cases)('%j ends the sessions it names and no others', async (what, names) => {
    const after = await start(`revocations: [${JSON.stringify(typeof what === 'function' ? what() : what)}]`);
    expect(await ended(after.url, sessions)).toEqual(names);
    await after.stop();
  });

  it('covers new sessions too when it names no time, and cannot be deleted at run time', async () => {
    const sidecar = await start(
      'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }\nrevocations: [{ role: data }]',
    );
    const control = controlClient(sidecar.controlUrl, controlToken);
    clock.advance(5000);
    const keys = await assume(sidecar.url, alice, 'data', {}, clock);
    expect(await identity(sidecar.url, keys)).toMatch(/^ExpiredToken/);
    expect((await control.list()).body).toEqual({ revocations: [{ source: 'configuration', role: 'data' }] });
    expect((await control.remove('configuration')).status).toBe(404);
    await sidecar.stop();
  });
});
