import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { testNowMs } from '../support/raw-requests.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import { account, assume, world } from './support/assume-role-world.ts';
import {
  arrive,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  identityForm,
  keyOf,
  type Outcome,
  policyArn,
  serve,
  sessionArn,
  trust,
} from './support/sts-fixture.ts';

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
