import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import {
  accountId,
  arrive,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  keyOf,
  providersWith,
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

afterEach(() => void vi.restoreAllMocks());

/** Statements that fold two long headers as often as a policy's size allows, and deny nothing. */
const dear = Array.from({ length: 2 }, () => ({
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition: Object.fromEntries(
    ['', 'ForAllValues:', 'ForAnyValue:'].flatMap((set) =>
      ['', 'IfExists'].map((form) => [
        `${set}StringNotEqualsIgnoreCase${form}`,
        { 'aws:UserAgent': 'b', 'aws:Referer': 'b' },
      ]),
    ),
  ),
}));
// None of the headers equals `b`, so each of them denies unless a last condition does not hold.
const neverDenies = dear.map((one) => ({
  ...one,
  Condition: { ...one.Condition, Null: { 'aws:Referer': true } },
}));
const names = Array.from({ length: 20 }, (_, index) => `Dear${index}`);
const dearPolicy = document(...neverDenies);
const world = buildWorld({
  policies: Object.fromEntries(names.map((name) => [name, dearPolicy])),
  users: {
    alice: {
      inline: [document({ Effect: 'Allow', Action: 'sts:*', Resource: '*' })],
      attached: names,
    },
    bob: { attached: names },
  },
  roles: {
    data: {
      trust: document(
        {
          Effect: 'Allow',
          Principal: { AWS: userArn('alice') },
          Action: ['sts:AssumeRole', 'sts:TagSession'],
        },
        ...neverDenies.map(({ Resource: _, ...one }) => ({ ...one, Principal: '*' })),
      ),
    },
    open: {
      trust: trust('*'),
      inline: [document({ Effect: 'Allow', Action: 'sts:*', Resource: '*' })],
    },
  },
});

/** The most steps of decisions that one turn of the event loop runs while `act` lasts. */
async function mostStepsOfATurn(act: () => Promise<unknown>): Promise<number> {
  let [most, current, isStopped] = [0, 0, false];
  const { spend } = DecisionBudget.prototype;
  vi.spyOn(DecisionBudget.prototype, 'spend').mockImplementation(function (this: DecisionBudget, steps) {
    current += steps;
    most = Math.max(most, current);
    spend.call(this, steps);
  });
  const turn = (): void => {
    current = 0;
    if (!isStopped) setImmediate(turn);
  };
  turn();
  await act();
  isStopped = true;
  return most;
}

const headers = { 'user-agent': 'a'.repeat(2_048), referer: 'a'.repeat(2_048) };
const tags = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'blue' };

describe('an STS decision by policies that take long', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['AssumeRole', 'alice', assumeRoleForm('data', tags), ''],
    ['a refused AssumeRole', 'bob', assumeRoleForm('data', tags), 'AccessDenied'],
    [
      'GetFederationToken',
      'alice',
      { Action: 'GetFederationToken', Version: version, Name: 'ada', ...tags },
      '',
    ],
    [
      'a refused GetAccessKeyInfo',
      'bob',
      { Action: 'GetAccessKeyInfo', Version: version, AccessKeyId: 'ASIAY34FZKBOKMUTVV7A' },
      'AccessDenied',
    ],
  ])('leaves room for other work: %s', async (_, caller, form, code) => {
    const request = await arrive(form, keyOf(caller), { headers });
    const dependencies = dependenciesOf(world);
    const codes: string[] = [];
    const most = await mostStepsOfATurn(async () => {
      codes.push((await serve(request, dependencies)).code);
    });
    expect(codes).toEqual([code]);
    // Enough to matter, and one policy is never interrupted.
    expect(most).toBeGreaterThan(stepsPerSlice / 4);
    expect(most).toBeLessThan(2 * stepsPerSlice);
  });
});

/** A session policy of full size, unlike every other one. */
function longPolicy(index: number): string {
  const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
  const values = [`u${index}`, ...Array.from({ length: 190 }, () => '*?*?')];
  return JSON.stringify(
    document(everything, {
      ...everything,
      Effect: 'Deny',
      Condition: { StringLike: { 'aws:Referer': values } },
    }),
  );
}

it.each<[string, Record<string, string>]>([
  ['GetAccessKeyInfo', { Action: 'GetAccessKeyInfo', Version: version, AccessKeyId: 'ASIAY34FZKBOKMUTVV7A' }],
  ['AssumeRole', assumeRoleForm('open')],
])('session policies are compiled a few in each turn of the event loop: %s', async (_, form) => {
  const issuing = dependenciesOf(world);
  const calls = await Promise.all(
    Array.from({ length: 60 }, async (__, index) => {
      const asked = await arrive(assumeRoleForm('open', { Policy: longPolicy(index) }), keyOf('alice'));
      return arrive(form, credentialsIn(await serve(asked, issuing)));
    }),
  );
  // Nothing is compiled yet here.
  const dependencies = dependenciesOf(world);
  const gathered = vi.spyOn(PolicyGatherer.prototype, 'gather');
  await nextTurn();
  let isDone = false;
  const served = Promise.all(calls.map((call) => serve(call, dependencies))).finally(() => {
    isDone = true;
  });
  let most = 0;
  while (!isDone) {
    const before = gathered.mock.calls.length;
    await nextTurn();
    most = Math.max(most, gathered.mock.calls.length - before);
  }
  for (const { code } of await served) expect(code).toBe('');
  expect(gathered).toHaveBeenCalledTimes(calls.length);
  expect(most).toBeLessThanOrEqual(20);
});

it('nothing is decided for a user of an identity provider about a role that does not exist', async () => {
  const identity = {
    subject: 'subject-1',
    claims: new Map([['sub', ['subject-1']]]),
    tags: [],
    sourceIdentity: undefined,
    policyNames: undefined,
    provider: 'login',
    providerArn: `arn:aws:iam::${accountId}:oidc-provider/login.example.com`,
    hasOwnRole: false,
    issuer: 'https://login.example.com',
    audience: 'app',
    expiresAt: 0,
  };
  const identityProviders = providersWith({ webIdentity: async () => identity });
  const begun = vi.spyOn(DecisionBudget.prototype, 'begin');
  const answer = async (role: string): Promise<string> => {
    const action = { Action: 'AssumeRoleWithWebIdentity', Version: version, WebIdentityToken: 'a.b.c' };
    const form = { ...action, RoleArn: roleArn(role), RoleSessionName: 'abc' };
    const { code, message } = await serve(
      await arrive(form, undefined),
      dependenciesOf(world, { identityProviders }),
    );
    return `${code}: ${message}`;
  };
  const missing = await answer('missing');
  expect(begun).not.toHaveBeenCalled();
  expect(await answer('data')).toBe(missing);
  expect(begun).toHaveBeenCalledTimes(1);
});
