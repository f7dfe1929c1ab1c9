import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Authorized, authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import {
  type CallerKind,
  callerOf,
  deleteOf,
  directoryOf,
  type OwnPolicies,
  received,
  sourcesOf,
} from '../support/authorization.ts';
import { countTurns, dearPolicy, longHeaders } from '../support/dear-decisions.ts';
import type { WireRequest } from '../support/raw-requests.ts';

const wire = { method: 'POST', target: '/data?delete', headers: [] } as const;

function policyOf(Resource: readonly string[]): object {
  return { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:DeleteObject', Resource } };
}

/** Keys of the longest kind, each of which only the last pattern allows. */
const longKeys = Array.from({ length: 1_000 }, (_, index) => ({
  key: `${'a'.repeat(1_015)}${String(index).padStart(4, '0')}/last`,
}));
const last = 'arn:aws:s3:::data/*/last';

async function decideBatch(
  policies: OwnPolicies,
  entries: readonly { readonly key: string }[],
  kind: CallerKind = 'user',
  { headers = [], tags = [] }: { headers?: WireRequest['headers']; tags?: readonly StoreTag[] } = {},
): Promise<Authorized> {
  const directory = directoryOf(policies);
  const { request, authenticated } = received(
    { ...wire, headers },
    callerOf(kind, directory, policies.session),
    deleteOf(entries),
  );
  const decided = await authorizeS3(request, authenticated, sourcesOf(directory, {}, tags));
  if (!decided.isAllowed) throw new Error('a batch is never denied as a whole');
  return decided;
}

afterEach(() => void vi.restoreAllMocks());

describe('a batch of a thousand keys that are allowed one by one', () => {
  const wildcards = (count: number, write: (index: number) => string): string[] => [
    ...Array.from({ length: count }, (_, index) => write(index)),
    last,
  ];

  it.each([
    [
      '19 resources with a star in the middle',
      wildcards(19, (index) => `arn:aws:s3:::data/*/team-${index}/*`),
    ],
    ['200 resources with a star in the middle', wildcards(200, (index) => `arn:aws:s3:::data/*${index}/x`)],
    [
      '140 resources with stars and question marks',
      wildcards(140, (index) => `arn:aws:s3:::data/*a?b*?${index}/*`),
    ],
  ])('is allowed together by %s', async (_title, resources) => {
    const decided = await decideBatch({ identity: [policyOf(resources)] }, longKeys);
    expect(decided.deniedItems).toEqual([]);
  });

  it('is allowed together by twenty policies, a boundary and a session policy', async () => {
    const many = policyOf(wildcards(60, (index) => `arn:aws:s3:::data/*/dir${index}/*`));
    const policies = {
      identity: Array.from({ length: 20 }, () => many),
      boundary: many,
      session: policyOf(wildcards(30, (index) => `arn:aws:s3:::data/*/s${index}/*`)),
    };
    const decided = await decideBatch(policies, longKeys.slice(0, 200), 'role-session');
    expect(decided.deniedItems).toEqual([]);
  });

  it('is allowed together by a session policy whose every decision takes most of a slice', async () => {
    const policies = { identity: [policyOf(['arn:aws:s3:::data/*'])], session: dearPolicy };
    const keys = longKeys.slice(0, 100);
    const decided = await decideBatch(policies, keys, 'role-session', { headers: longHeaders });
    expect(decided.decision.fault).toBeUndefined();
    expect(decided.deniedItems).toEqual([]);
  });
});

describe('a batch of keys that may also be denied with a final slash', () => {
  const deny = (more: object): object => ({ Effect: 'Deny', Action: 's3:*', ...more });
  const secure = { Bool: { 'aws:SecureTransport': 'true' } };

  async function decisionsWith(statement: object): Promise<number> {
    const decisions = vi.spyOn(DecisionBudget.prototype, 'begin');
    const Statement = [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }, statement];
    const decided = await decideBatch({ identity: [{ Version: '2012-10-17', Statement }] }, longKeys);
    expect(decided.deniedItems).toEqual([]);
    return decisions.mock.calls.length;
  }

  it.each([
    ['about everything, which is decided with the key', deny({ Resource: '*', Condition: secure })],
    ['about the bucket', deny({ Resource: 'arn:aws:s3:::data/*', Condition: secure })],
    ['about other keys', deny({ Resource: ['arn:aws:s3:::data/b*', 'arn:aws:s3:::data/aaa'] })],
    ['about everything else', deny({ NotResource: 'arn:aws:s3:::data/*/last' })],
  ])('is decided once per key where a Deny is %s', async (_, statement) => {
    expect(await decisionsWith(statement)).toBe(longKeys.length);
  });

  it('is decided twice per key where a Deny could tell the names apart', async () => {
    expect(await decisionsWith(deny({ Resource: 'arn:aws:s3:::data/*b/' }))).toBe(2 * longKeys.length);
  });
});

describe('a long batch whose decisions depend on the tags of the bucket', () => {
  it('is allowed when the tags arrive while some of its decisions pause', async () => {
    const condition = { StringEquals: { 's3:BucketTag/team': 'blue' } };
    const identity = { Effect: 'Allow', Action: 's3:DeleteObject', Resource: '*', Condition: condition };
    const policies = {
      identity: [{ Version: '2012-10-17', Statement: identity }],
      session: dearPolicy,
    };
    const decided = await decideBatch(policies, longKeys.slice(0, 40), 'role-session', {
      headers: longHeaders,
      tags: [['team', 'blue']],
    });
    expect(decided.decision.fault).toBeUndefined();
    expect(decided.deniedItems).toEqual([]);
  });
});

describe('a long batch', () => {
  const hostile = policyOf(Array.from({ length: 60 }, () => `arn:aws:s3:::data/*${'a'.repeat(8)}b*`));

  it('pauses between the decisions of keys that are decided concurrently', async () => {
    const counted = countTurns();
    const policies = { identity: [policyOf(['arn:aws:s3:::data/*'])], session: dearPolicy };
    await decideBatch(policies, longKeys.slice(0, 100), 'role-session', { headers: longHeaders });
    counted.stop();
    // The pause comes soon after the slice is used up.
    expect(counted.most()).toBeLessThan(2 * stepsPerSlice);
  });

  it.each([1, 4])('leaves room for other work between slices, %d at a time', async (batches) => {
    const counted = countTurns();
    const all = await Promise.all(
      Array.from({ length: batches }, () => decideBatch({ identity: [hostile] }, longKeys.slice(0, 250))),
    );
    counted.stop();
    for (const decided of all) expect(decided.isEmptyBatch).toBe(true);
    // Slices of several requests share the turns; before the first pause each has had one.
    const perPolicy = 60 * 2 * 1_100 * 1.1;
    expect(counted.most()).toBeLessThan((batches + 1) * (stepsPerSlice + perPolicy));
    expect(counted.turns()).toBeGreaterThan((batches * 250 * 60 * 1_000) / stepsPerSlice);
  });
});
