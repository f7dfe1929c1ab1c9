import { describe, expect, it } from 'vitest';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  accountId,
  arrive,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  keyOf,
  type Outcome,
  roleArn,
  serve,
  sessionArn,
  userArn,
} from './support/sts-fixture.ts';

const all = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
const may = (...actions: string[]): object => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const trusts = (principal: string | readonly string[]): object =>
  document({ Effect: 'Allow', Principal: { AWS: principal }, Action: all });

const account = `arn:aws:iam::${accountId}:root`;
const users = {
  free: { inline: [may(...all)] },
  assuming: { inline: [may('sts:AssumeRole')] },
  tagging: { inline: [may('sts:AssumeRole', 'sts:TagSession')] },
  bounded: { inline: [may(...all)], boundary: 'AssumeOnly' },
  unbound: { inline: [may(...all)], boundary: 'All' },
  forbidden: {
    inline: [
      may(...all),
      document({ Effect: 'Deny', Action: ['sts:TagSession', 'sts:Set*'], Resource: '*' }),
    ],
  },
};
const dependencies = dependenciesOf(
  buildWorld({
    users,
    policies: { AssumeOnly: may('sts:AssumeRole'), All: may('*') },
    roles: {
      delegated: { trust: trusts(account) },
      direct: { trust: trusts(Object.keys(users).map(userArn)) },
      'to-session': { trust: trusts(['hop', 'hop-silent'].map((role) => sessionArn(role, 'tester'))) },
      'to-role': { trust: trusts(['hop', 'hop-silent'].map(roleArn)) },
      hop: { trust: trusts(account), inline: [may(...all)] },
      'hop-silent': { trust: trusts(account), inline: [may('sts:AssumeRole')] },
    },
  }),
);

type Form = Readonly<Record<string, string>>;
const tagged: Form = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'red' };
const named: Form = { SourceIdentity: 'ceo@example.com' };

async function assume(role: string, form: Form, as: TestCredentials): Promise<Outcome> {
  return serve(await arrive(assumeRoleForm(role, form), as), dependencies);
}

describe('tags and a source identity that a trust policy delegates to the account', () => {
  it.each<[keyof typeof users, Form, string]>([
    ['free', tagged, ''],
    ['free', named, ''],
    ['unbound', { ...tagged, ...named }, ''],
    ['tagging', tagged, ''],
    ['tagging', named, 'no identity-based policy allows the sts:SetSourceIdentity action'],
    ['assuming', {}, ''],
    ['assuming', tagged, 'no identity-based policy allows the sts:TagSession action'],
    ['assuming', named, 'no identity-based policy allows the sts:SetSourceIdentity action'],
    ['bounded', {}, ''],
    ['bounded', tagged, 'no permissions boundary allows the sts:TagSession action'],
    ['bounded', named, 'no permissions boundary allows the sts:SetSourceIdentity action'],
    ['forbidden', tagged, 'with an explicit deny in an identity-based policy'],
    ['forbidden', named, 'with an explicit deny in an identity-based policy'],
  ])('need the permission of the user %s with %j', async (user, form, refusal) => {
    const { code, message } = await assume('delegated', form, keyOf(user));
    expect(code).toBe(refusal === '' ? '' : 'AccessDenied');
    expect(message).toContain(refusal);
  });

  it.each<[string, Form, string]>([
    ['everything', tagged, ''],
    ['nothing but sts:AssumeRole', {}, ''],
    ['nothing but sts:AssumeRole', tagged, 'no session policy allows the sts:TagSession action'],
    ['nothing but sts:AssumeRole', named, 'no session policy allows the sts:SetSourceIdentity action'],
  ])('need session policies that allow them: of a session for %s, with %j', async (passed, form, refusal) => {
    const policy = passed === 'everything' ? may('*') : may('sts:AssumeRole');
    const hop = credentialsIn(await assume('hop', { Policy: JSON.stringify(policy) }, keyOf('free')));
    const { code, message } = await assume('delegated', form, hop);
    expect(code).toBe(refusal === '' ? '' : 'AccessDenied');
    expect(message).toContain(refusal);
  });

  it('need the permission of a session for what it passes on', async () => {
    const passing = { ...tagged, 'TransitiveTagKeys.member.1': 'team' };
    const silent = credentialsIn(await assume('hop-silent', passing, keyOf('free')));
    expect((await assume('delegated', {}, silent)).message).toContain('sts:TagSession');
    const speaking = credentialsIn(await assume('hop', passing, keyOf('free')));
    expect((await assume('delegated', {}, speaking)).code).toBe('');
  });
});

describe('tags and a source identity that a trust policy grants', () => {
  it.each(Object.keys(users))('to a user by its name: %s', async (user) => {
    const isForbidden = user === 'forbidden';
    const { code } = await assume('direct', { ...tagged, ...named }, keyOf(user));
    expect(code).toBe(isForbidden ? 'AccessDenied' : '');
  });

  it('to a role: boundary and session policies still have to allow them', async () => {
    const silent = credentialsIn(await assume('hop-silent', {}, keyOf('free')));
    expect((await assume('to-role', tagged, silent)).code).toBe('');
    const Policy = JSON.stringify(may('sts:AssumeRole'));
    const narrowed = credentialsIn(await assume('hop', { Policy }, keyOf('free')));
    expect((await assume('to-role', tagged, narrowed)).message).toContain('no session policy allows');
  });

  it.each(['to-session', 'to-role'])(
    'does not replace the permission to set a source identity along a chain: %s',
    async (role) => {
      const silent = credentialsIn(await assume('hop-silent', {}, keyOf('free')));
      const { code, message } = await assume(role, named, silent);
      expect(code).toBe('AccessDenied');
      expect(message).toContain('no identity-based policy allows the sts:SetSourceIdentity action');
      const hop = credentialsIn(await assume('hop', {}, keyOf('free')));
      expect((await assume(role, named, hop)).code).toBe('');
    },
  );

  it('to a session by its name: its session policies have to allow a source identity', async () => {
    const Policy = JSON.stringify(may('sts:AssumeRole'));
    const narrowed = credentialsIn(await assume('hop', { Policy }, keyOf('free')));
    expect((await assume('to-session', tagged, narrowed)).code).toBe('');
    const { code, message } = await assume('to-session', named, narrowed);
    expect(code).toBe('AccessDenied');
    expect(message).toContain('no session policy allows the sts:SetSourceIdentity action');
  });
});
