import { describe, expect, it } from 'vitest';
import {
  accountId,
  arrive,
  assumeRoleForm,
  buildWorld,
  dependenciesOf,
  document,
  elementText,
  keyOf,
  type Outcome,
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const red = { StringEquals: { 'aws:ResourceTag/team': 'red' } };
const account = trust(`arn:aws:iam::${accountId}:root`);
const all = { Effect: 'Allow', Action: '*', Resource: '*' };
const dependencies = dependenciesOf(
  buildWorld({
    hasRoot: true,
    users: {
      alice: { inline: [document({ ...all, Action: 'sts:AssumeRole', Condition: red })] },
      bob: { inline: [document(all, { ...all, Effect: 'Deny', Condition: red })] },
    },
    roles: {
      red: { trust: account, tags: { team: 'red' } },
      blue: { trust: account, tags: { team: 'blue' } },
      'of-bob': { trust: trust(userArn('bob')), tags: { team: 'red' } },
    },
  }),
);

const assume = async (user: string, role: string): Promise<Outcome> =>
  serve(await arrive(assumeRoleForm(role), keyOf(user)), dependencies);

async function decoded(EncodedMessage: string): Promise<string> {
  const form = { Action: 'DecodeAuthorizationMessage', Version: version, EncodedMessage };
  const { response } = await serve(await arrive(form, keyOf('root')), dependencies);
  return elementText(response.body, 'DecodedMessage')?.replaceAll('&quot;', '"') ?? '';
}

describe('a caller whose own policies depend on the tags of the role', () => {
  it('may assume the roles that they allow', async () => {
    expect((await assume('alice', 'red')).code).toBe('');
    expect((await assume('bob', 'blue')).code).toBe('');
  });

  it.each([
    ['alice', 'blue'],
    ['alice', 'missing'],
    ['bob', 'red'],
    ['bob', 'of-bob'],
    ['bob', 'missing'],
  ])('is refused without a word about the role: %s, %s', async (user, role) => {
    const { code, message, facts, sealed } = await assume(user, role);
    const asked = `sts:AssumeRole on resource: ${roleArn(role)}`;
    expect([code, message]).toEqual([
      'AccessDenied',
      `User: ${userArn(user)} is not authorized to perform: ${asked}`,
    ]);
    // It was decided: neither the log nor the decoded message blames the server.
    expect(facts.decision?.decision).toBe('deny');
    expect(JSON.parse(await decoded(sealed))).toMatchObject({
      explicitDeny: false,
      denial: { isDecided: true },
    });
  });
});
