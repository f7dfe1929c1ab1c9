import { describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/iam/request-context.ts';
import { matchingStatements } from '../../src/iam/trace.ts';
import { compileAll, compileSets } from '../support/raw-policies.ts';
import type { RawSets, RawStatement } from '../support/reference-evaluator.ts';

const userArn = 'arn:aws:iam::123456789012:user/anna';
const allow: RawStatement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };

function policy(...Statement: RawStatement[]) {
  return { Version: '2012-10-17', Statement };
}

function matchesOf(sets: RawSets, context: RequestContext = new RequestContext()) {
  return matchingStatements(compileSets(sets), {
    principal: { kind: 'user', accountId: '123456789012', arn: userArn },
    action: 's3:getobject',
    resource: 'arn:aws:s3:::b/k',
    context,
  });
}

describe('matchingStatements', () => {
  it('lists every statement that applies, not only the one that decides', () => {
    const matches = matchesOf({
      identity: [
        policy(allow, { ...allow, Action: 's3:PutObject' }, { ...allow, Effect: 'Deny', Sid: 'No' }),
      ],
      boundary: [policy(allow)],
      session: [policy({ ...allow, Resource: 'arn:aws:s3:::other/*' }, allow)],
      resource: [
        policy(
          { ...allow, Principal: { AWS: '123456789012' } },
          { ...allow, Principal: { AWS: userArn } },
          { ...allow, Principal: { AWS: 'arn:aws:iam::123456789012:user/bob' } },
        ),
      ],
    });
    expect(matches).toEqual([
      {
        policyType: 'identity',
        effect: 'Allow',
        statement: { policy: 'identity-0', index: 0 },
        level: undefined,
      },
      {
        policyType: 'identity',
        effect: 'Deny',
        statement: { policy: 'identity-0', sid: 'No', index: 2 },
        level: undefined,
      },
      {
        policyType: 'boundary',
        effect: 'Allow',
        statement: { policy: 'boundary-0', index: 0 },
        level: undefined,
      },
      {
        policyType: 'session',
        effect: 'Allow',
        statement: { policy: 'identity-0', index: 1 },
        level: undefined,
      },
      {
        policyType: 'resource',
        effect: 'Allow',
        statement: { policy: 'resource-0', index: 0 },
        level: 'account',
      },
      {
        policyType: 'resource',
        effect: 'Allow',
        statement: { policy: 'resource-0', index: 1 },
        level: 'direct',
      },
    ]);
  });

  it('leaves out a statement that waits for a look-up, and an Allow whose condition cannot read the request’s value', () => {
    const lazy = { ...allow, Condition: { StringEquals: { 's3:ExistingObjectTag/a': 'x' } } };
    const boolean = { ...allow, Condition: { Bool: { 'aws:SecureTransport': 'true' } } };
    const context = new RequestContext([['aws:SecureTransport', 'maybe']], ['s3:ExistingObjectTag/']);
    const denying = { ...boolean, Effect: 'Deny' } as const;
    const matches = matchesOf({ identity: [policy(lazy, boolean, allow, denying)] }, context);
    expect(matches.map(({ statement }) => statement.index)).toEqual([2, 3]);
  });

  it('passes on an error of the context', () => {
    const throwing = new RequestContext(() => {
      throw new TypeError('broken');
    });
    const conditional = { ...allow, Condition: { StringEquals: { 'aws:username': 'x' } } };
    const sets = { identity: compileAll([policy(conditional)], 'identity') };
    const principal = { kind: 'user', accountId: '123456789012', arn: userArn } as const;
    const query = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', context: throwing };
    expect(() => matchingStatements(sets, query)).toThrow('broken');
  });
});
