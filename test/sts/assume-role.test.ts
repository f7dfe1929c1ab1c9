import { describe, expect, it } from 'vitest';
import { StatementIndex } from '../../src/iam/statement-index.ts';
import { accountOfAccessKeyId } from '../../src/tokens/access-key-id.ts';
import { openAuthorizationMessage } from '../../src/tokens/authorization-message.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import { assume, dependencies, world } from './support/assume-role-world.ts';
import {
  accountId,
  arrive,
  assumeRoleForm,
  credentialsIn,
  dependenciesOf,
  elementText,
  identityForm,
  keyOf,
  roleArn,
  serve,
  sessionArn,
  userArn,
} from './support/sts-fixture.ts';

function denialOf(user: string, role: string, reason = ''): string {
  return `User: ${userArn(user)} is not authorized to perform: sts:AssumeRole on resource: ${roleArn(role)}${reason}`;
}

const openedAtMs = Date.UTC(2026, 10, 22, 13);
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

  it('records who called, and what was decided and issued', async () => {
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

  it('needs no identity policy where the trust names the user itself', async () => {
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

  it('reveals nothing about existence: the text depends on the caller alone', async () => {
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

  it('seals what decided, which reveals nothing about the role either', async () => {
    const refused = await assume('closed');
    const missing = await assume('absent');
    expect(refused.sealed.length).toBeGreaterThan(100);
    expect(missing.sealed).toHaveLength(refused.sealed.length);
    const opened = await openAuthorizationMessage(refused.sealed, dependencies.keyRing, openedAtMs);
    expect(opened).toMatchObject({
      ok: true,
      document: {
        explicitDeny: false,
        matchedStatements: { items: [] },
        context: {
          action: 'sts:AssumeRole',
          resource: roleArn('closed'),
          principal: { arn: userArn('alice') },
        },
        denial: { policyType: 'resource' },
      },
    });
    const { sealed } = await assume('direct', keyOf('denied'));
    expect(await openAuthorizationMessage(sealed, dependencies.keyRing, openedAtMs)).toMatchObject({
      document: {
        explicitDeny: true,
        matchedStatements: { items: [{ sourcePolicyType: 'identity' }] },
        denial: { policyType: 'identity' },
      },
    });
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

  it('keeps apart two sessions that are forced onto one access key id', async () => {
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

describe('a decision that fails', () => {
  it('denies with the message of any other denial, and keeps the cause for the log', async () => {
    class BrokenIndex extends StatementIndex {
      override find(): never {
        throw new Error('broken on purpose');
      }
    }
    const open = world.role(roleArn('open'));
    if (open === undefined) throw new Error('no such role');
    const trustPolicy = { ...open.trustPolicy, index: new BrokenIndex([]) };
    const broken = dependenciesOf({ ...world, role: () => ({ ...open, trustPolicy }) });
    const outcome = await serve(await arrive(assumeRoleForm('open'), keyOf('alice')), broken);
    expect([outcome.code, outcome.message]).toEqual(['AccessDenied', denialOf('alice', 'open')]);
    expect(outcome.error?.errorDetail).toContain('broken on purpose');
    expect(outcome.facts.decision?.decision).toBe('error');
  });
});
