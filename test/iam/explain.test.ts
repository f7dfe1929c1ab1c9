import { describe, expect, it } from 'vitest';
import { type Decision, decide, failedDecision, type PolicySets } from '../../src/iam/combine.ts';
import { explainDenial } from '../../src/iam/explain.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { compileAll } from '../support/raw-policies.ts';

const allow = { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };
const allowOther = { Statement: { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' } };
const deny = { Statement: { Effect: 'Deny', Action: '*', Resource: '*' } };
const denyEveryone = { Statement: { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' } };

function denial(sets: PolicySets): Decision {
  const decision = decide(sets, {
    principal: { kind: 'user', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/anna' },
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::b/k',
    context: new RequestContext(),
  });
  if (decision.effect !== 'deny') throw new Error('expected a denial');
  return decision;
}

const identity = compileAll([allow], 'identity');

describe('explainDenial of what could not be decided', () => {
  it('blames no policy', () => {
    const reason = 'because the authorization decision could not be made';
    expect(explainDenial(failedDecision(new Error('broken')), 's3:GetObject')).toBe(reason);
  });
});

describe('explainDenial', () => {
  it.each<[string, PolicySets]>([
    ['because no identity-based policy allows the s3:GetObject action', { identity: [] }],
    ['because no permissions boundary allows the s3:GetObject action', { identity, boundary: [] }],
    ['because no session policy allows the s3:GetObject action', { identity, session: [] }],
    [
      'because no scope-down policy allows the s3:GetObject action (layer 2)',
      { identity, scopeDown: [...compileAll([allow], 'session'), ...compileAll([allowOther], 'session')] },
    ],
    [
      'with an explicit deny in a scope-down policy (layer 3)',
      { identity, scopeDown: compileAll([allow, allowOther, deny], 'session') },
    ],
    ['with an explicit deny in an identity-based policy', { identity: compileAll([deny], 'identity') }],
    [
      'with an explicit deny in a permissions boundary',
      { identity, boundary: compileAll([deny], 'boundary') },
    ],
    ['with an explicit deny in a session policy', { identity, session: compileAll([deny], 'session') }],
    [
      'with an explicit deny in a resource-based policy',
      { identity, resource: compileAll([denyEveryone], 'resource') },
    ],
  ])('says %j', (expected, sets) => {
    expect(explainDenial(denial(sets), 's3:GetObject')).toBe(expected);
  });

  it('calls the trust policy a resource-based policy', () => {
    const trust = {
      Statement: { Effect: 'Allow', Principal: { AWS: '210987654321' }, Action: 'sts:AssumeRole' },
    };
    const decision = denial({ identity, resource: compileAll([trust], 'trust') });
    expect(explainDenial(decision, 'sts:AssumeRole')).toBe(
      'because no resource-based policy allows the sts:AssumeRole action',
    );
  });
});
