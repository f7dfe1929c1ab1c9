import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { accountOfAccessKeyId } from '../../src/tokens/access-key-id.ts';
import { deriveSecretAccessKey } from '../../src/tokens/derive-secret.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sealSession } from '../../src/tokens/seal.ts';
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
  serve,
  sessionArn,
  trust,
  userArn,
} from './support/sts-fixture.ts';

const account = `arn:aws:iam::${accountId}:root`;

const world = buildWorld({
  policies: {
    AssumeAnything: assumePolicy('*'),
    S3Only: document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }),
  },
  users: {
    alice: { inline: [assumePolicy('*')] },
    nobody: {},
    denied: { inline: [assumePolicy('*'), assumePolicy(roleArn('*'), 'Deny')] },
    bounded: { inline: [assumePolicy('*')], boundary: 'S3Only' },
  },
  roles: {
    open: { trust: trust(account) },
    direct: { trust: trust([userArn('nobody'), userArn('denied'), userArn('bounded')]) },
    closed: { trust: trust(userArn('somebody-else')) },
    refusing: {
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: userArn('alice') }, Action: 'sts:AssumeRole' },
          { Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' },
        ],
      },
    },
    external: {
      trust: trust(account, { StringEquals: { 'sts:ExternalId': 'shared-secret' } }),
    },
    named: { trust: trust(account, { StringEquals: { 'sts:RoleSessionName': 'alice' } }) },
    hourly: { trust: trust(account, { StringEquals: { 'sts:DurationSeconds': '3600' } }) },
    long: { trust: trust(account), maxSessionDurationSeconds: 43_200 },
    nested: { trust: trust(account), path: '/team/data/' },
    silent: { trust: trust(userArn('nobody')), inline: [] },
    // For chaining: what `hop` may do next.
    hop: { trust: trust(account), inline: [assumePolicy('*')] },
    'hop-silent': { trust: trust(account) },
    'hop-bounded': { trust: trust(account), inline: [assumePolicy('*')], boundary: 'S3Only' },
    'by-session': { trust: trust(sessionArn('hop-silent', 'tester')) },
    'by-role': {
      trust: trust([roleArn('hop'), roleArn('hop-silent'), roleArn('hop-bounded')]),
      maxSessionDurationSeconds: 43_200,
    },
    'not-hop': {
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
          { Effect: 'Deny', Principal: { AWS: roleArn('hop') }, Action: 'sts:AssumeRole' },
        ],
      },
    },
  },
});
const dependencies = dependenciesOf(world);

async function assume(
  role: string,
  credentials: TestCredentials = keyOf('alice'),
  changes: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return serve(await arrive(assumeRoleForm(role, changes), credentials), dependencies);
}

function denialOf(user: string, role: string, reason = ''): string {
  return `User: ${userArn(user)} is not authorized to perform: sts:AssumeRole on resource: ${roleArn(role)}${reason}`;
}

const noIdentity = ' because no identity-based policy allows the sts:AssumeRole action';

describe('AssumeRole of a user', () => {
  it('issues credentials that say who they are', async () => {
    const outcome = await assume('open');
    const { body } = outcome.response;
    expect(outcome.response.status).toBe(200);
    expect(outcome.response.contentType).toBe('text/xml');
    expect(elementText(body, 'Arn')).toBe(sessionArn('open', 'tester'));
    expect(elementText(body, 'AssumedRoleId')).toBe('AROAOPEN:tester');
    expect(elementText(body, 'Expiration')).toBe('2026-11-22T13:00:00Z');
    expect(elementText(body, 'RequestId')).toBe('TEST');
    expect(body).not.toContain('PackedPolicySize');
    const session = credentialsIn(outcome);
    expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(accountOfAccessKeyId(session.accessKeyId)).toBe(accountId);
    expect(session.secretAccessKey).toHaveLength(40);
    const identity = await serve(await arrive(identityForm, session), dependencies);
    expect(elementText(identity.response.body, 'Arn')).toBe(sessionArn('open', 'tester'));
    expect(elementText(identity.response.body, 'UserId')).toBe('AROAOPEN:tester');
  });

  it('records what became known', async () => {
    const { facts } = await assume('open');
    expect(facts).toMatchObject({
      operation: 'AssumeRole',
      principalArn: userArn('alice'),
      accessKeyId: keyOf('alice').accessKeyId,
      issuedCredentials: true,
      decision: { decision: 'allow', policyType: 'identity', isEnforced: true },
    });
    const refused = await assume('closed');
    expect(refused.facts.decision).toMatchObject({ decision: 'deny' });
    expect(refused.facts.issuedCredentials).toBeUndefined();
  });

  it('drops the path of the role from the session ARN, keeps it in the role ARN', async () => {
    const outcome = await assume(roleArn('team/data/nested'));
    expect(elementText(outcome.response.body, 'Arn')).toBe(sessionArn('nested', 'tester'));
    expect((await assume('nested')).code).toBe('AccessDenied');
  });

  it('accepts a role ARN without an account', async () => {
    const outcome = await assume('arn:aws:iam:::role/open');
    expect(elementText(outcome.response.body, 'Arn')).toBe(sessionArn('open', 'tester'));
  });

  it('lets a trust that names the user itself do without an identity policy', async () => {
    expect((await assume('direct', keyOf('nobody'))).code).toBe('');
  });

  it('honours an explicit deny of the caller although the trust names it', async () => {
    const outcome = await assume('direct', keyOf('denied'));
    expect(outcome.response.status).toBe(403);
    expect(outcome.message).toBe(
      denialOf('denied', 'direct', ' with an explicit deny in an identity-based policy'),
    );
  });

  it('refuses what the permissions boundary does not allow, unless the trust names the user', async () => {
    const outcome = await assume('open', keyOf('bounded'));
    expect(outcome.code).toBe('AccessDenied');
    expect(outcome.message).toContain('because no permissions boundary allows the sts:AssumeRole action');
    expect((await assume('direct', keyOf('bounded'))).code).toBe('');
  });

  it('refuses a user without permission although the trust delegates to the account', async () => {
    const outcome = await assume('open', keyOf('nobody'));
    expect(outcome.code).toBe('AccessDenied');
    expect(outcome.message).toBe(denialOf('nobody', 'open', noIdentity));
  });

  it('gives up nothing about existence: the text depends on the caller alone', async () => {
    for (const role of ['closed', 'no-such-role']) {
      const permitted = await assume(role);
      expect([permitted.code, permitted.message]).toEqual(['AccessDenied', denialOf('alice', role)]);
      const unpermitted = await assume(role, keyOf('nobody'));
      expect([unpermitted.code, unpermitted.message]).toEqual([
        'AccessDenied',
        denialOf('nobody', role, noIdentity),
      ]);
      const unnamed = await assume(`arn:aws:iam:::role/${role}`);
      expect(unnamed.message).toBe(denialOf('alice', role));
    }
  });

  it('does not show an explicit deny of the trust policy', async () => {
    expect((await assume('refusing')).message).toBe(denialOf('alice', 'refusing'));
  });

  it('refuses roles of another account and another partition', async () => {
    expect((await assume('arn:aws:iam::210987654321:role/open')).code).toBe('AccessDenied');
    expect((await assume(`arn:aws-cn:iam::${accountId}:role/open`)).code).toBe('AccessDenied');
  });

  it('decides with the external id, the session name and the duration', async () => {
    expect((await assume('external')).code).toBe('AccessDenied');
    expect((await assume('external', keyOf('alice'), { ExternalId: 'guess' })).code).toBe('AccessDenied');
    expect((await assume('external', keyOf('alice'), { ExternalId: 'shared-secret' })).code).toBe('');
    expect((await assume('named')).code).toBe('AccessDenied');
    expect((await assume('named', keyOf('alice'), { RoleSessionName: 'alice' })).code).toBe('');
    expect((await assume('hourly')).code).toBe('');
    expect((await assume('hourly', keyOf('alice'), { DurationSeconds: '900' })).code).toBe('AccessDenied');
  });

  it.each([
    ['arn:aws:iam::123456789012:user/alice'],
    ['arn:aws:iam::123456789012:role/'],
    ['arn:aws:iam:us-east-1:123456789012:role/open'],
    ['arn:aws:iam::12345678901:role/open-role'],
    ['arn:aws:s3:::bucket/role/open'],
    ['arn:aws:iam::123456789012'],
    ['twenty-characters-of-no-arn'],
    ['arn:aws:iam::123456789012:role/with space'],
  ])('refuses the malformed ARN %s', async (arn) => {
    const outcome = await serve(
      await arrive(assumeRoleForm(arn, { RoleArn: arn }), keyOf('alice')),
      dependencies,
    );
    expect([outcome.code, outcome.response.status, outcome.message]).toEqual([
      'ValidationError',
      400,
      `${arn} is invalid`,
    ]);
  });

  it('grants durations up to the maximum of the role', async () => {
    const longest = await assume('long', keyOf('alice'), { DurationSeconds: '43200' });
    expect(elementText(longest.response.body, 'Expiration')).toBe('2026-11-23T00:00:00Z');
    const tooLong = await assume('long', keyOf('alice'), { DurationSeconds: '43201' });
    expect([tooLong.code, tooLong.message]).toEqual([
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ]);
  });

  it('does not show the maximum duration to a caller who may not assume the role', async () => {
    expect((await assume('closed', keyOf('alice'), { DurationSeconds: '43200' })).code).toBe('AccessDenied');
  });

  it('gives two sessions different access keys, secrets and tokens', async () => {
    const [left, right] = [credentialsIn(await assume('open')), credentialsIn(await assume('open'))];
    expect(left.accessKeyId).not.toBe(right.accessKeyId);
    expect(left.secretAccessKey).not.toBe(right.secretAccessKey);
    const crossed = { ...left, sessionToken: right.sessionToken ?? '' };
    const outcome = await serve(await arrive(identityForm, crossed), dependencies);
    expect([outcome.code, outcome.response.status]).toEqual(['InvalidClientTokenId', 403]);
  });

  it('keeps two sessions apart that were forced onto one access key id', async () => {
    let fill = 0;
    const collide = dependenciesOf(world, {
      // Access key ids take 5 bytes of randomness: those repeat, seeds do not.
      randomness: {
        bytes: (length) => {
          fill += 1;
          return new Uint8Array(length).fill(length === 5 ? 1 : fill);
        },
      },
    });
    const issueOne = async (): Promise<TestCredentials> =>
      credentialsIn(await serve(await arrive(assumeRoleForm('open'), keyOf('alice')), collide));
    const [left, right] = [await issueOne(), await issueOne()];
    expect(left.accessKeyId).toBe(right.accessKeyId);
    expect(left.secretAccessKey).not.toBe(right.secretAccessKey);
    const crossed = { ...left, sessionToken: right.sessionToken ?? '' };
    const outcome = await serve(await arrive(identityForm, crossed), collide);
    expect(outcome.code).toBe('SignatureDoesNotMatch');
  });
});

describe('role chaining', () => {
  const sessionOf = async (
    role: string,
    changes: Readonly<Record<string, string>> = {},
  ): Promise<TestCredentials> => credentialsIn(await assume(role, keyOf('alice'), changes));

  it('assumes a role that trusts the account when the role of the session may', async () => {
    const outcome = await assume('open', await sessionOf('hop'));
    expect(elementText(outcome.response.body, 'Arn')).toBe(sessionArn('open', 'tester'));
    expect((await assume('open', await sessionOf('hop-silent'))).code).toBe('AccessDenied');
  });

  it('lets a trust that names the session itself grant alone', async () => {
    expect((await assume('by-session', await sessionOf('hop-silent'))).code).toBe('');
    const other = await sessionOf('hop-silent', { RoleSessionName: 'other' });
    expect((await assume('by-session', other)).code).toBe('AccessDenied');
  });

  it('needs boundary and session policies to allow what a trust in the role grants', async () => {
    expect((await assume('by-role', await sessionOf('hop-silent'))).code).toBe('');
    const bounded = await assume('by-role', await sessionOf('hop-bounded'));
    expect(bounded.message).toContain('because no permissions boundary allows');
    const s3Only = JSON.stringify(document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }));
    const narrowed = await assume('by-role', await sessionOf('hop', { Policy: s3Only }));
    expect(narrowed.message).toContain('because no session policy allows the sts:AssumeRole action');
    const managed = { 'PolicyArns.member.1.arn': policyArn('S3Only') };
    expect((await assume('by-role', await sessionOf('hop', managed))).code).toBe('AccessDenied');
    const allowing = { 'PolicyArns.member.1.arn': policyArn('AssumeAnything') };
    expect((await assume('by-role', await sessionOf('hop', allowing))).code).toBe('');
  });

  it('lets any deny win', async () => {
    expect((await assume('not-hop', await sessionOf('hop'))).code).toBe('AccessDenied');
    const denyAll = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Effect: 'Deny', Action: 'sts:*', Resource: '*' },
      ],
    });
    const outcome = await assume('by-role', await sessionOf('hop', { Policy: denyAll }));
    expect(outcome.message).toContain('with an explicit deny in a session policy');
  });

  it('limits chained sessions to an hour', async () => {
    const hop = await sessionOf('hop');
    expect((await assume('by-role', hop, { DurationSeconds: '3600' })).code).toBe('');
    const outcome = await assume('by-role', hop, { DurationSeconds: '3601' });
    expect([outcome.code, outcome.message]).toEqual([
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    ]);
  });

  it.each([[{ tags: [{ key: 'team', value: 'blue', isTransitive: true }] }], [{ sourceIdentity: 'alice' }]])(
    'refuses to drop what must be passed on: %j',
    async (carried) => {
      const { keyRing } = dependencies;
      const base = await new SessionOpener(keyRing).open((await sessionOf('hop')).sessionToken ?? '');
      if (base === undefined) throw new Error('the token does not open');
      const { accessKeyId, seed } = base.claims;
      const sealed = {
        accessKeyId,
        secretAccessKey: deriveSecretAccessKey(keyRing.sealWith, seed, accessKeyId).reveal(),
        sessionToken: await sealSession({ ...base.claims, ...carried }, keyRing),
      };
      const outcome = await assume('open', sealed);
      expect([outcome.code, outcome.response.status]).toEqual(['ValidationError', 400]);
    },
  );

  it('refuses a session whose role is gone, was recreated, or has expired', async () => {
    const hop = await sessionOf('hop');
    const identify = async (directory: Directory, arrivesAtMs = testNowMs): Promise<Outcome> => {
      const arrival = await arrive(identityForm, hop, { signedAtMs: arrivesAtMs, arrivesAtMs });
      return serve(arrival, dependenciesOf(directory));
    };
    expect((await identify(buildWorld({}))).code).toBe('InvalidClientTokenId');
    const recreated = buildWorld({ roles: { hop: { trust: trust(account), roleId: 'AROASECOND' } } });
    expect((await identify(recreated)).code).toBe('InvalidClientTokenId');
    expect((await identify(world, testNowMs + 3_599_000)).code).toBe('');
    const expired = await identify(world, testNowMs + 3_600_000);
    expect([expired.code, expired.response.status, expired.message]).toEqual([
      'ExpiredToken',
      403,
      'The security token included in the request is expired',
    ]);
  });
});

describe('session policies', () => {
  const readOnly = document({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });

  it('travel in the token exactly as sent', async () => {
    const text = ` ${JSON.stringify(readOnly, null, 1)}\r\n`;
    const arn = policyArn('S3Only');
    const outcome = await assume('open', keyOf('alice'), { Policy: text, 'PolicyArns.member.1.arn': arn });
    const opened = await new SessionOpener(dependencies.keyRing).open(
      credentialsIn(outcome).sessionToken ?? '',
    );
    expect(opened?.claims.policy).toBe(text);
    expect(opened?.claims.policyArns).toEqual([arn]);
    expect(Number(elementText(outcome.response.body, 'PackedPolicySize'))).toBeGreaterThan(0);
  });

  it('deny everything once a managed one was removed', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('AssumeAnything') };
    const hop = credentialsIn(await assume('hop', keyOf('alice'), changes));
    expect((await assume('open', hop)).code).toBe('');
    const later = buildWorld({
      roles: { open: { trust: trust(account) }, hop: { trust: trust(account), inline: [assumePolicy('*')] } },
    });
    const outcome = await serve(await arrive(assumeRoleForm('open'), hop), dependenciesOf(later));
    expect(outcome.message).toContain('because no session policy allows');
  });

  it.each([
    ['not JSON', '{"Version":'],
    ['an array', '[]'],
    ['no statement', '{"Version":"2012-10-17"}'],
    ['a repeated key', '{"Version":"2012-10-17","Version":"2008-10-17","Statement":[]}'],
    [
      'a Principal',
      JSON.stringify(document({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' })),
    ],
    [
      'an unknown operator',
      JSON.stringify(
        document({ Effect: 'Allow', Action: '*', Resource: '*', Condition: { Almost: { a: 'b' } } }),
      ),
    ],
  ])('are refused when malformed: %s', async (_, text) => {
    const outcome = await assume('open', keyOf('alice'), { Policy: text });
    expect([outcome.code, outcome.response.status]).toEqual(['MalformedPolicyDocument', 400]);
    expect(outcome.message).toMatch(/^The session policy is malformed: ./);
  });

  it('are refused with the place of the fault', async () => {
    const text = JSON.stringify(document({ Effect: 'Permit', Action: '*', Resource: '*' }));
    expect((await assume('open', keyOf('alice'), { Policy: text })).message).toContain('Statement[0]');
  });

  it('may take 2,048 characters together with the ARNs, as sent, and no more', async () => {
    const arn = policyArn('S3Only');
    const padded = JSON.stringify(readOnly).padEnd(2048 - arn.length);
    const changes = { Policy: padded, 'PolicyArns.member.1.arn': arn };
    expect((await assume('open', keyOf('alice'), changes)).code).toBe('');
    const over = await assume('open', keyOf('alice'), { ...changes, Policy: `${padded} ` });
    expect([over.code, over.response.status, over.message]).toEqual([
      'PackedPolicyTooLarge',
      400,
      'Packed policy consumes 101% of allotted space, please use smaller policy.',
    ]);
    const alone = await assume('open', keyOf('alice'), { Policy: JSON.stringify(readOnly).padEnd(4096) });
    expect(alone.message).toContain('consumes 200% of');
  });

  it('are refused when a managed one does not exist', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('NoSuchPolicy') };
    const outcome = await assume('open', keyOf('alice'), changes);
    expect([outcome.code, outcome.response.status]).toEqual(['ValidationError', 400]);
    expect(outcome.message).toContain(policyArn('NoSuchPolicy'));
  });

  it('show nothing about managed policies to a caller who may not assume the role', async () => {
    const changes = { 'PolicyArns.member.1.arn': policyArn('NoSuchPolicy') };
    expect((await assume('closed', keyOf('alice'), changes)).code).toBe('AccessDenied');
  });
});
