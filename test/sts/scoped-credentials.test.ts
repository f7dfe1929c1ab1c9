import { beforeAll, describe, expect, it } from 'vitest';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sealSession } from '../../src/tokens/seal.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';
import { testNowMs } from '../support/raw-requests.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  accountId,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  identityForm,
  keyOf,
  type Outcome,
  policyArn,
  roleArn,
  type SendOptions,
  serve,
  sessionArn,
  trust,
  version,
} from './support/sts-fixture.ts';

const account = `arn:aws:iam::${accountId}:root`;
const may = (...actions: string[]): object => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const denyScoping = (Resource: string): object =>
  document(
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'sts:GetScopedCredentials', Resource },
  );
const trustWith = (...Action: string[]): object =>
  document({ Effect: 'Allow', Principal: { AWS: account }, Action });
const world = buildWorld({
  hasRoot: true,
  policies: {
    Everything: may('*'),
    NoScoping: denyScoping('*'),
    S3Only: may('s3:*'),
  },
  users: {
    alice: {
      inline: [
        assumePolicy('*'),
        may('sts:GetFederationToken', 'sts:TagSession', 'sts:SetSourceIdentity', 's3:*'),
      ],
      mfa: {},
    },
    denied: { inline: [may('*'), denyScoping('*')] },
  },
  roles: {
    worker: {
      trust: trustWith('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'),
      attached: ['Everything'],
      maxSessionDurationSeconds: 43_200,
    },
    silent: { trust: trust(account) },
    denied: { trust: trust(account), attached: ['NoScoping'] },
    'denied-by-arn': {
      trust: trust(account),
      inline: [denyScoping(`arn:aws:sts::${accountId}:assumed-role/denied-by-arn/*`)],
    },
    bounded: { trust: trust(account), attached: ['Everything'], boundary: 'NoScoping' },
    'by-session': { trust: trust(sessionArn('worker', 'tester')), attached: ['Everything'] },
    'by-role': { trust: trust(roleArn('worker')), attached: ['Everything'] },
    open: { trust: trust(account), attached: ['Everything'] },
  },
});
const dependencies = dependenciesOf(world);

type Form = Readonly<Record<string, string>>;
async function call(
  action: string,
  form: Form,
  as: TestCredentials,
  { to = dependencies, ...options }: SendOptions & { readonly to?: typeof dependencies } = {},
): Promise<Outcome> {
  return serve(await arrive({ Action: action, Version: version, ...form }, as, options), to);
}
const scope = (form: Form, as: TestCredentials, options = {}): Promise<Outcome> =>
  call('GetScopedCredentials', form, as, options);
const assume = async (role: string, form: Form = {}, as = keyOf('alice')): Promise<Outcome> =>
  serve(await arrive(assumeRoleForm(role, form), as), dependencies);
const sessionOf = async (role: string, form: Form = {}): Promise<TestCredentials> =>
  credentialsIn(await assume(role, form));
function claimsIn({ sessionToken = '' }: TestCredentials): SessionClaims {
  const opened = new SessionOpener(dependencies.keyRing).open(sessionToken);
  if (opened === undefined) throw new Error('the token does not open');
  return opened.claims;
}
const policyText = (policy: object): string => JSON.stringify(policy);
const reading = policyText(may('s3:Get*'));
const all = policyText(may('*'));

describe('GetScopedCredentials', () => {
  let worker: TestCredentials;
  beforeAll(async () => {
    worker = await sessionOf('worker');
  });

  it('gives the calling session anew, with a key of its own', async () => {
    const outcome = await scope({ Policy: reading }, worker);
    const { body } = outcome.response;
    expect(outcome.code).toBe('');
    expect(elementText(body, 'Arn')).toBe(sessionArn('worker', 'tester'));
    expect(elementText(body, 'ScopedSessionId')).toBe('AROAWORKER:tester');
    expect(elementText(body, 'ScopedPoliciesCount')).toBe('1');
    expect(body).not.toContain('SourceIdentity');
    const scoped = credentialsIn(outcome);
    expect(scoped.accessKeyId).not.toBe(worker.accessKeyId);
    const whoIs = (as: TestCredentials): Promise<string> =>
      arrive(identityForm, as)
        .then((arrival) => serve(arrival, dependencies))
        .then(({ response }) => response.body.replace(/<RequestId>.*<\/RequestId>/, ''));
    expect(await whoIs(scoped)).toBe(await whoIs(worker));
    expect(outcome.facts).toMatchObject({ issuedCredentials: true, sessionId: claimsIn(worker).sessionId });
  });

  it('keeps everything that says who the session is, and what limits it already', async () => {
    const parent = await sessionOf('worker', {
      Policy: all,
      'PolicyArns.member.1.arn': policyArn('S3Only'),
      SourceIdentity: 'ann',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'blue',
      'TransitiveTagKeys.member.1': 'team',
    });
    const outcome = await scope({ Policy: reading, DurationSeconds: '60' }, parent);
    expect(elementText(outcome.response.body, 'SourceIdentity')).toBe('ann');
    const { sessionId, accessKeyId, seed, expiresAt, scopeDown, ancestors, ...kept } = claimsIn(
      credentialsIn(outcome),
    );
    const before = claimsIn(parent);
    expect({ ...before, ...kept }).toEqual(before);
    expect(kept).toMatchObject({ issuedAt: before.issuedAt, policy: all, policyArns: [policyArn('S3Only')] });
    expect(
      [sessionId, accessKeyId, seed].every(
        (one, at) => one !== [before.sessionId, before.accessKeyId, before.seed][at],
      ),
    ).toBe(true);
    expect(expiresAt).toBe(testNowMs / 1000 + 60);
    expect(scopeDown).toEqual([reading]);
    expect(ancestors?.map((one) => one.sessionId)).toEqual([before.sessionId]);
  });

  it('keeps the expiry when no duration is asked for, also of a session that has aged', async () => {
    const arrivesAtMs = testNowMs + 1_234_567;
    const later = { signedAtMs: arrivesAtMs, arrivesAtMs };
    const to = dependenciesOf(world, { clock: { now: () => arrivesAtMs } });
    const aged = credentialsIn(await scope({ Policy: reading }, worker, { ...later, to }));
    expect(claimsIn(aged).expiresAt).toBe(claimsIn(worker).expiresAt);
    const left = Math.floor(3600 - 1_234.567) + 1;
    const whole = await scope({ DurationSeconds: `${left}` }, worker, { ...later, to });
    expect(claimsIn(credentialsIn(whole)).expiresAt).toBe(claimsIn(worker).expiresAt);
    expect((await scope({ DurationSeconds: `${left + 1}` }, worker, { ...later, to })).code).toBe(
      'InsufficientSessionLifetime',
    );
  });

  it('counts three scope-down policies and refuses a fourth, but shortens without end', async () => {
    let session = worker;
    for (const count of ['1', '2', '3']) {
      const outcome = await scope({ Policy: reading }, session);
      expect(elementText(outcome.response.body, 'ScopedPoliciesCount')).toBe(count);
      session = credentialsIn(outcome);
    }
    const fourth = await scope({ Policy: reading }, session);
    expect([fourth.code, fourth.response.status]).toEqual(['AccessDenied', 403]);
    expect(fourth.message).toContain('already has 3 scope-down policies');
    for (const DurationSeconds of ['600', '300', '1']) {
      const outcome = await scope({ DurationSeconds }, session);
      expect(elementText(outcome.response.body, 'ScopedPoliciesCount')).toBe('3');
      session = credentialsIn(outcome);
    }
    expect(claimsIn(session).scopeDown).toEqual([reading, reading, reading]);
    expect(claimsIn(session).expiresAt).toBe(testNowMs / 1000 + 1);
  });

  it('is for every kind of temporary credentials', async () => {
    const federated = await call('GetFederationToken', { Name: 'guest', Policy: all }, keyOf('alice'));
    const own = await call('GetSessionToken', {}, keyOf('alice'));
    const root = await call('GetSessionToken', {}, keyOf('root'));
    for (const outcome of [federated, own, root]) {
      const session = credentialsIn(outcome);
      const scoped = await scope({ Policy: reading }, session);
      expect(scoped.code).toBe('');
      expect(claimsIn(credentialsIn(scoped)).principal).toEqual(claimsIn(session).principal);
    }
  });

  it.each(['alice', 'root'])('is not for long-term keys: %s', async (name) => {
    const outcome = await scope({ Policy: reading }, keyOf(name));
    expect([outcome.code, outcome.response.status]).toEqual(['AccessDenied', 403]);
    expect(outcome.message).toContain('call GetSessionToken first');
  });

  it('needs no permission', async () => {
    expect((await scope({ Policy: reading }, await sessionOf('silent'))).code).toBe('');
    const narrow = await sessionOf('worker', { Policy: policyText(may('s3:GetObject')) });
    expect((await scope({ Policy: reading }, narrow)).code).toBe('');
  });

  it.each(['denied', 'denied-by-arn', 'bounded'])('is refused by an explicit Deny: role %s', async (role) => {
    const outcome = await scope({ Policy: reading }, await sessionOf(role));
    expect([outcome.code, outcome.response.status]).toEqual(['AccessDenied', 403]);
    expect(outcome.message).toMatch(
      /not authorized to perform: sts:GetScopedCredentials .* explicit deny in a/,
    );
    expect(outcome.sealed).not.toBe('');
    expect(outcome.facts.decision).toMatchObject({ decision: 'deny' });
  });

  it('is refused by a Deny of a session policy, of a user behind a federated user, and of a scope-down policy', async () => {
    const refusing = policyText(denyScoping('*'));
    const bySession = await scope({ Policy: all }, await sessionOf('worker', { Policy: refusing }));
    expect(bySession.message).toContain('with an explicit deny in a session policy');
    const guest = await call('GetFederationToken', { Name: 'guest', Policy: all }, keyOf('denied'));
    expect((await scope({ Policy: all }, credentialsIn(guest))).message).toContain('identity-based policy');
    const closed = credentialsIn(await scope({ Policy: refusing }, worker));
    const again = await scope({ DurationSeconds: '60' }, closed);
    expect(again.message).toContain('with an explicit deny in a scope-down policy (layer 1)');
  });

  it.each<[what: string, form: Form, code: string, said: string]>([
    ['nothing to narrow', {}, 'ValidationError', 'At least one of Policy and DurationSeconds'],
    ['a description alone', { ScopedSessionDescription: 'job' }, 'ValidationError', 'At least one'],
    [
      'a longer life',
      { DurationSeconds: '3601' },
      'InsufficientSessionLifetime',
      '3600 seconds that are left',
    ],
    ['no life', { DurationSeconds: '0' }, 'ValidationError', 'greater than or equal to 1'],
    ['more than 36 hours', { DurationSeconds: '129601' }, 'ValidationError', 'less than or equal to 129600'],
    [
      'a policy that is no JSON',
      { Policy: 'x' },
      'MalformedPolicyDocument',
      'scope-down policy is malformed',
    ],
    ['a policy of another grammar', { Policy: '{"Statement":{}}' }, 'MalformedPolicyDocument', 'Effect'],
    [
      'a policy with a Principal',
      { Policy: '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}' },
      'MalformedPolicyDocument',
      'Principal',
    ],
    ['an empty policy', { Policy: '' }, 'ValidationError', 'greater than or equal to 1'],
    ['a policy of 2,049 characters', { Policy: all.padEnd(2049) }, 'ValidationError', 'equal to 2048'],
    ['a policy beyond U+00FF', { Policy: `${all}\u0100` }, 'ValidationError', 'regular expression'],
    [
      'a description of 257 characters',
      { Policy: all, ScopedSessionDescription: 'x'.repeat(257) },
      'ValidationError',
      "at 'scopedSessionDescription' failed to satisfy constraint: Member must have length less than or equal to 256",
    ],
    [
      'a description of one character',
      { Policy: all, ScopedSessionDescription: 'x' },
      'ValidationError',
      'equal to 2',
    ],
    [
      'a description with U+00A0',
      { Policy: all, ScopedSessionDescription: 'a\u00a0b' },
      'ValidationError',
      'pattern',
    ],
    [
      'a token size over 4,096',
      { Policy: all, MinimumSessionTokenSize: '4097' },
      'ValidationError',
      'equal to 4096',
    ],
    [
      'a negative token size',
      { Policy: all, MinimumSessionTokenSize: '-1' },
      'ValidationError',
      'equal to 0',
    ],
    [
      'managed policies',
      { 'PolicyArns.member.1.arn': policyArn('S3Only') },
      'InvalidParameterCombination',
      'PolicyArns',
    ],
  ])('refuses %s', async (_, form, code, said) => {
    const outcome = await scope(form, worker);
    expect([outcome.code, outcome.response.status]).toEqual([code, code === 'AccessDenied' ? 403 : 400]);
    expect(outcome.message).toContain(said);
    expect(outcome.facts.issuedCredentials).toBeUndefined();
  });

  it('takes a policy and a description of the largest size, and records the description', async () => {
    const ScopedSessionDescription = 'é'.repeat(256);
    const outcome = await scope({ Policy: all.padEnd(2048), ScopedSessionDescription }, worker);
    expect(outcome.code).toBe('');
    expect(outcome.facts.scopedSessionDescription).toBe(ScopedSessionDescription);
    expect(outcome.response.body).not.toContain('é');
  });

  it('refuses a session that has lost a session policy', async () => {
    const session = await sessionOf('worker', { 'PolicyArns.member.1.arn': policyArn('S3Only') });
    const without = { ...world, managedPolicy: () => undefined };
    const to = dependenciesOf(without as unknown as typeof world);
    const outcome = await scope({ Policy: reading }, session, { to });
    expect([outcome.code, outcome.response.status]).toEqual(['InvalidSubjectCredentials', 400]);
  });

  it('refuses a session that has expired, and the token of one session with the key of another', async () => {
    const scoped = credentialsIn(await scope({ DurationSeconds: '60' }, worker));
    const at = (ms: number) => ({ signedAtMs: ms, arrivesAtMs: ms });
    expect((await scope({ Policy: reading }, scoped, at(testNowMs + 59_999))).code).toBe('');
    expect((await scope({ Policy: reading }, scoped, at(testNowMs + 60_000))).code).toBe('ExpiredToken');
    for (const [keys, token] of [
      [scoped, worker],
      [worker, scoped],
    ] as const) {
      const mixed = { ...keys, sessionToken: token.sessionToken ?? '' };
      const outcome = await scope({ Policy: reading }, mixed);
      expect([outcome.code, outcome.response.status]).toEqual(['InvalidClientTokenId', 403]);
      const secretOfOther = { ...token, secretAccessKey: keys.secretAccessKey };
      expect((await scope({ Policy: reading }, secretOfOther)).code).toBe('SignatureDoesNotMatch');
    }
  });

  it('refuses what does not fit a token, and names the sizes', async () => {
    const dense = (): string => {
      const letters = Array.from({ length: 1_900 }, () =>
        String.fromCharCode(0xa1 + Math.floor(Math.random() * 94)),
      );
      return policyText(
        document({ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::${letters.join('')}` }),
      );
    };
    let outcome = await scope({ Policy: dense() }, worker);
    for (let layer = 2; layer <= 3 && outcome.code === ''; layer += 1) {
      outcome = await scope({ Policy: dense() }, credentialsIn(outcome));
    }
    expect([outcome.code, outcome.response.status]).toEqual(['PackedPolicyTooLarge', 400]);
    expect(outcome.message).toMatch(
      /takes \d+ characters, \d+ more than the 8192 allowed; its scope-down policies have \d+, \d+/,
    );
  });

  it('refuses a chain of more than a hundred sessions', async () => {
    const claims = claimsIn(worker);
    const ancestor = { sessionId: 'x'.repeat(22), issuedAt: claims.issuedAt, principal: claims.principal };
    const long = { ...claims, ancestors: Array.from({ length: 100 }, () => ancestor) } as SessionClaims;
    const session = { ...worker, sessionToken: sealSession(long, dependencies.keyRing) };
    for (const outcome of [
      await scope({ DurationSeconds: '60' }, session),
      await serve(await arrive(assumeRoleForm('open'), session), dependencies),
    ]) {
      expect([outcome.code, outcome.message]).toEqual([
        'PackedPolicyTooLarge',
        'The session would descend from 101 others; 100 are allowed.',
      ]);
    }
  });
});

describe('what a scoped session may call', () => {
  const scopedTo = async (policy: object, role = 'worker'): Promise<TestCredentials> =>
    credentialsIn(await scope({ Policy: policyText(policy) }, await sessionOf(role)));

  it('assumes a role only where each scope-down policy allows it', async () => {
    const onlyS3 = await scopedTo(may('s3:*'));
    for (const role of ['open', 'by-role', 'by-session']) {
      expect((await assume(role, {}, await sessionOf('worker'))).code).toBe('');
      const outcome = await assume(role, {}, onlyS3);
      expect(outcome.code).toBe('AccessDenied');
      expect(outcome.message).toContain(
        'because no scope-down policy allows the sts:AssumeRole action (layer 1)',
      );
    }
    const onlyOpen = await scopedTo(assumePolicy(roleArn('open')));
    expect((await assume('open', {}, onlyOpen)).code).toBe('');
    expect((await assume('by-session', {}, onlyOpen)).code).toBe('AccessDenied');
    const both = credentialsIn(await scope({ Policy: policyText(may('s3:*')) }, onlyOpen));
    expect((await assume('open', {}, both)).message).toContain('(layer 2)');
  });

  it('may not be allowed by its own policies what a Deny of a layer refuses', async () => {
    const refusing = document(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: roleArn('by-session') },
    );
    const outcome = await assume('by-session', {}, await scopedTo(refusing));
    expect(outcome.message).toContain('with an explicit deny in a scope-down policy (layer 1)');
  });

  it('sets a source identity and tags only where each layer allows it', async () => {
    const onlyAssume = await scopedTo(assumePolicy('*'));
    expect((await assume('worker', { SourceIdentity: 'ann' }, onlyAssume)).code).toBe('AccessDenied');
    const tag = { 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'b' };
    expect((await assume('worker', tag, onlyAssume)).code).toBe('AccessDenied');
    expect((await assume('worker', tag, await scopedTo(may('sts:*')))).code).toBe('');
  });

  it('gets no session token and no federation token, and says who it is whatever the policy says', async () => {
    const nothing = await scopedTo(document({ Effect: 'Deny', Action: '*', Resource: '*' }));
    for (const action of ['GetSessionToken', 'GetFederationToken']) {
      expect((await call(action, { Name: 'guest' }, nothing)).code).toBe('AccessDenied');
    }
    expect((await call('GetCallerIdentity', {}, nothing)).code).toBe('');
  });

  it('decodes messages and asks for the account of a key only where each layer allows it', async () => {
    const scoped = await scopedTo(may('s3:*'));
    const key = { AccessKeyId: keyOf('alice').accessKeyId };
    expect((await call('GetAccessKeyInfo', key, await sessionOf('worker'))).code).toBe('');
    expect((await call('GetAccessKeyInfo', key, scoped)).message).toContain('no scope-down policy allows');
    const decode = await call('DecodeAuthorizationMessage', { EncodedMessage: 'x' }, scoped);
    expect(decode.message).toContain('no scope-down policy allows');
  });

  it('of a user assumes roles as the user, and of root and federated users assumes none', async () => {
    const own = credentialsIn(await call('GetSessionToken', {}, keyOf('alice')));
    const scoped = credentialsIn(await scope({ Policy: all }, own));
    expect((await assume('open', {}, scoped)).code).toBe('');
    const root = credentialsIn(await call('GetSessionToken', {}, keyOf('root')));
    expect((await assume('open', {}, credentialsIn(await scope({ Policy: all }, root)))).code).toBe(
      'AccessDenied',
    );
    const guest = credentialsIn(
      await call('GetFederationToken', { Name: 'guest', Policy: all }, keyOf('alice')),
    );
    expect((await assume('open', {}, credentialsIn(await scope({ Policy: all }, guest)))).code).toBe(
      'AccessDenied',
    );
  });
});

describe('a scope-down policy that cannot be compiled any more', () => {
  it('denies everything', async () => {
    const session = await sessionOf('worker');
    const broken = { ...claimsIn(session), scopeDown: ['{"Statement":'] };
    const token = { ...session, sessionToken: sealSession(broken, dependencies.keyRing) };
    const outcome = await assume('open', {}, token);
    expect(outcome.message).toContain('with an explicit deny in a scope-down policy');
  });
});

describe.each(['AssumeRoot', 'GetDelegatedAccessToken', 'GetWebIdentityToken'])('%s', (action) => {
  it('is an invalid action, with a sentence that says why', async () => {
    const outcome = await call(action, {}, await sessionOf('worker'));
    expect([outcome.code, outcome.response.status]).toEqual(['InvalidAction', 400]);
    expect(outcome.message).toMatch(new RegExp(`^${action} is not supported: .*\\.$`));
    expect(outcome.facts.operation).toBeUndefined();
  });
});
