import { describe, expect, it } from 'vitest';
import { SessionOpener } from '../../src/tokens/open.ts';
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
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const account = `arn:aws:iam::${accountId}:root`;
const may = (...actions: string[]): object => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const users = {
  alice: { inline: [assumePolicy('*'), may('sts:GetFederationToken', 'sts:TagSession', 's3:*')] },
  nobody: {},
  denied: { inline: [may('*'), document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' })] },
  perimeter: {
    inline: [
      may('*'),
      document({
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringNotEquals: { 'aws:ResourceAccount': accountId } },
      }),
    ],
  },
  narrow: {
    inline: [
      document({
        Effect: 'Allow',
        Action: 'sts:GetFederationToken',
        Resource: `arn:aws:sts::${accountId}:federated-user/team-*`,
      }),
    ],
  },
};
const roles = { open: { trust: trust(account) } };
const world = buildWorld({ users, roles, hasRoot: true });
const dependencies = dependenciesOf(world);

type Form = Readonly<Record<string, string>>;
async function call(
  action: string,
  form: Form = {},
  as: TestCredentials = keyOf('alice'),
  to: typeof dependencies = dependencies,
): Promise<Outcome> {
  return serve(await arrive({ Action: action, Version: version, ...form }, as), to);
}
const sessionToken = (form: Form = {}, as = keyOf('alice')): Promise<Outcome> =>
  call('GetSessionToken', form, as);
const federate = (form: Form = {}, as = keyOf('alice')): Promise<Outcome> =>
  call('GetFederationToken', { Name: 'team-blue', ...form }, as);

async function claimsOf(outcome: Outcome): Promise<SessionClaims> {
  const opened = await new SessionOpener(dependencies.keyRing).open(
    credentialsIn(outcome).sessionToken ?? '',
  );
  if (opened === undefined) throw new Error('the token does not open');
  return opened.claims;
}
async function secondsOf(outcome: Outcome): Promise<number> {
  const { issuedAt, expiresAt } = await claimsOf(outcome);
  return expiresAt - issuedAt;
}
const whoIs = async (as: TestCredentials, to = dependencies): Promise<(string | undefined)[]> => {
  const { response, code } = await serve(await arrive(identityForm, as), to);
  return code === '' ? ['Arn', 'UserId', 'Account'].map((name) => elementText(response.body, name)) : [code];
};

describe('GetSessionToken', () => {
  it('makes temporary credentials of the user itself', async () => {
    const outcome = await sessionToken();
    expect(await whoIs(credentialsIn(outcome))).toEqual([userArn('alice'), 'AIDAALICE', accountId]);
    expect(outcome.response.body).not.toContain('PackedPolicySize');
    expect(outcome.facts.issuedCredentials).toBe(true);
  });

  it('needs no permission, and no policy can deny it', async () => {
    expect((await sessionToken({}, keyOf('nobody'))).code).toBe('');
    expect((await sessionToken({}, keyOf('denied'))).code).toBe('');
  });

  it.each([
    [{}, 43_200],
    [{ DurationSeconds: '900' }, 900],
    [{ DurationSeconds: '129600' }, 129_600],
  ])('lasts as long as asked: %j', async (form, expected) => {
    expect(await secondsOf(await sessionToken(form))).toBe(expected);
  });

  it.each(['899', '129601', '0', 'x'])('refuses to last %s seconds', async (DurationSeconds) => {
    expect((await sessionToken({ DurationSeconds })).code).toBe('ValidationError');
  });

  it('gives root an hour at most', async () => {
    expect(await secondsOf(await sessionToken({}, keyOf('root')))).toBe(3600);
    expect(await secondsOf(await sessionToken({ DurationSeconds: '129600' }, keyOf('root')))).toBe(3600);
    expect(await secondsOf(await sessionToken({ DurationSeconds: '900' }, keyOf('root')))).toBe(900);
    expect(await whoIs(credentialsIn(await sessionToken({}, keyOf('root'))))).toEqual([
      `arn:aws:iam::${accountId}:root`,
      accountId,
      accountId,
    ]);
  });

  it.each(['Policy', 'PolicyArns.member.1.arn'])('refuses %s, which it would lose', async (name) => {
    expect((await sessionToken({ [name]: 'x'.repeat(30) })).code).toBe('InvalidParameterCombination');
  });

  it('may assume roles, as its user', async () => {
    const session = credentialsIn(await sessionToken({ DurationSeconds: '900' }));
    const form = { ...assumeRoleForm('open'), DurationSeconds: '3600' };
    expect((await call('AssumeRole', form, session)).code).toBe('');
    const poor = credentialsIn(await sessionToken({}, keyOf('nobody')));
    expect((await call('AssumeRole', assumeRoleForm('open'), poor)).code).toBe('AccessDenied');
  });

  it('ends with the user: a recreated user is another one', async () => {
    const session = credentialsIn(await sessionToken());
    const without = dependenciesOf(buildWorld({ users: { nobody: {} } }));
    expect(await whoIs(session, without)).toEqual(['InvalidClientTokenId']);
    const renamed = { ...world, userByArn: () => ({ ...world.userByArn(userArn('nobody')) }) };
    expect(await whoIs(session, dependenciesOf(renamed as typeof world))).toEqual(['InvalidClientTokenId']);
  });

  it('of root ends when root has no key left', async () => {
    const session = credentialsIn(await sessionToken({}, keyOf('root')));
    expect(await whoIs(session, dependenciesOf(buildWorld({ users, roles })))).toEqual([
      'InvalidClientTokenId',
    ]);
  });
});

describe('GetFederationToken', () => {
  it('is about a user of this account', async () => {
    const tags = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'blue' };
    expect((await federate({}, keyOf('perimeter'))).code).toBe('');
    expect((await federate(tags, keyOf('perimeter'))).code).toBe('');
  });

  it('makes a federated user, named as asked', async () => {
    const outcome = await federate({ Policy: JSON.stringify(may('s3:GetObject')) });
    const arn = `arn:aws:sts::${accountId}:federated-user/team-blue`;
    expect(elementText(outcome.response.body, 'Arn')).toBe(arn);
    expect(elementText(outcome.response.body, 'FederatedUserId')).toBe(`${accountId}:team-blue`);
    expect(await whoIs(credentialsIn(outcome))).toEqual([arn, `${accountId}:team-blue`, accountId]);
    expect(await secondsOf(outcome)).toBe(43_200);
  });

  it('reports how full the session is, even when it is empty', async () => {
    expect(elementText((await federate()).response.body, 'PackedPolicySize')).toBe('0');
    const outcome = await federate({ Policy: JSON.stringify(may('s3:GetObject')) });
    expect(Number(elementText(outcome.response.body, 'PackedPolicySize'))).toBeGreaterThan(0);
  });

  it('needs the permission on exactly that name', async () => {
    const outcome = await federate({}, keyOf('nobody'));
    expect([outcome.code, outcome.response.status]).toEqual(['AccessDenied', 403]);
    expect(outcome.message).toBe(
      `User: ${userArn('nobody')} is not authorized to perform: sts:GetFederationToken on resource: arn:aws:sts::${accountId}:federated-user/team-blue because no identity-based policy allows the sts:GetFederationToken action`,
    );
    expect((await federate({}, keyOf('denied'))).code).toBe('AccessDenied');
    expect((await federate({}, keyOf('narrow'))).code).toBe('');
    expect((await federate({ Name: 'other' }, keyOf('narrow'))).code).toBe('AccessDenied');
  });

  it('needs sts:TagSession for tags', async () => {
    const tag = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'blue' };
    expect((await federate(tag, keyOf('narrow'))).message).toContain('sts:TagSession');
    const { tags } = await claimsOf(await federate(tag));
    expect(tags).toEqual([{ key: 'team', value: 'blue', isTransitive: false }]);
  });

  it.each([
    [{ Name: 'x' }, 'ValidationError'],
    [{ Name: 'x'.repeat(33) }, 'ValidationError'],
    [{ Name: 'with space' }, 'ValidationError'],
    [{ DurationSeconds: '129601' }, 'ValidationError'],
    [{ Policy: '{}' }, 'MalformedPolicyDocument'],
    [{ 'PolicyArns.member.1.arn': `arn:aws:iam::${accountId}:policy/Missing` }, 'ValidationError'],
  ])('refuses %j', async (form, code) => {
    expect((await federate(form)).code).toBe(code);
  });

  it('is given by root for an hour at most', async () => {
    expect(await secondsOf(await federate({}, keyOf('root')))).toBe(3600);
  });
});

describe('root', () => {
  it('may not assume roles, nor may its sessions', async () => {
    const session = credentialsIn(await sessionToken({}, keyOf('root')));
    for (const as of [keyOf('root'), session]) {
      const outcome = await call('AssumeRole', assumeRoleForm('open'), as);
      expect([outcome.code, outcome.message]).toEqual([
        'AccessDenied',
        'Roles may not be assumed by root accounts.',
      ]);
    }
  });

  it('does not exist without a key', async () => {
    const without = dependenciesOf(buildWorld({ users }));
    expect(await whoIs(keyOf('root'), without)).toEqual(['InvalidClientTokenId']);
  });
});

const kinds: readonly [string, () => Promise<TestCredentials>][] = [
  ['a user’s session', async () => credentialsIn(await sessionToken())],
  ['root’s session', async () => credentialsIn(await sessionToken({}, keyOf('root')))],
  ['a federated user', async () => credentialsIn(await federate())],
  ['a role session', async () => credentialsIn(await call('AssumeRole', assumeRoleForm('open')))],
];

describe('temporary credentials', () => {
  it.each(kinds)('of %s get no session of their own', async (_, credentials) => {
    const as = await credentials();
    for (const action of ['GetSessionToken', 'GetFederationToken']) {
      const outcome = await call(action, { Name: 'team-blue' }, as);
      expect([outcome.code, outcome.response.status, outcome.message]).toEqual([
        'AccessDenied',
        403,
        `Cannot call ${action} with session credentials`,
      ]);
    }
  });

  it('of a federated user assume no role', async () => {
    const as = credentialsIn(await federate({ Policy: JSON.stringify(may('*')) }));
    expect((await call('AssumeRole', assumeRoleForm('open'), as)).code).toBe('AccessDenied');
  });

  it.each(kinds)('of %s say who they are until they expire', async (_, credentials) => {
    const as = await credentials();
    expect(await whoIs(as)).toHaveLength(3);
    const late = testNowMs + 43_201_000;
    const arrival = await arrive(identityForm, as, { signedAtMs: late, arrivesAtMs: late });
    expect((await serve(arrival, dependencies)).code).toBe('ExpiredToken');
  });

  it('of different kinds cannot be exchanged: a token names its key', async () => {
    const [own, federated] = [await sessionToken(), await federate()].map(credentialsIn);
    const mixed = { ...own, sessionToken: federated?.sessionToken } as TestCredentials;
    expect(await whoIs(mixed)).toEqual(['InvalidClientTokenId']);
  });
});

describe('a session of a user whose name now belongs to a role', () => {
  it('is not a session of that role', async () => {
    const session = credentialsIn(await sessionToken());
    expect(
      await whoIs(session, dependenciesOf(buildWorld({ roles: { alice: { trust: trust('*') } } }))),
    ).toEqual(['InvalidClientTokenId']);
    expect(world.role(roleArn('alice'))).toBeUndefined();
  });
});
