import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../../src/core/randomness.ts';
import { type Issuer, issue } from '../../src/sts/credentials.ts';
import type { TrustGrant } from '../../src/sts/grants/role-grant.ts';
import type { SessionPolicies } from '../../src/sts/session-policies.ts';
import { accountId, buildWorld, dependenciesOf, roleArn, trust } from './support/sts-fixture.ts';

const world = buildWorld({ roles: { reader: { trust: trust('*') } } });
const role = world.role(roleArn('reader'));
const none: SessionPolicies = { policyArns: [] };
const issuer: Issuer = {
  keyRing: dependenciesOf(world).keyRing,
  randomness: systemRandomness,
  account: { id: accountId },
};

/** The bodies are checked by the compiler, never run. */
function doesNotCompile(granted: Promise<TrustGrant>): readonly (() => unknown)[] {
  if (role === undefined) return [];
  const principal = {
    kind: 'role-session',
    roleArn: role.arn,
    roleId: role.roleId,
    sessionName: 'x',
  } as const;
  const lookalike = { principal, durationSeconds: 900, claims: { tags: [] } };
  return [
    // @ts-expect-error an object literal is not a proof
    () => issue({ principal, durationSeconds: 900, claims: { tags: [] } }, none, issuer, 0),
    // @ts-expect-error nor is anything of the same shape
    () => issue(lookalike, none, issuer, 0),
    // @ts-expect-error a decision that was not waited for proves nothing
    () => issue(granted, none, issuer, 0),
    // @ts-expect-error the constructor cannot be reached through the type
    () => new TrustGrant(),
  ];
}

describe('a trust grant', () => {
  it('has no stand-in that compiles', () => {
    expect(doesNotCompile).toBeTypeOf('function');
  });

  it('cannot be made outside its file', async () => {
    const exported = Object.keys(await import('../../src/sts/grants/role-grant.ts'));
    expect(exported).toEqual(['grantRole', 'grantRoleToFederated']);
    const ofOwners = Object.keys(await import('../../src/sts/grants/owner-grant.ts'));
    expect(ofOwners.sort()).toEqual([
      'federatedUserKeys',
      'grantFederatedUser',
      'grantOwnSession',
      'requireOwner',
    ]);
  });
});
