import { describe, expect, it } from 'vitest';
import { bucketPolicy, policy, problemsOf, type Rejection, variable } from '../support/policy-documents.ts';

const elementRejections: readonly Rejection[] = [
  ['Action beside NotAction', 'identity', policy({ NotAction: 's3:*' }), 'Statement[0]'],
  [
    'neither Action nor NotAction',
    'identity',
    { Statement: { Effect: 'Allow', Resource: '*' } },
    'Statement[0]',
  ],
  ['an empty list of actions', 'identity', policy({ Action: [] }), 'Statement[0].Action'],
  ['an action that is an object', 'identity', policy({ Action: {} }), 'Statement[0].Action'],
  ['an action without service', 'identity', policy({ Action: 'GetObject' }), 'Statement[0].Action'],
  ['an action without name', 'identity', policy({ Action: 's3:' }), 'Statement[0].Action'],
  ['a wildcard inside the service', 'identity', policy({ Action: 's*:GetObject' }), 'Statement[0].Action'],
  [
    'a star as the service of one action',
    'identity',
    policy({ Action: '*:GetObject' }),
    'Statement[0].Action',
  ],
  ['a question mark as the service', 'identity', policy({ Action: '?:*' }), 'Statement[0].Action'],
  ['an action with a space', 'identity', policy({ Action: 's3:Get Object' }), 'Statement[0].Action'],
  [
    'an action with a variable',
    'identity',
    policy({ Action: `s3:${variable('aws:x')}` }),
    'Statement[0].Action',
  ],
  ['Resource beside NotResource', 'identity', policy({ NotResource: '*' }), 'Statement[0]'],
  [
    'neither Resource nor NotResource',
    'identity',
    { Statement: { Effect: 'Allow', Action: '*' } },
    'Statement[0]',
  ],
  ['an empty list of resources', 'identity', policy({ Resource: [] }), 'Statement[0].Resource'],
  ['a bucket name for a resource', 'identity', policy({ Resource: 'bucket/*' }), 'Statement[0].Resource'],
  ['an empty resource', 'identity', policy({ Resource: '' }), 'Statement[0].Resource'],
  ['a path with a leading star', 'identity', policy({ Resource: '*/x' }), 'Statement[0].Resource'],
  ['an ARN without partition', 'identity', policy({ Resource: 'arn::s3:::b' }), 'Statement[0].Resource'],
  ['an ARN without resource', 'identity', policy({ Resource: 'arn:aws:s3:::' }), 'Statement[0].Resource'],
  [
    'a short ARN in a bucket policy',
    'resource',
    bucketPolicy({ Resource: 'arn:aws:s3' }),
    'Statement[0].Resource',
  ],
  [
    'a variable before the fifth colon',
    'identity',
    policy({ Resource: `arn:aws:s3:${variable('aws:r')}::b` }),
    'Statement[0].Resource',
  ],
  [
    'a variable that swallows the fifth colon',
    'identity',
    policy({ Resource: `arn:aws:s3::${variable('aws:r')}` }),
    'Statement[0].Resource',
  ],
  [
    'an unfinished variable',
    'identity',
    policy({ Resource: 'arn:aws:s3:::b/${aws:username' }),
    'Statement[0].Resource',
  ],
  [
    'an empty variable',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('')}` }),
    'Statement[0].Resource',
  ],
  [
    'a variable without prefix',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('username')}` }),
    'Statement[0].Resource',
  ],
  [
    'a variable inside a variable',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('aws:${x')}` }),
    'Statement[0].Resource',
  ],
  [
    'a default without quotes',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('aws:x, y')}` }),
    'Statement[0].Resource',
  ],
  [
    'an empty default',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable("aws:x, ''")}` }),
    'Statement[0].Resource',
  ],
  [
    'more stars than the cap',
    'session',
    policy({ Resource: `arn:aws:s3:::b/${'*a'.repeat(60)}` }),
    'Statement[0].Resource',
  ],
  ['half a character', 'identity', policy({ Resource: 'arn:aws:s3:::b/\ud83d' }), 'Statement[0].Resource'],
];

describe('parsePolicyDocument on actions and resources', () => {
  it.each(elementRejections)('rejects %s (%s)', (_title, kind, source, path) => {
    expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
  });
});
