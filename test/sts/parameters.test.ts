import { describe, expect, it } from 'vitest';
import {
  arrive,
  assumeRoleForm,
  buildWorld,
  dependenciesOf,
  keyOf,
  type Outcome,
  policyArn,
  serve,
  trust,
  userArn,
} from './support/sts-fixture.ts';

const world = buildWorld({ users: { alice: {} }, roles: { direct: { trust: trust(userArn('alice')) } } });
const dependencies = dependenciesOf(world);

async function assume(changes: Readonly<Record<string, string>>): Promise<Outcome> {
  return serve(await arrive(assumeRoleForm('direct', changes), keyOf('alice')), dependencies);
}

function failed(value: string | null, path: string, constraint: string): string {
  const shown = value === null ? 'Value null' : `Value '${value}'`;
  return `1 validation error detected: ${shown} at '${path}' failed to satisfy constraint: Member must ${constraint}`;
}

const namePattern = 'satisfy regular expression pattern: [\\w+=,.@-]*';

describe('constraints of AssumeRole', () => {
  it('are all listed in one error when they are violated', async () => {
    const outcome = await assume({ RoleSessionName: '!', DurationSeconds: '899', ExternalId: 'x' });
    expect([outcome.code, outcome.response.status]).toEqual(['ValidationError', 400]);
    expect(outcome.message).toBe(
      [
        "4 validation errors detected: Value '!' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        "Value '!' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        "Value 'x' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2",
      ].join('; '),
    );
  });

  it('says null for what is missing', async () => {
    const form = { Action: 'AssumeRole', Version: '2011-06-15' };
    const outcome = await serve(await arrive(form, keyOf('alice')), dependencies);
    expect(outcome.message).toBe(
      "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    );
  });

  it.each([
    [
      'RoleArn',
      'arn:aws:iam::1:role',
      failed('arn:aws:iam::1:role', 'roleArn', 'have length greater than or equal to 20'),
    ],
    ['RoleSessionName', 'with space', failed('with space', 'roleSessionName', namePattern)],
    ['RoleSessionName', 'line\n', failed('line\n', 'roleSessionName', namePattern)],
    [
      'RoleSessionName',
      'x'.repeat(65),
      failed('x'.repeat(65), 'roleSessionName', 'have length less than or equal to 64'),
    ],
    [
      'DurationSeconds',
      '31536001',
      failed('31536001', 'durationSeconds', 'have value less than or equal to 31536000'),
    ],
    ['DurationSeconds', '-900', failed('-900', 'durationSeconds', 'have value greater than or equal to 900')],
    ['DurationSeconds', '1e3', failed('1e3', 'durationSeconds', 'be an integer')],
    ['DurationSeconds', '900.5', failed('900.5', 'durationSeconds', 'be an integer')],
    ['DurationSeconds', '0x400', failed('0x400', 'durationSeconds', 'be an integer')],
    ['DurationSeconds', '', failed('', 'durationSeconds', 'be an integer')],
    [
      'ExternalId',
      'a b',
      failed('a b', 'externalId', 'satisfy regular expression pattern: [\\w+=,.@:\\/-]*'),
    ],
    [
      'Policy',
      '{"Sid":"\u0100"}',
      failed(
        '{"Sid":"\u0100"}',
        'policy',
        'satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
      ),
    ],
    ['TokenCode', '12345x', failed('12345x', 'tokenCode', 'satisfy regular expression pattern: [\\d]*')],
    ['SerialNumber', 'short', failed('short', 'serialNumber', 'have length greater than or equal to 9')],
    [
      'SourceIdentity',
      'aws:x',
      failed('aws:x', 'sourceIdentity', 'satisfy regular expression pattern: (?!aws:)[\\w+=,.@-]*'),
    ],
    [
      'PolicyArns.member.1.arn',
      'short',
      failed('short', 'policyArns.1.member.arn', 'have length greater than or equal to 20'),
    ],
    ['Tags.member.1.Key', 'team', failed(null, 'tags.1.member.value', 'not be null')],
    [
      'TransitiveTagKeys.member.1',
      'a*',
      failed(
        'a*',
        'transitiveTagKeys.1.member',
        'satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*',
      ),
    ],
    [
      'ProvidedContexts.member.2.ProviderArn',
      'arn:aws:iam::123456789012:x',
      failed(null, 'providedContexts.1.member.contextAssertion', 'not be null'),
    ],
  ])('refuses %s=%j', async (name, value, message) => {
    const outcome = await assume({ [name]: value });
    expect([outcome.code, outcome.message]).toEqual(['ValidationError', message]);
  });

  it.each(['Policy.member.1', 'Policy.1', 'Policy.'])(
    'refuses %s: a policy that is ignored grants more than was asked for',
    async (name) => {
      const policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });
      expect((await assume({ [name]: policy })).code).toBe('InvalidParameterCombination');
    },
  );

  it('shows only the beginning of a long value', async () => {
    const outcome = await assume({ ExternalId: 'x'.repeat(100_000) });
    expect(outcome.message).toBe(
      failed(`${'x'.repeat(256)}…`, 'externalId', 'have length less than or equal to 1224'),
    );
  });

  it.each([
    ['PolicyArns', 11, 10],
    ['Tags', 51, 50],
    ['TransitiveTagKeys', 51, 50],
    ['ProvidedContexts', 6, 5],
  ])('limits the length of %s', async (name, count, limit) => {
    const field = {
      PolicyArns: '.arn',
      Tags: '.Key',
      TransitiveTagKeys: '',
      ProvidedContexts: '.ProviderArn',
    }[name];
    const members = Array.from({ length: count }, (_, index) => [
      `${name}.member.${index + 1}${field}`,
      policyArn('p'),
    ]);
    const outcome = await assume(Object.fromEntries(members));
    expect(outcome.code).toBe('ValidationError');
    expect(outcome.message).toContain(`Member must have length less than or equal to ${limit}`);
  });
});

describe('a session policy under a misspelt name', () => {
  it.each([
    'PolicyArns.1.arn',
    'PolicyArns.member.1',
    'PolicyArns.member.0.arn',
    'PolicyArns.member.01.arn',
    'PolicyArns.member.1.Arn',
    'PolicyArns.member.1.arn.x',
    'PolicyArns.entry.1.arn',
  ])('is refused, not lost: %s', async (name) => {
    const outcome = await assume({ [name]: policyArn('p') });
    expect(outcome.message).toBe(failed(policyArn('p'), name, 'be written as PolicyArns.member.N.arn'));
  });

  it('is accepted when the list is empty', async () => {
    expect((await assume({ PolicyArns: '', Tags: '' })).code).toBe('');
    expect((await assume({ PolicyArns: policyArn('p') })).code).toBe('ValidationError');
  });
});

describe('parameters that this version cannot honour', () => {
  it.each([
    [
      {
        'ProvidedContexts.member.1.ProviderArn': 'arn:aws:iam::aws:contextProvider/IdentityCenter',
        'ProvidedContexts.member.1.ContextAssertion': 'assertion',
      },
      'ProvidedContexts is',
    ],
  ])('are refused, not ignored: %j', async (changes, subject) => {
    const outcome = await assume({ ...changes } as Record<string, string>);
    expect([outcome.code, outcome.response.status, outcome.message]).toEqual([
      'ValidationError',
      400,
      `${subject} not supported by this version of the service.`,
    ]);
  });

  it('do not affect undeclared ones, which are ignored', async () => {
    expect((await assume({ NoSuchParameter: 'x', roleArn: 'y' })).code).toBe('');
  });
});
