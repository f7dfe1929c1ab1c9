import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type PolicySets } from '../../src/iam/combine.ts';
import type { AuthorizationQuery } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { refusalWithin } from '../../src/iam/within-prefix.ts';
import { variable } from '../support/policy-documents.ts';
import { compileAll } from '../support/raw-policies.ts';

const account = '123456789012';
const bucket = 'arn:aws:s3:::data/';
const role = `arn:aws:iam::${account}:role/worker`;
const principal = {
  kind: 'role-session',
  accountId: account,
  arn: `arn:aws:sts::${account}:assumed-role/worker/me`,
  entityArn: role,
} as const;
const context = new RequestContext([['aws:PrincipalTag/team', 's']]);

const queryOf = (key: string): AuthorizationQuery => ({
  principal,
  action: 's3:PutObject',
  resource: bucket + key,
  context,
});

const resource = fc.constantFrom(
  '*',
  'arn:aws:s3:::*',
  'arn:*:s3:::data/*',
  ...['*', 's*', 'se*', 'secret/*', 'secret/x', 'logs/*', 'l*s/*', '*x*', '*/x', '?', '???', '*/*', '?*'].map(
    (key) => bucket + key,
  ),
  ...['', 's', 'logs/'].map((prefix) => `${bucket}${prefix}${'?'.repeat(40)}`),
  `${bucket}${variable('aws:PrincipalTag/team')}*`,
  `${bucket}${variable('aws:PrincipalTag/none')}*`,
  `${bucket}${variable('*')}*`,
  'arn:aws:s3:::other/*',
);
const resources = fc.uniqueArray(resource, { minLength: 1, maxLength: 3 });
const effect = fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny');
const condition = fc.constantFrom(
  {},
  {},
  { StringEquals: { 'aws:PrincipalTag/team': 's' } },
  {
    StringEquals: { 'aws:PrincipalTag/team': 'other' },
  },
);
const statement = fc
  .tuple(effect, fc.boolean(), resources, condition)
  .map(([Effect, isNegated, values, Condition]) => ({
    Effect,
    Action: 's3:*',
    [isNegated ? 'NotResource' : 'Resource']: values,
    Condition,
  }));
const policy = fc.array(statement, { minLength: 1, maxLength: 3 }).map((Statement) => ({
  Version: '2012-10-17',
  Statement,
}));
const principals = fc.constantFrom('*', role, principal.arn, account);
const resourcePolicy = fc.tuple(policy, principals).map(([{ Version, Statement }, who]) => ({
  Version,
  Statement: Statement.map((one) => ({ ...one, Principal: who === '*' ? who : { AWS: who } })),
}));
const sets = fc
  .record({
    identity: fc.array(policy, { maxLength: 2 }),
    boundary: fc.option(policy, { nil: undefined }),
    session: fc.option(policy, { nil: undefined }),
    scopeDown: fc.option(fc.array(policy, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
    resource: fc.option(resourcePolicy, { nil: undefined }),
  })
  .map(
    ({ identity, boundary, session, scopeDown, resource: ofBucket }): PolicySets => ({
      identity: compileAll(identity, 'identity'),
      boundary: boundary && compileAll([boundary], 'boundary'),
      session: session && compileAll([session], 'session'),
      scopeDown: scopeDown && compileAll(scopeDown, 'session'),
      resource: ofBucket && compileAll([ofBucket], 'resource'),
    }),
  );
const prefixes = fc.constantFrom('', 's', 'sec', 'secret/', 'logs/', 'logs', 'x');
const tails = fc.string({ unit: fc.constantFrom('s', 'e', 'x', '/', 'cret/', 'l', 'ogs/'), minLength: 1 });

/** What the sets say about a delivery under `logs/`; `undefined` when nothing of it is refused. */
function refusalOfLogs(policies: PolicySets): ReturnType<typeof refusalWithin> {
  const query = queryOf('logs/*');
  const decision = decide(policies, query);
  if (decision.effect !== 'allow') throw new Error('the key that stands for all is not allowed');
  return refusalWithin(policies, query, `${bucket}logs/`, decision);
}

const allowOf = (Resource: string | readonly string[], rest: object = {}): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource, ...rest }],
});

/** Whether a delivery under a prefix is allowed, judged by the two keys that stand for all of them. */
function isAllowed(policies: PolicySets, prefix: string): boolean {
  return [`${prefix}*`, `${prefix}*/*`].every((key) => {
    const query = queryOf(key);
    const decision = decide(policies, query);
    return (
      decision.effect === 'allow' && refusalWithin(policies, query, bucket + prefix, decision) === undefined
    );
  });
}

describe('refusalWithin', () => {
  it('does not take an Allow of keys of some lengths for an Allow of every key', () => {
    const patterns = [1, 3, 40].map((points) => `${bucket}logs/${'?'.repeat(points)}`);
    const identity = compileAll([allowOf(patterns)], 'identity');
    expect(refusalOfLogs({ identity })).toMatchObject({ isExplicitDeny: false, policyType: 'identity' });
  });

  it("allows what the role's own policies allow even if a bucket policy that names the role allows less", () => {
    const ofBucket = allowOf(`${bucket}logs/?`, { Principal: { AWS: role } });
    const policies = {
      identity: compileAll([allowOf(`${bucket}logs/*`)], 'identity'),
      resource: compileAll([ofBucket], 'resource'),
    };
    expect(refusalOfLogs(policies)).toBeUndefined();
    expect(refusalOfLogs({ ...policies, identity: [] })).toMatchObject({ policyType: 'resource' });
  });

  it('accepts any Allow of a bucket policy that covers the prefix, not only the one that decided', () => {
    const narrow = allowOf(`${bucket}logs/?`, { Principal: '*' });
    const wide = allowOf(`${bucket}logs/*`, { Principal: { AWS: principal.arn } });
    const policies = { identity: [], resource: compileAll([narrow, wide], 'resource') };
    expect(refusalOfLogs(policies)).toBeUndefined();
  });

  it('needs an Allow for all of it from each scope-down policy, whatever a bucket policy grants', () => {
    const [wide, narrow] = [allowOf(`${bucket}logs/*`), allowOf(`${bucket}logs/?`)];
    const ofBucket = compileAll([{ ...allowOf(`${bucket}*`, { Principal: '*' }) }], 'resource');
    for (const sets of [{ identity: compileAll([wide], 'identity') }, { identity: [], resource: ofBucket }]) {
      expect(refusalOfLogs({ ...sets, scopeDown: compileAll([wide, wide], 'session') })).toBeUndefined();
      for (const layers of [
        [wide, narrow],
        [narrow, wide],
      ]) {
        expect(refusalOfLogs({ ...sets, scopeDown: compileAll(layers, 'session') })).toMatchObject({
          isExplicitDeny: false,
          policyType: 'scopeDown',
        });
      }
    }
  });

  it('resolves variables in patterns that cover the prefix and in those that a Deny exempts', () => {
    const team = `${bucket}log${variable('aws:PrincipalTag/team')}/*`;
    const deny = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 's3:*', NotResource: [team] }],
    };
    const identity = compileAll([allowOf(team), deny], 'identity');
    expect(refusalOfLogs({ identity })).toBeUndefined();
  });

  it('refuses every prefix of which a part is refused', () => {
    let allowed = 0;
    fc.assert(
      fc.property(
        sets,
        prefixes,
        fc.array(tails, { minLength: 8, maxLength: 8 }),
        (policies, prefix, keys) => {
          if (!isAllowed(policies, prefix)) return;
          allowed += 1;
          for (const key of keys) expect(decide(policies, queryOf(prefix + key)).effect).toBe('allow');
        },
      ),
      { numRuns: 8_000 },
    );
    // Not everything is refused.
    expect(allowed).toBeGreaterThan(200);
  });
});
