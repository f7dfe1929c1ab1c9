import { describe, expect, it } from 'vitest';
import {
  account,
  bucketPolicy,
  policy,
  problemsOf,
  type Rejection,
  trustPolicy,
  variable,
} from '../support/policy-documents.ts';

const principalRejections: readonly Rejection[] = [
  ['Principal in an identity policy', 'identity', bucketPolicy({}), 'Statement[0].Principal'],
  ['NotPrincipal in a session policy', 'session', policy({ NotPrincipal: '*' }), 'Statement[0].NotPrincipal'],
  ['Principal in a boundary', 'boundary', bucketPolicy({}), 'Statement[0].Principal'],
  ['no Principal in a bucket policy', 'resource', policy({}), 'Statement[0]'],
  ['no Principal in a trust policy', 'trust', trustPolicy({ Principal: undefined }), 'Statement[0]'],
  [
    'Principal beside NotPrincipal',
    'resource',
    bucketPolicy({ NotPrincipal: { AWS: account } }),
    'Statement[0]',
  ],
  ['a Resource in a trust policy', 'trust', trustPolicy({ Resource: '*' }), 'Statement[0].Resource'],
  ['a NotResource in a trust policy', 'trust', trustPolicy({ NotResource: '*' }), 'Statement[0].NotResource'],
  [
    'NotPrincipal in a trust policy',
    'trust',
    trustPolicy({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: account } }),
    'Statement[0].NotPrincipal',
  ],
  [
    'NotPrincipal with Allow',
    'resource',
    policy({ NotPrincipal: { AWS: account } }),
    'Statement[0].NotPrincipal',
  ],
  [
    'NotPrincipal of everyone',
    'resource',
    policy({ Effect: 'Deny', NotPrincipal: '*' }),
    'Statement[0].NotPrincipal',
  ],
  ['a bare account id', 'resource', bucketPolicy({ Principal: account }), 'Statement[0].Principal'],
  [
    'a bare ARN',
    'resource',
    bucketPolicy({ Principal: `arn:aws:iam::${account}:root` }),
    'Statement[0].Principal',
  ],
  ['an empty object of principals', 'resource', bucketPolicy({ Principal: {} }), 'Statement[0].Principal'],
  [
    'an empty list of principals',
    'resource',
    bucketPolicy({ Principal: { AWS: [] } }),
    'Statement[0].Principal',
  ],
  [
    'an account id that is a number',
    'resource',
    bucketPolicy({ Principal: { AWS: 123456789012 } }),
    'Statement[0].Principal',
  ],
  [
    'an account id of eleven digits',
    'resource',
    bucketPolicy({ Principal: { AWS: '12345678901' } }),
    'Statement[0].Principal',
  ],
  [
    'a partial wildcard',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:user/*` } }),
    'Statement[0].Principal',
  ],
  [
    'a wildcard account',
    'resource',
    bucketPolicy({ Principal: { AWS: 'arn:aws:iam::*:root' } }),
    'Statement[0].Principal',
  ],
  [
    'a group',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:group/staff` } }),
    'Statement[0].Principal',
  ],
  [
    'a variable',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:user/${variable('aws:username')}` } }),
    'Statement[0].Principal',
  ],
  [
    'a role session without session name',
    'trust',
    trustPolicy({ Principal: { AWS: `arn:aws:sts::${account}:assumed-role/reader` } }),
    'Statement[0].Principal',
  ],
  [
    'a canonical user',
    'resource',
    bucketPolicy({ Principal: { CanonicalUser: 'abc' } }),
    'Statement[0].Principal',
  ],
  [
    'an unknown type of principal',
    'resource',
    bucketPolicy({ Principal: { aws: '*' } }),
    'Statement[0].Principal',
  ],
  ['every provider', 'trust', trustPolicy({ Principal: { Federated: '*' } }), 'Statement[0].Principal'],
  [
    'a provider that is not an ARN',
    'trust',
    trustPolicy({ Principal: { Federated: 'idp.example.com' } }),
    'Statement[0].Principal',
  ],
  [
    'a user as a provider',
    'trust',
    trustPolicy({ Principal: { Federated: `arn:aws:iam::${account}:user/x` } }),
    'Statement[0].Principal',
  ],
  ...['Principal', 'NotPrincipal'].map(
    (element): Rejection => [
      `a provider in a bucket policy, which names no session (${element})`,
      'resource',
      {
        Statement: {
          ...{ Effect: 'Deny', Action: '*', Resource: '*' },
          [element]: { Federated: `arn:aws:iam::${account}:saml-provider/corp` },
        },
      },
      `Statement[0].${element}`,
    ],
  ),
  ['every service', 'trust', trustPolicy({ Principal: { Service: '*' } }), 'Statement[0].Principal'],
];

describe('parsePolicyDocument on principals', () => {
  it.each(principalRejections)('rejects %s (%s)', (_title, kind, source, path) => {
    expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
  });

  it('explains why a bucket policy cannot name an identity provider', () => {
    const Principal = { Federated: `arn:aws:iam::${account}:saml-provider/corp` };
    expect(problemsOf(bucketPolicy({ Principal }), 'resource')).toEqual([
      {
        path: 'Statement[0].Principal',
        message: expect.stringContaining('names sessions by the ARN of their role'),
      },
    ]);
  });
});
