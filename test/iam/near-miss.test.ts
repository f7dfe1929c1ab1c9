import { describe, expect, it } from 'vitest';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { decide } from '../../src/iam/combine.ts';
import { nearMissText } from '../../src/iam/describe-near-miss.ts';
import { maxSearchedStatements, maxSearchSteps, nearestStatement } from '../../src/iam/near-miss.ts';
import { type ContextEntry, RequestContext } from '../../src/iam/request-context.ts';
import {
  type Asked,
  account,
  bucket,
  everything,
  listing,
  nearMissOf,
  policy,
  prefix,
  red,
  textOf,
  userArn,
} from '../support/near-misses.ts';
import { variable } from '../support/policy-documents.ts';
import { compileSets } from '../support/raw-policies.ts';
import type { RawSets, RawStatement } from '../support/reference-evaluator.ts';

describe('the nearest statement', () => {
  it('is named with the condition that failed and both values', () => {
    const get: RawStatement = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/*` };
    expect(nearMissOf({ identity: [policy(get, prefix('blue/*'))] }, red)).toEqual({
      policyType: 'identity',
      statement: { policy: 'identity-0', index: 1 },
      failed: {
        element: 'Condition',
        operator: 'StringLike',
        key: 's3:prefix',
        reason: 'mismatch',
        requested: { values: ['red/'], others: 0 },
        wanted: { values: ['blue/*'], others: 0 },
      },
      otherFailures: 0,
    });
    expect(textOf({ identity: [policy(get, prefix('blue/*'))] }, red)).toBe(
      'Statement identity-0[1]: StringLike s3:prefix `red/` does not match `blue/*`',
    );
  });

  it('is told with its variables replaced, as far as the request replaces them', () => {
    const like = `${variable('aws:PrincipalTag/team')}/${variable('aws:username')}${variable('*')}*`;
    const context: ContextEntry[] = [
      ['s3:prefix', 'red/'],
      ['aws:PrincipalTag/team', 'blue'],
    ];
    expect(textOf({ identity: [policy(prefix(like))] }, { context })).toContain(
      `does not match \`blue/${variable('aws:username')}${variable('*')}*\``,
    );
    const old = { Version: '2008-10-17' as const, Statement: [prefix(variable('aws:PrincipalTag/team'))] };
    expect(textOf({ identity: [old] }, { context })).toContain(
      `does not match \`${variable('aws:PrincipalTag/team')}\``,
    );
  });

  it.each<[string, ContextEntry[]]>([
    ['a value', [['aws:ResourceTag/owner', 'board']]],
    ['no value', []],
  ])('shows nothing of what was looked up, in conditions and in place of variables: %s', (_, found) => {
    const owner = variable('aws:ResourceTag/owner');
    const statements = [
      listing({ StringLike: { 'aws:ResourceTag/owner': 'bob' } }),
      { Effect: 'Allow' as const, Action: 's3:GetObject', Resource: `${bucket}/${owner}/*` },
    ];
    const compiled = compileSets({ identity: [policy(...statements)] });
    const context = new RequestContext([], ['aws:ResourceTag/']).withLookedUp('aws:ResourceTag/', found);
    const principal = { kind: 'user', accountId: account, arn: userArn } as const;
    const told = [
      ['s3:ListBucket', bucket],
      ['s3:GetObject', `${bucket}/x`],
    ].map(([action = '', resource = '']) => {
      const query = { principal, action, resource, context };
      const decision = decide(compiled, query);
      const near = decision.effect === 'deny' ? nearestStatement(compiled, query, decision) : undefined;
      return near && nearMissText(near);
    });
    expect(told).toEqual([
      'Statement identity-0[0]: StringLike aws:ResourceTag/owner, whose value is not shown, is compared with `bob`',
      undefined,
    ]);
  });

  it.each<[string, ContextEntry[]]>([
    ['the wanted project', [['s3:ExistingObjectTag/project', 'merger']]],
    ['another one', [['s3:ExistingObjectTag/project', 'x']]],
    ['none', []],
  ])('does not depend on what was looked up: %s', (_, found) => {
    const get = (Condition: RawStatement['Condition']): RawStatement => ({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: '*',
      Condition: Condition ?? {},
    });
    const tagged = get({
      StringEquals: { 's3:ExistingObjectTag/project': 'merger', 's3:ExistingObjectTag/zone': 'red' },
    });
    const ofUser = get({
      StringEquals: { 's3:ExistingObjectTag/project': 'merger', 'aws:username': 'bob' },
    });
    const told = [[tagged], [ofUser, tagged], [tagged, ofUser]].map((statements) => {
      const compiled = compileSets({ identity: [policy(...statements)] });
      const lazy = ['s3:ExistingObjectTag/'];
      const context = new RequestContext([['aws:username', 'anna']], lazy).withLookedUp(
        's3:ExistingObjectTag/',
        found,
      );
      const principal = { kind: 'user', accountId: account, arn: userArn } as const;
      const query = { principal, action: 's3:GetObject', resource: `${bucket}/x`, context };
      const decision = decide(compiled, query);
      const near = decision.effect === 'deny' ? nearestStatement(compiled, query, decision) : undefined;
      return near && nearMissText(near);
    });
    const compared =
      'StringEquals s3:ExistingObjectTag/project, whose value is not shown, is compared with `merger`';
    expect(told).toEqual([
      `Statement identity-0[0]: ${compared}`,
      'Statement identity-0[0]: StringEquals aws:username `anna` does not match `bob`',
      `Statement identity-0[0]: ${compared}`,
    ]);
  });

  it('is the one of which the fewest conditions fail, and of equals the first', () => {
    const two = listing({ StringLike: { 's3:prefix': 'a/*', 's3:delimiter': '/' } });
    const one = listing({
      StringLike: { 's3:prefix': 'b/*' },
      StringEquals: { 'aws:PrincipalType': 'User' },
    });
    const context: ContextEntry[] = [
      ['s3:prefix', 'red/'],
      ['aws:PrincipalType', 'User'],
    ];
    const found = nearMissOf({ identity: [policy(two, one), policy(one)] }, { context });
    expect(found).toMatchObject({ statement: { policy: 'identity-0', index: 1 }, otherFailures: 0 });
    expect(textOf({ identity: [policy(two)] }, { context })).toBe(
      'Statement identity-0[0]: StringLike s3:prefix `red/` does not match `a/*`, and 1 more condition fails',
    );
  });

  it('is one whose conditions fail before one whose resource does not match', () => {
    const elsewhere: RawStatement = { ...listing(), Resource: `${bucket}-2026` };
    const found = nearMissOf({ identity: [policy(elsewhere, prefix('blue/*'))] }, red);
    expect(found).toMatchObject({ statement: { index: 1 } });
  });

  it('is the one with the nearest resource when none matches', () => {
    const get = (...Resource: string[]): RawStatement => ({ Effect: 'Allow', Action: 's3:Get*', Resource });
    const sets = {
      identity: [policy(get('arn:aws:s3:::other/*'), get('arn:aws:s3:::x/*', `${bucket}/blue/*`))],
    };
    const asked = { action: 's3:GetObject', resource: `${bucket}/red/plan` };
    expect(nearMissOf(sets, asked)).toMatchObject({
      statement: { index: 1 },
      failed: { element: 'Resource', wanted: { values: [`${bucket}/blue/*`], others: 1 } },
    });
    expect(textOf(sets, asked)).toBe(
      `Statement identity-0[1]: the resource \`${bucket}/red/plan\` does not match \`${bucket}/blue/*\` or 1 other`,
    );
  });

  it('is found in a policy of many statements about other buckets', () => {
    const buckets = Array.from({ length: 20 }, (_, index) => ({
      ...listing(),
      Resource: `arn:aws:s3:::team-${index}`,
    }));
    const sets = { identity: [policy(...buckets)] };
    expect(nearMissOf(sets, { resource: 'arn:aws:s3:::team-7b' })).toMatchObject({
      statement: { index: 7 },
      failed: { element: 'Resource' },
    });
  });

  it('is named with its NotResource when that leaves out the resource', () => {
    const { Resource: _, ...all } = everything;
    const sets = { identity: [policy({ ...all, NotResource: `${bucket}/secret/*` })] };
    expect(textOf(sets, { action: 's3:GetObject', resource: `${bucket}/secret/k` })).toBe(
      `Statement identity-0[0]: the resource \`${bucket}/secret/k\` matches NotResource \`${bucket}/secret/*\``,
    );
  });

  it('has its Sid beside it', () => {
    expect(textOf({ identity: [policy({ ...prefix('blue/*'), Sid: 'Listing' })] }, red)).toContain(
      'Statement identity-0[0] (Sid "Listing"): StringLike',
    );
  });
});

describe('the variables of a near miss', () => {
  it.each(['s3:prefix', 'aws:Referer'])('are left alone where they may be a key or a secret: %s', (name) => {
    const context: ContextEntry[] = [
      [name, 'hush'],
      ['aws:username', 'x'],
    ];
    const Condition = { StringEquals: { 'aws:username': variable(name) } };
    expect(textOf({ identity: [policy(listing(Condition))] }, { context })).toContain(
      `\`x\` does not match \`${variable(name)}\``,
    );
  });
});

describe('what is no near miss', () => {
  it.each<[string, RawSets, Asked]>([
    ['an Allow of another action', { identity: [policy({ ...everything, Action: 's3:GetObject' })] }, {}],
    ['a Deny', { identity: [policy({ ...prefix('blue/*'), Effect: 'Deny' })] }, red],
    [
      'an explicit deny beside an Allow',
      { identity: [policy(prefix('a'), { ...everything, Effect: 'Deny' })] },
      red,
    ],
    [
      'an Allow of a bucket policy for another caller',
      {
        identity: [],
        resource: [policy({ ...prefix('a'), Principal: { AWS: `arn:aws:iam::${account}:user/bob` } })],
      },
      red,
    ],
    [
      'an Allow of a bucket policy for the account, which would not grant by itself',
      { identity: [], resource: [policy({ ...prefix('a'), Principal: { AWS: account } })] },
      red,
    ],
    ['nothing at all', { identity: [] }, {}],
  ])('%s', (_, sets, asked) => {
    expect(nearMissOf(sets, asked)).toBeUndefined();
  });

  it('an Allow that applies, because something else is missing then', () => {
    const compiled = compileSets({ identity: [policy(listing(), prefix('a'))] });
    const query = {
      principal: { kind: 'user', accountId: account, arn: userArn } as const,
      action: 's3:ListBucket',
      resource: bucket,
      context: new RequestContext([]),
    };
    expect(
      nearestStatement(compiled, query, { policyType: 'identity', isExplicitDeny: false }),
    ).toBeUndefined();
  });

  it('a decision that could not be made', () => {
    const sets: RawSets = { identity: [policy(prefix('a'))] };
    const { context } = red;
    const query = {
      principal: { kind: 'user', accountId: account, arn: userArn } as const,
      action: 's3:ListBucket',
      resource: bucket,
      context: new RequestContext(context),
    };
    const denied = { policyType: 'none', isExplicitDeny: false } as const;
    expect(nearestStatement(compileSets(sets), query, denied)).toBeUndefined();
  });
});

describe('the set in which the near miss is searched', () => {
  it.each<[string, RawSets, object]>([
    [
      'the boundary',
      { identity: [policy(everything)], boundary: [policy(prefix('a'))] },
      { policyType: 'boundary' },
    ],
    [
      'the session policies',
      { identity: [policy(everything)], session: [policy(prefix('a'))] },
      { policyType: 'session' },
    ],
    [
      'the scope-down policy that does not allow',
      {
        identity: [policy(everything)],
        scopeDown: [policy(listing(), prefix('x')), policy(prefix('a')), policy(prefix('b'))],
      },
      { policyType: 'scopeDown', statement: { policy: 'identity-1' } },
    ],
    [
      'the bucket policy, where it would grant by itself',
      { identity: [], resource: [policy({ ...prefix('a'), Principal: { AWS: userArn } })] },
      { policyType: 'resource' },
    ],
  ])('is %s', (_, sets, expected) => {
    expect(nearMissOf(sets, red)).toMatchObject(expected);
  });

  it('is the trust policy for assuming a role', () => {
    const Principal = { AWS: userArn };
    const Condition = { StringEquals: { 'sts:ExternalId': 'x' } };
    const trust = policy({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', Condition });
    const sets: RawSets = { identity: [], resource: [trust], isTrust: true };
    const asked = { action: 'sts:AssumeRole', resource: `arn:aws:iam::${account}:role/r` };
    expect(textOf(sets, asked)).toBe(
      'Statement trust-0[0]: StringEquals sts:ExternalId is not in the request, and `x` is wanted',
    );
  });
});

describe('the search for a near miss', () => {
  const spentOn = (sets: RawSets, asked: Asked): number => {
    const compiled = compileSets(sets);
    const budget = new DecisionBudget();
    const query = {
      principal: { kind: 'user', accountId: account, arn: userArn } as const,
      action: 's3:GetObject',
      resource: bucket,
      context: new RequestContext(asked.context ?? []),
      budget,
      ...(asked.resource === undefined ? {} : { resource: asked.resource }),
    };
    const decision = decide(compiled, query);
    if (decision.effect !== 'deny') throw new Error(`the decision is ${decision.effect}`);
    const before = budget.spent;
    nearestStatement(compiled, query, decision);
    return budget.spent - before;
  };

  it('takes a bounded number of steps, however dear the policies and values are', () => {
    const stars = `*${'?a'.repeat(60)}`;
    const dear = {
      ...everything,
      Condition: { StringLike: { 'aws:UserAgent': Array(15).fill(`${stars}b*`) } },
    };
    const context: ContextEntry[] = [['aws:UserAgent', 'a'.repeat(8_000)]];
    const spent = spentOn({ identity: [policy(...Array.from({ length: 4 }, () => dear))] }, { context });
    // The last comparison is paid for after it has been made.
    expect(spent).toBeLessThan(1.2 * maxSearchSteps);
    expect(spent).toBeGreaterThan(maxSearchSteps);
  });

  it('looks at a bounded number of statements', () => {
    const get = (name: string): RawStatement => ({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${name}/*`,
    });
    const far = Array.from({ length: 100 }, () => get('x'));
    const sets = { identity: [policy(...far), policy(...far), policy(...far, get('reports'))] };
    const asked = { action: 's3:GetObject', resource: 'arn:aws:s3:::reports-2026/k' };
    expect(maxSearchedStatements).toBeLessThan(300);
    expect(nearMissOf(sets, asked)).toMatchObject({ statement: { policy: 'identity-0', index: 0 } });
    expect(nearMissOf({ identity: [policy(...far, get('reports'))] }, asked)).toMatchObject({
      statement: { index: 100 },
    });
  });

  it('ends with what it has found when its steps are used up', () => {
    const stars = `*${'?a'.repeat(60)}`;
    const dear = { ...listing({ StringLike: { 'aws:UserAgent': Array(60).fill(`${stars}b*`) } }) };
    const context: ContextEntry[] = [
      ['s3:prefix', 'red/'],
      ['aws:UserAgent', 'a'.repeat(8_000)],
    ];
    const two = listing({ StringLike: { 's3:prefix': 'a/*', 's3:delimiter': '/' } });
    expect(nearMissOf({ identity: [policy(two, dear, prefix('b'))] }, { context })).toMatchObject({
      statement: { index: 0 },
    });
  });

  it('passes on an error of the context', () => {
    const throwing = new RequestContext(() => {
      throw new TypeError('broken');
    });
    const principal = { kind: 'user', accountId: account, arn: userArn } as const;
    const query = { principal, action: 's3:ListBucket', resource: bucket, context: throwing };
    const denied = { policyType: 'identity', isExplicitDeny: false } as const;
    const sets = compileSets({ identity: [policy(prefix('a'))] });
    expect(() => nearestStatement(sets, query, denied)).toThrow('broken');
  });
});
