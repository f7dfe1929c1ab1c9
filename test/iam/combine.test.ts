import { describe, expect, it } from 'vitest';
import { decide } from '../../src/iam/combine.ts';
import type { PolicyPrincipal } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { startCpuTime } from '../support/cpu-time.ts';
import { compileAll } from '../support/raw-policies.ts';

const user: PolicyPrincipal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
};
const query = {
  principal: user,
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::b/k',
  context: new RequestContext(),
};
const allowAll = compileAll(
  [{ Statement: { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' } }],
  'identity',
);

describe('decide', () => {
  it('grants nothing for an identity policy in the place of a bucket policy', () => {
    const decision = decide({ identity: [], resource: allowAll }, query);
    expect(decision).toMatchObject({
      effect: 'deny',
      isExplicitDeny: false,
      sets: { resourceLevel: 'none' },
    });
  });

  it('denies every caller but root when every set is empty', () => {
    const kinds = ['anonymous', 'user', 'role-session', 'federated-user', 'web-identity', 'saml'] as const;
    for (const kind of kinds) {
      for (const resource of [undefined, []]) {
        const sets = { identity: [], ...(resource === undefined ? {} : { resource }) };
        expect(decide(sets, { ...query, principal: { ...user, kind } }).effect).toBe('deny');
      }
    }
  });

  it('names the statement that decided', () => {
    const decision = decide({ identity: allowAll }, query);
    expect(decision).toMatchObject({
      effect: 'allow',
      policyType: 'identity',
      statement: { policy: 'identity-0', sid: 'All', index: 0 },
    });
  });

  it.each(['boundary', 'session', 'scopeDown'] as const)(
    'looks nothing up for an Allow where the %s does not allow, and always names the same set as missing',
    (limit) => {
      const underTag = { StringEquals: { 's3:ExistingObjectTag/project': 'public' } };
      const identity = compileAll(
        [{ Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: underTag } }],
        'identity',
      );
      const lazy = ['s3:ExistingObjectTag/'];
      const context = new RequestContext([], lazy);
      const limiting = [{ Statement: { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' } }];
      const sets = { identity, [limit]: compileAll(limiting, 'identity') };
      const denied = { effect: 'deny', isExplicitDeny: false, policyType: 'identity' };
      expect(decide(sets, { ...query, context, isEnforced: true })).toMatchObject(denied);
      // Audit mode has to know.
      expect(decide(sets, { ...query, context })).toMatchObject({ effect: 'needs' });
    },
  );

  it('reports the effect of each set', () => {
    const decision = decide({ identity: allowAll, boundary: [], session: allowAll }, query);
    expect(decision).toMatchObject({
      policyType: 'boundary',
      sets: { identity: 'allow', boundary: 'none', session: 'allow', resource: undefined },
    });
  });

  it('names at once every key that the decision may depend on', () => {
    const when = (tag: string): object => ({
      Condition: { StringEquals: { [`s3:ExistingObjectTag/${tag}`]: 'v' } },
    });
    const statement = (Effect: string, tag: string): object => ({
      Effect,
      Action: '*',
      Resource: '*',
      ...when(tag),
    });
    const Statement = [statement('Deny', 'a'), statement('Allow', 'b')];
    const identity = compileAll([{ Version: '2012-10-17', Statement }], 'identity');
    const context = new RequestContext([], ['s3:ExistingObjectTag/']);
    const [a, b] = ['s3:existingobjecttag/a', 's3:existingobjecttag/b'];
    expect(decide({ identity }, { ...query, context })).toEqual({ effect: 'needs', keys: [a, b] });
    const allowed = { identity: [...identity, ...allowAll] };
    expect(decide(allowed, { ...query, context })).toEqual({ effect: 'needs', keys: [a] });
  });

  it('waits for every set of a trust decision, because STS says which of them refuses', () => {
    const Condition = { StringEquals: { 'aws:ResourceTag/team': 'red' } };
    const own = { Effect: 'Allow', Action: 'sts:*', Resource: '*', Condition };
    const trusting = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:*' };
    const identity = compileAll([{ Statement: own }], 'identity');
    const context = new RequestContext([], ['aws:ResourceTag/']);
    const asked = { ...query, resource: 'arn:aws:iam::123456789012:role/r', context };
    const needs = { effect: 'needs', keys: ['aws:resourcetag/team'] };
    const resource = compileAll([{ Statement: trusting }], 'trust');
    for (const action of ['sts:AssumeRole', 'sts:SetSourceIdentity'])
      expect(decide({ identity, resource }, { ...asked, action })).toEqual(needs);
    expect(decide({ identity }, { ...asked, action: 'sts:AssumeRole' })).toEqual(needs);
  });

  it('decides on the most hostile session policy and the longest keys at once', () => {
    const halves = [
      'a'.repeat(440),
      'ab'.repeat(220),
      `${'a*'.repeat(30)}${'a'.repeat(300)}`,
      'a'.repeat(400),
    ];
    const session = compileAll(
      [
        {
          Statement: {
            Effect: 'Allow',
            Action: '*',
            Resource: halves.map((half) => `arn:aws:s3:::*${half}*b`),
          },
        },
      ],
      'session',
    );
    const resource = `arn:aws:s3:::a/${'a'.repeat(1024)}`;
    const cpuMs = startCpuTime();
    for (let run = 0; run < 100; run += 1) {
      expect(decide({ identity: allowAll, session }, { ...query, resource }).effect).toBe('deny');
    }
    expect(cpuMs()).toBeLessThan(5000);
  });
});
