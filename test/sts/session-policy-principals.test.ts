import { describe, expect, it } from 'vitest';
import { parsePolicyText } from '../../src/iam/document.ts';
import { policyText, scope, sessionOf, call as signedCall } from './support/scoped-world.ts';
import { document, keyOf, type Outcome, userArn } from './support/sts-fixture.ts';

const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' };
const withElements = (elements: object): string => policyText(document({ ...statement, ...elements }));

/** Every signed call that takes a session policy. */
const calls: Readonly<Record<string, (Policy: string) => Promise<Outcome>>> = {
  AssumeRole: (Policy) =>
    signedCall(
      'AssumeRole',
      { RoleArn: 'arn:aws:iam:::role/open', RoleSessionName: 'catalog', Policy },
      keyOf('alice'),
    ),
  GetFederationToken: (Policy) =>
    signedCall('GetFederationToken', { Name: 'catalog', Policy }, keyOf('alice')),
  GetScopedCredentials: async (Policy) => scope({ Policy }, await sessionOf('worker')),
};

const everyone: readonly unknown[] = ['*', { AWS: '*' }, { AWS: ['*'] }];
const others: readonly unknown[] = [
  { AWS: userArn('alice') },
  { AWS: '123456789012' },
  { AWS: ['*', userArn('alice')] },
  { AWS: ['*', '*'] },
  { AWS: ['*', 'no principal'] },
  { AWS: ['*', 1] },
  { AWS: [['*']] },
  { AWS: { AWS: '*' } },
  { AWS: '*', Service: '*' },
  { AWS: '*', aws: '*' },
  { AWS: '*', Federated: [] },
  { 'AWS,': '*' },
  { AWS: '*', Service: 's3.amazonaws.com' },
  { Federated: '*' },
  { Service: 's3.amazonaws.com' },
  { CanonicalUser: '*' },
  { aws: '*' },
  { AWS: [] },
  {},
  '',
  '**',
  ['*'],
  [],
  userArn('alice'),
  null,
  true,
];

describe.each(Object.entries(calls))('a session policy of %s', (_, send) => {
  it.each(everyone)('may have everyone as its only principal: %j', async (Principal) => {
    expect((await send(withElements({ Principal }))).code).toBe('');
  });

  it.each(others)('is malformed with any other principal: %j', async (Principal) => {
    const { code, response, message } = await send(withElements({ Principal }));
    expect([code, response.status]).toEqual(['MalformedPolicyDocument', 400]);
    expect(message).toContain('Statement[0].Principal: must be "*" alone, or left out');
  });

  it.each(['*', { AWS: '*' }, { AWS: userArn('alice') }])(
    'is malformed with NotPrincipal: %j',
    async (NotPrincipal) => {
      for (const elements of [{ NotPrincipal }, { NotPrincipal, Principal: '*' }]) {
        const { code, message } = await send(withElements({ Effect: 'Deny', ...elements }));
        expect(code).toBe('MalformedPolicyDocument');
        expect(message).toContain('Statement[0].NotPrincipal');
      }
    },
  );

  it('is malformed when one statement of several has another principal', async () => {
    const Policy = policyText(
      document({ ...statement, Principal: '*' }, { ...statement, Principal: { AWS: userArn('alice') } }),
    );
    expect((await send(Policy)).code).toBe('MalformedPolicyDocument');
  });
});

describe('everyone as the principal of a session policy', () => {
  it.each(everyone)('means nothing: %j', (Principal) => {
    for (const Effect of ['Allow', 'Deny']) {
      const { characters: _, ...without } = parsePolicyText(withElements({ Effect }), 'session');
      const { characters: __, ...read } = parsePolicyText(withElements({ Effect, Principal }), 'session');
      expect(read).toEqual(without);
      expect(read.statements[0]?.principals).toBeUndefined();
    }
  });

  it.each(['identity', 'boundary'] as const)('is refused in an %s policy as before', (kind) => {
    expect(() => parsePolicyText(withElements({ Principal: '*' }), kind)).toThrow('Statement[0].Principal');
  });
});
