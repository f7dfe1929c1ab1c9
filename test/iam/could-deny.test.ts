import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/iam/combine.ts';
import { couldDenyOther } from '../../src/iam/could-deny.ts';
import type { AuthorizationQuery } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { variable } from '../support/policy-documents.ts';
import { compileAll } from '../support/raw-policies.ts';

const bucket = 'arn:aws:s3:::data/';
const account = '123456789012';
const principal = { kind: 'user', accountId: account, arn: `arn:aws:iam::${account}:user/anna` } as const;
const context = new RequestContext([['aws:PrincipalTag/team', 'a']]);
const queryOf = (key: string, isDenyOnly: boolean): AuthorizationQuery => ({
  principal,
  action: 's3:DeleteObject',
  resource: bucket + key,
  context,
  isDenyOnly,
});

const pattern = fc.constantFrom(
  '*',
  'arn:aws:s3:::*',
  'arn:*:s3:::data/*',
  ...['*', '*/', 'a', 'a/', 'a*', 'a/*', 'a/b', 'a/b/', 'a/b/*', '?', '??', '*b*', 'b/'].map(
    (key) => bucket + key,
  ),
  `${bucket}${variable('aws:PrincipalTag/team')}*`,
  `${bucket}${variable('aws:PrincipalTag/team')}/`,
  `${bucket}${variable('aws:PrincipalTag/none')}/`,
  'arn:aws:s3:::other/*',
);
const condition = fc.constantFrom(
  {},
  { StringEquals: { 'aws:PrincipalTag/team': 'a' } },
  { StringEquals: { 'aws:PrincipalTag/team': 'b' } },
);
const statement = fc
  .tuple(fc.boolean(), fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }), condition)
  .map(([isNegated, values, Condition]) => ({
    Effect: 'Deny',
    Action: 's3:*',
    [isNegated ? 'NotResource' : 'Resource']: values,
    Condition,
  }));
// With as many statements the index of the policy separates them by bucket.
const policy = fc.array(statement, { minLength: 1, maxLength: 8 }).map((statements) => ({
  Version: '2012-10-17',
  Statement: [...statements, { Effect: 'Allow', Action: '*', Resource: '*' }],
}));
const names = fc.constantFrom('a', 'b', 'a/b', 'ab', 'a b');

describe('a name that need not be allowed', () => {
  it('is only left out where it could not be denied, or the name that was sent is denied', () => {
    fc.assert(
      fc.property(policy, policy, names, (first, second, key) => {
        const sets = {
          identity: compileAll([first], 'identity'),
          session: compileAll([second], 'session'),
        };
        const asked = queryOf(`${key}/`, true);
        if (couldDenyOther(sets, asked, bucket + key)) return;
        const isDenied = (query: AuthorizationQuery): boolean => {
          const decision = decide(sets, query);
          return decision.effect !== 'allow' && (decision.effect === 'needs' || decision.isExplicitDeny);
        };
        expect(isDenied(asked) && !isDenied(queryOf(key, false))).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['Resource', '*', false],
    ['Resource', `${bucket}*`, false],
    ['Resource', `${bucket}k`, false],
    ['Resource', `${bucket}k/x`, false],
    ['NotResource', `${bucket}k`, false],
    ['Resource', `${bucket}k/`, true],
    ['Resource', `${bucket}k/*`, true],
    ['Resource', `${bucket}*/`, true],
    ['Resource', 'arn:*:s3:::data/k/', true],
    ['Resource', `${bucket}${variable('aws:username')}/`, true],
  ])('with a Deny whose %s is %s is asked about: %s', (element, value, isAsked) => {
    const Statement = { Effect: 'Deny', Action: 's3:*', [element]: value };
    const sets = { identity: compileAll([{ Version: '2012-10-17', Statement }], 'identity') };
    expect(couldDenyOther(sets, queryOf('k/', true), `${bucket}k`)).toBe(isAsked);
  });
});

describe('a deny-only question', () => {
  it('is neither an allow nor an explicit deny without a Deny that names the resource', () => {
    const Statement = [
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: '*', NotResource: `${bucket}k` },
    ];
    const sets = { identity: compileAll([{ Version: '2012-10-17', Statement }], 'identity') };
    const decision = decide(sets, queryOf('k/', true));
    expect(decision).toMatchObject({ effect: 'deny', isExplicitDeny: false });
  });
});
