import { describe, expect, it } from 'vitest';
import { withInherited } from '../../src/sts/session-tags.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';
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
  keyOf,
  type Outcome,
  roleArn,
  serve,
  userArn,
} from './support/sts-fixture.ts';

const account = `arn:aws:iam::${accountId}:root`;
const trustOf = (actions: readonly string[], condition: object = {}, principal: string = account): object =>
  document(
    { Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' },
    { Effect: 'Allow', Principal: { AWS: principal }, Action: actions, Condition: condition },
  );
const both = ['sts:TagSession', 'sts:SetSourceIdentity'];
const may = (...actions: string[]): object => document({ Effect: 'Allow', Action: actions, Resource: '*' });

const world = buildWorld({
  users: {
    alice: { inline: [assumePolicy('*'), may(...both)], tags: { Team: 'red', site: 'here' } },
    untagging: {
      inline: [assumePolicy('*'), document({ Effect: 'Deny', Action: 'sts:TagSession', Resource: '*' })],
    },
  },
  roles: {
    plain: { trust: trustOf(['sts:AssumeRole']) },
    tagged: { trust: trustOf(both), inline: [assumePolicy('*'), may('sts:TagSession')] },
    silent: { trust: trustOf(both), inline: [assumePolicy('*'), may('sts:TagSession')] },
    speaking: { trust: trustOf(both), inline: [assumePolicy('*'), may('sts:SetSourceIdentity')] },
    picky: {
      trust: trustOf(both, {
        StringEquals: { 'aws:RequestTag/team': ['blue', 'green'] },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'cost'], 'sts:TransitiveTagKeys': ['team'] },
      }),
    },
    named: { trust: trustOf(both, {}, roleArn('silent')) },
    signed: { trust: trustOf(both, { StringLike: { 'sts:SourceIdentity': 'alice*' } }) },
    coloured: {
      trust: document({
        Effect: 'Allow',
        Principal: { AWS: account },
        Action: ['sts:AssumeRole', ...both],
        Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
      }),
    },
  },
});
const dependencies = dependenciesOf(world);

type Form = Readonly<Record<string, string>>;
const tags = (pairs: Form, transitive: readonly string[] = []): Form =>
  Object.fromEntries([
    ...Object.entries(pairs).flatMap(([key, value], index) => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
    ...transitive.map((key, index) => [`TransitiveTagKeys.member.${index + 1}`, key]),
  ]);

async function assume(role: string, form: Form = {}, as: TestCredentials = keyOf('alice')): Promise<Outcome> {
  return serve(await arrive(assumeRoleForm(role, form), as), dependencies);
}

async function claimsOf(outcome: Outcome): Promise<SessionClaims> {
  const opened = await new SessionOpener(dependencies.keyRing).open(
    credentialsIn(outcome).sessionToken ?? '',
  );
  if (opened === undefined) throw new Error('the token does not open');
  return opened.claims;
}

describe('session tags', () => {
  it('travel in the token, and the answer says how full it is', async () => {
    const outcome = await assume('tagged', tags({ Team: 'blue', cost: '' }, ['team']));
    expect((await claimsOf(outcome)).tags).toEqual([
      { key: 'Team', value: 'blue', isTransitive: true },
      { key: 'cost', value: '', isTransitive: false },
    ]);
    expect(Number(elementText(outcome.response.body, 'PackedPolicySize'))).toBeGreaterThan(0);
  });

  it('replace the tags of the role and the user for whatever is decided next', async () => {
    expect((await assume('coloured')).code).toBe('AccessDenied');
    const session = credentialsIn(await assume('tagged', tags({ TEAM: 'blue' })));
    expect((await assume('coloured', {}, session)).code).toBe('');
    const red = credentialsIn(await assume('tagged', tags({ team: 'red' })));
    expect((await assume('coloured', {}, red)).code).toBe('AccessDenied');
  });

  it('need sts:TagSession in the trust policy', async () => {
    const outcome = await assume('plain', tags({ team: 'blue' }));
    expect([outcome.code, outcome.response.status]).toEqual(['AccessDenied', 403]);
    expect(outcome.message).toContain(
      `User: ${userArn('alice')} is not authorized to perform: sts:TagSession on resource: ${roleArn('plain')}`,
    );
    expect((await assume('plain')).code).toBe('');
  });

  it('are refused where the caller is denied sts:TagSession', async () => {
    const outcome = await assume('tagged', tags({ team: 'blue' }), keyOf('untagging'));
    expect(outcome.message).toContain('with an explicit deny in an identity-based policy');
    expect((await assume('tagged', {}, keyOf('untagging'))).code).toBe('');
  });

  it.each([
    ['another value', tags({ team: 'red' })],
    ['another key', tags({ team: 'blue', other: 'x' })],
    ['another transitive key', tags({ team: 'blue', cost: '1' }, ['cost'])],
    ['no tag at all but the other', tags({ cost: '1' })],
  ])('obey conditions of the trust policy: %s', async (_, form) => {
    expect((await assume('picky', form)).code).toBe('AccessDenied');
    expect((await assume('picky', tags({ team: 'blue', cost: '1' }, ['team']))).code).toBe('');
  });

  it.each([
    ['a repeated key', tags({ team: 'a', Team: 'b' }), /^Duplicate tag keys found: 'Team'/],
    [
      'a transitive key without a tag',
      tags({ team: 'a' }, ['cost']),
      /'cost' must be among the session tags/,
    ],
    ['a transitive key and no tags', tags({}, ['team']), /'team' must be among the session tags/],
    ['a key of AWS', tags({ 'aws:team': 'a' }), /must not start with aws:/],
    ['a key of AWS in capitals', tags({ 'AWS:team': 'a' }), /must not start with aws:/],
  ])('are refused with %s', async (_, form, message) => {
    const outcome = await assume('tagged', form);
    expect([outcome.code, outcome.response.status]).toEqual(['InvalidParameterValue', 400]);
    expect(outcome.message.replaceAll('&apos;', "'")).toMatch(message);
  });

  it('that take too much room are refused', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [
        `${index}-${Array.from({ length: 60 }, (__, at) => String.fromCodePoint(0x4e00 + ((index * 977 + at * 131) % 20000))).join('')}`,
        'v'.repeat(10),
      ]),
    );
    const outcome = await assume('tagged', tags(many));
    expect([outcome.code, outcome.response.status]).toEqual(['PackedPolicyTooLarge', 400]);
    expect(outcome.message).toMatch(/^Packed size of session tags consumes \d{3}% of allotted space\.$/);
  });
});

describe('transitive tags', () => {
  it('pass along a chain, stay transitive, and cannot be set again', async () => {
    const first = credentialsIn(await assume('tagged', tags({ team: 'blue', cost: '1' }, ['team'])));
    const outcome = await assume('silent', tags({ site: 'there' }), first);
    const second = await claimsOf(outcome);
    expect(second.tags).toEqual([
      { key: 'team', value: 'blue', isTransitive: true },
      { key: 'site', value: 'there', isTransitive: false },
    ]);
    const third = await claimsOf(await assume('tagged', {}, credentialsIn(outcome)));
    expect(third.tags).toEqual([{ key: 'team', value: 'blue', isTransitive: true }]);
    const again = await assume('silent', tags({ TEAM: 'blue' }), first);
    expect([again.code, again.response.status]).toEqual(['InvalidParameterValue', 400]);
  });

  it('never give credentials that are too large for any request', async () => {
    // Of one character: it packs so well that the packed size stays far below its limit.
    const wide = (first: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`${first + index}`.padEnd(128, '世'), '世'.repeat(256)]),
      );
    let as = keyOf('alice');
    let outcome: Outcome | undefined;
    for (const first of [100, 200, 300]) {
      const passed = wide(first);
      outcome = await assume('silent', tags(passed, Object.keys(passed)), as);
      if (outcome.code !== '') break;
      expect((await claimsOf(outcome)).tags).toHaveLength(first / 2);
      as = credentialsIn(outcome);
    }
    expect([outcome?.code, outcome?.response.status]).toEqual(['PackedPolicyTooLarge', 400]);
    expect(outcome?.message).toMatch(/ takes \d+ bytes unpacked, \d+ more than the \d+ allowed/);
  });

  it('need a role that takes tags', async () => {
    const first = credentialsIn(await assume('tagged', tags({ team: 'blue' }, ['team'])));
    expect((await assume('plain', {}, first)).code).toBe('AccessDenied');
    const untied = credentialsIn(await assume('tagged', tags({ team: 'blue' })));
    expect((await assume('plain', {}, untied)).code).toBe('');
  });

  it('count towards the room, but only what is passed is reported', async () => {
    const first = credentialsIn(await assume('tagged', tags({ team: 'blue' }, ['team'])));
    expect((await assume('tagged', {}, first)).response.body).not.toContain('PackedPolicySize');
  });
});

describe('a source identity', () => {
  it('travels in the token and in the answer', async () => {
    const outcome = await assume('tagged', { SourceIdentity: 'alice@example' });
    expect(elementText(outcome.response.body, 'SourceIdentity')).toBe('alice@example');
    expect((await claimsOf(outcome)).sourceIdentity).toBe('alice@example');
  });

  it('needs sts:SetSourceIdentity in the trust policy, under its conditions', async () => {
    expect((await assume('plain', { SourceIdentity: 'alice' })).code).toBe('AccessDenied');
    expect((await assume('signed', { SourceIdentity: 'alice' })).code).toBe('');
    const outcome = await assume('signed', { SourceIdentity: 'mallory' });
    expect(outcome.code).toBe('AccessDenied');
    expect(outcome.message).toContain('sts:SetSourceIdentity');
  });

  it('passes along a chain whose sessions may set it, and cannot change', async () => {
    const silent = credentialsIn(await assume('silent', { SourceIdentity: 'alice' }));
    expect((await assume('tagged', {}, silent)).code).toBe('AccessDenied');
    expect((await assume('named', {}, silent)).code).toBe('AccessDenied');
    const unsigned = credentialsIn(await assume('silent'));
    expect((await assume('named', {}, unsigned)).code).toBe('');
    const speaking = credentialsIn(await assume('speaking', { SourceIdentity: 'alice' }));
    const outcome = await assume('tagged', {}, speaking);
    expect((await claimsOf(outcome)).sourceIdentity).toBe('alice');
    expect((await assume('tagged', { SourceIdentity: 'alice' }, speaking)).code).toBe('');
    const changed = await assume('tagged', { SourceIdentity: 'bob' }, speaking);
    expect([changed.code, changed.response.status]).toEqual(['AccessDenied', 403]);
    expect((await assume('plain', {}, speaking)).code).toBe('AccessDenied');
  });

  it.each(['a', 'aws:alice', 'with space', 'x'.repeat(65)])('is refused as %j', async (SourceIdentity) => {
    expect((await assume('tagged', { SourceIdentity })).code).toBe('ValidationError');
  });
});

describe('inherited tags', () => {
  const tags = (count: number, name: string) =>
    Array.from({ length: count }, (_, at) => ({ key: `${name}${at}`, value: 'v', isTransitive: true }));

  it('are 200 at most, together with those of the request', () => {
    expect(withInherited(tags(50, 'own'), tags(150, 'inherited'))).toHaveLength(200);
    expect(() => withInherited(tags(50, 'own'), tags(151, 'inherited'))).toThrow(
      expect.objectContaining({ code: 'PackedPolicyTooLarge' }),
    );
    expect(() => withInherited([], tags(201, 'inherited'))).toThrow(
      'The session would have 201 session tags, 201 of them inherited; 200 are allowed.',
    );
  });
});
