import { beforeAll, describe, expect, it } from 'vitest';
import { sealSession } from '../../src/tokens/seal.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';
import { testNowMs } from '../support/raw-requests.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  all,
  call,
  claimsIn,
  denyScoping,
  dependencies,
  type Form,
  may,
  policyText,
  reading,
  scope,
  sessionOf,
  world,
} from './support/scoped-world.ts';
import {
  arrive,
  assumeRoleForm,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  identityForm,
  keyOf,
  policyArn,
  serve,
  sessionArn,
} from './support/sts-fixture.ts';

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

  it('loses no claim of the calling session, whichever it has', async () => {
    const full: SessionClaims = {
      ...claimsIn(worker),
      policy: all,
      sourceIdentity: 'ann',
      mfaAuthenticatedAt: testNowMs / 1000 - 5,
      federation: { provider: 'arn:aws:iam::123456789012:oidc-provider/idp', subject: 's', audience: 'a' },
      tags: [{ key: 'team', value: 'blue', isTransitive: true }],
      scopeDown: [all],
    };
    const session = { ...worker, sessionToken: sealSession(full, dependencies.keyRing) };
    const after = claimsIn(credentialsIn(await scope({ Policy: reading }, session)));
    const { sessionId, accessKeyId, seed } = after;
    const ancestors = [expect.objectContaining({ sessionId: full.sessionId })];
    expect(after).toEqual({ ...full, sessionId, accessKeyId, seed, scopeDown: [all, reading], ancestors });
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

  it('can be denied for its duration, given or not, and is about a session of this account', async () => {
    const session = await sessionOf('denied-for-long');
    expect((await scope({ Policy: reading }, session)).code).toBe('AccessDenied');
    expect((await scope({ DurationSeconds: '901' }, session)).code).toBe('AccessDenied');
    expect((await scope({ DurationSeconds: '900' }, session)).code).toBe('');
    expect((await scope({ Policy: reading }, await sessionOf('perimeter'))).code).toBe('');
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
      'a policy with a Principal other than everyone',
      {
        Policy:
          '{"Statement":{"Effect":"Allow","Principal":{"AWS":"*","Service":"*"},"Action":"*","Resource":"*"}}',
      },
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
