import { beforeEach, describe, expect, it } from 'vitest';
import type { StsDependencies } from '../../src/sts/handle.ts';
import {
  arrive,
  assumePolicy,
  buildWorld,
  dependenciesOf,
  keyOf,
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const world = buildWorld({
  users: { alice: { inline: [assumePolicy('*')] } },
  roles: { data: { trust: trust(userArn('alice')) } },
});
let dependencies: StsDependencies;
beforeEach(() => {
  dependencies = dependenciesOf(world);
});

/** What each action needs beside the parameter under test. */
const usual: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AssumeRole: { RoleArn: roleArn('data'), RoleSessionName: 'me' },
  AssumeRoleWithWebIdentity: { RoleArn: roleArn('data'), RoleSessionName: 'me', WebIdentityToken: 'a.b.c.d' },
  AssumeRoleWithSAML: {
    RoleArn: roleArn('data'),
    PrincipalArn: 'arn:aws:iam::123456789012:saml-provider/x',
    SAMLAssertion: 'abcd',
  },
  AssumeRoleWithCustomToken: { RoleArn: 'arn:minio:iam:::role/idmp-x', Token: 'x' },
  GetSessionToken: {},
  GetFederationToken: { Name: 'guest' },
  GetAccessKeyInfo: { AccessKeyId: 'AKIAABCDEFGHIJKLMNOP' },
  DecodeAuthorizationMessage: { EncodedMessage: 'x' },
};
const unsigned: ReadonlySet<string> = new Set([
  'AssumeRoleWithWebIdentity',
  'AssumeRoleWithSAML',
  'AssumeRoleWithCustomToken',
]);

/** The error about one parameter; empty when there is none. */
async function saidOf(action: string, name: string, value: string, path: string): Promise<string> {
  const form = { Action: action, Version: version, ...usual[action], [name]: value };
  const key = unsigned.has(action) ? undefined : keyOf('alice');
  const { code, message } = await serve(await arrive(form, key), dependencies);
  const about = message
    .replace(/^\d+ validation errors? detected: /, '')
    .split('; ')
    .filter((part) => part.includes(` at '${path}' `));
  if (about.length > 0) expect(code).toBe('ValidationError');
  return about.map((part) => part.replace(/^.* failed to satisfy constraint: /s, '')).join('; ');
}

type Row = readonly [
  name: string,
  path: string,
  min: number,
  max: number,
  good: string,
  bad: string,
  actions: string,
];
const federated = 'AssumeRoleWithWebIdentity AssumeRoleWithSAML';
const arn = 'arn:aws:iam::123456789012:x/';

/**
 * Every constraint of lengths and characters (AWS STS API Reference 2011-06-15), with a character that is allowed, one that is
 * not (none where every one is), and the actions that have the parameter. Members of lists are tried as the first one.
 */
const rows: readonly Row[] = [
  ['RoleArn', 'roleArn', 20, 2048, 'x', '', `AssumeRole ${federated} AssumeRoleWithCustomToken`],
  ['PrincipalArn', 'principalArn', 20, 2048, 'x', '', 'AssumeRoleWithSAML'],
  [
    'PolicyArns.member.1.arn',
    'policyArns.1.member.arn',
    20,
    2048,
    'x',
    '',
    `AssumeRole ${federated} GetFederationToken`,
  ],
  ['RoleSessionName', 'roleSessionName', 2, 64, '=', ' ', 'AssumeRole AssumeRoleWithWebIdentity'],
  ['SourceIdentity', 'sourceIdentity', 2, 64, '@', '/', 'AssumeRole'],
  ['Name', 'name', 2, 32, ',', ':', 'GetFederationToken'],
  ['ExternalId', 'externalId', 2, 1224, '/', '*', 'AssumeRole'],
  ['SerialNumber', 'serialNumber', 9, 256, ':', '%', 'AssumeRole GetSessionToken'],
  ['TokenCode', 'tokenCode', 6, 6, '0', '٣', 'AssumeRole GetSessionToken'],
  ['TransitiveTagKeys.member.1', 'transitiveTagKeys.1.member', 1, 128, 'é', '*', 'AssumeRole'],
  ['Policy', 'policy', 1, 100_000, '{', 'Ā', `AssumeRole ${federated} GetFederationToken`],
  ['WebIdentityToken', 'webIdentityToken', 4, 20_000, 'x', '', 'AssumeRoleWithWebIdentity'],
  ['ProviderId', 'providerId', 4, 2048, 'x', '', 'AssumeRoleWithWebIdentity'],
  ['SAMLAssertion', 'sAMLAssertion', 4, 100_000, 'x', '', 'AssumeRoleWithSAML'],
  ['AccessKeyId', 'accessKeyId', 16, 128, '_', '-', 'GetAccessKeyInfo'],
  ['EncodedMessage', 'encodedMessage', 1, 10_240, 'x', '', 'DecodeAuthorizationMessage'],
];
const cases = rows.flatMap(([name, path, min, max, good, bad, actions]) =>
  actions.split(' ').map((action) => ({ action, name, path, min, max, good, bad })),
);

const tooShort = (min: number): string => `Member must have length greater than or equal to ${min}`;
const tooLong = (max: number): string => `Member must have length less than or equal to ${max}`;

describe('the limits of a parameter', () => {
  it.each(cases)(
    '$name of $action: $min to $max characters',
    async ({ action, name, path, min, max, good }) => {
      const of = (length: number): string =>
        good === 'x' && min === 20 && length > 28 ? arn.padEnd(length, 'x') : good.repeat(length);
      expect(await saidOf(action, name, of(min), path)).not.toContain('have length');
      expect(await saidOf(action, name, of(min - 1), path)).toContain(tooShort(min));
      // Longer policies are refused with all session policies together.
      if (name === 'Policy') return;
      expect(await saidOf(action, name, of(max), path)).not.toContain('have length');
      expect(await saidOf(action, name, of(max + 1), path)).toContain(tooLong(max));
    },
  );

  it.each(cases.filter(({ bad }) => bad !== ''))(
    '$name of $action: not $bad, wherever it stands',
    async ({ action, name, path, min, good, bad }) => {
      const rest = good.repeat(Math.max(min - 1, 1));
      expect(await saidOf(action, name, good + rest, path)).not.toContain('pattern');
      const tried = [bad + rest, rest + bad, rest.slice(1) + bad + rest.slice(0, 1)];
      // A pattern that is matched line by line would let these through.
      if (name !== 'Policy') tried.push(`${good}${rest}\n`, `${good}${rest}\n${bad}`, `\n${good}${rest}`);
      for (const value of tried) {
        expect(await saidOf(action, name, value, path)).toContain(
          'Member must satisfy regular expression pattern',
        );
      }
    },
  );

  it.each([
    ['AssumeRole', 900, 31_536_000],
    ['AssumeRoleWithWebIdentity', 900, 31_536_000],
    ['AssumeRoleWithSAML', 900, 31_536_000],
    ['AssumeRoleWithCustomToken', 900, 31_536_000],
    ['GetSessionToken', 900, 129_600],
    ['GetFederationToken', 900, 129_600],
  ])('DurationSeconds of %s: %i to %i', async (action, min, max) => {
    const said = (value: number): Promise<string> =>
      saidOf(action, 'DurationSeconds', String(value), 'durationSeconds');
    expect([await said(min), await said(max)]).toEqual(['', '']);
    expect(await said(min - 1)).toBe(`Member must have value greater than or equal to ${min}`);
    expect(await said(max + 1)).toBe(`Member must have value less than or equal to ${max}`);
  });

  it.each([
    'AssumeRole',
    'AssumeRoleWithWebIdentity',
    'AssumeRoleWithSAML',
    'GetSessionToken',
    'GetFederationToken',
  ])('MinimumSessionTokenSize of %s: 0 to 4096', async (action) => {
    const said = (value: number): Promise<string> =>
      saidOf(action, 'MinimumSessionTokenSize', String(value), 'minimumSessionTokenSize');
    expect([await said(0), await said(4096)]).toEqual(['', '']);
    expect(await said(-1)).toBe('Member must have value greater than or equal to 0');
    expect(await said(4097)).toBe('Member must have value less than or equal to 4096');
  });

  it.each(['AssumeRole', 'GetFederationToken'])('tags of %s', async (action) => {
    const said = async (key: string, value: string): Promise<string[]> => {
      const form = {
        ...{ Action: action, Version: version, ...usual[action] },
        ...{ 'Tags.member.1.Key': key, 'Tags.member.1.Value': value },
      };
      const { message } = await serve(await arrive(form, keyOf('alice')), dependencies);
      return [
        ...message.matchAll(
          /at 'tags\.1\.member\.(\w+)' failed to satisfy constraint: Member must (\w+ \w+)/g,
        ),
      ].map(([, field, what]) => `${field} ${what}`);
    };
    expect(await said('k'.repeat(128), 'v'.repeat(256))).toEqual([]);
    expect(await said('k', '')).toEqual([]);
    expect(await said('', 'v')).toEqual(['key have length']);
    expect(await said('k'.repeat(129), 'v'.repeat(257))).toEqual(['key have length', 'value have length']);
    expect(await said('a*', 'b#')).toEqual(['key satisfy regular', 'value satisfy regular']);
    expect(await said('ключ / 1_.:=+-@', '값')).toEqual([]);
  });

  it('are all reported at once, for every action', async () => {
    for (const { action, name } of cases) {
      const form = { Action: action, Version: version, ...usual[action], [name]: '', DurationSeconds: '1' };
      const key = unsigned.has(action) ? undefined : keyOf('alice');
      const { message } = await serve(await arrive(form, key), dependencies);
      const [, count = '1'] = /^(\d+) validation errors? detected/.exec(message) ?? [];
      expect(message.split('failed to satisfy constraint').length - 1).toBe(Number(count));
      if (/^(?:Assume|GetS|GetF)/.test(action)) expect(message).toContain("Value '1' at 'durationSeconds'");
    }
  });

  it('never show a token or an assertion', async () => {
    for (const [action, name] of [
      ['AssumeRoleWithWebIdentity', 'WebIdentityToken'],
      ['AssumeRoleWithSAML', 'SAMLAssertion'],
      ['AssumeRoleWithCustomToken', 'Token'],
    ] as const) {
      const secret = `secret-${'x'.repeat(100_001)}`;
      const form = { Action: action, Version: version, ...usual[action], [name]: secret };
      const { code, message } = await serve(await arrive(form, undefined), dependencies);
      expect(code).toBe('ValidationError');
      expect(message).not.toContain('secret-');
    }
  });
});
