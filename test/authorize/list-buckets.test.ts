import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Authorized, authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import {
  type CallerKind,
  callerOf,
  directoryOf,
  type OwnPolicies,
  received,
  sourcesOf,
} from '../support/authorization.ts';

const wire = { method: 'GET', target: '/', headers: [] } as const;
const never = new AbortController().signal;

function listing(Resource: readonly string[], Condition: object = {}): object {
  return {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 's3:ListBucket', Resource, Condition },
  };
}

function storeList(names: readonly string[]): Buffer {
  const buckets = names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('');
  return Buffer.from(`<ListAllMyBucketsResult><Buckets>${buckets}</Buckets></ListAllMyBucketsResult>`);
}

function namesIn(answer: Buffer): string[] {
  return [...answer.toString().matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name = '']) => name);
}

async function filtered(
  policies: OwnPolicies,
  { kind = 'user', lookup = () => [] }: { kind?: CallerKind; lookup?: () => readonly StoreTag[] } = {},
): Promise<{ readonly authorized: Authorized; readonly policies: PolicyGatherer }> {
  const directory = directoryOf(policies);
  const { request, authenticated } = received(wire, callerOf(kind, directory, policies.session));
  const sources = sourcesOf(directory, { listBuckets: 'filtered', lookup: { tags: async () => lookup() } });
  const authorized = await authorizeS3(request, authenticated, sources);
  if (!authorized.isAllowed) throw new Error('a filtered list is not denied before the store has answered');
  return { authorized, policies: sources.policies };
}

async function shown(
  { authorized }: Awaited<ReturnType<typeof filtered>>,
  names: readonly string[],
  signal = never,
): ReturnType<NonNullable<Authorized['writeResult']>> {
  if (authorized.writeResult === undefined) throw new Error('the answer is not written anew');
  return authorized.writeResult(storeList(names), { signal, reserve: () => undefined });
}

async function seen(
  list: Awaited<ReturnType<typeof filtered>>,
  names: readonly string[],
): Promise<readonly string[]> {
  const answer = await shown(list, names);
  if ('refusal' in answer) throw new Error(answer.refusal.message);
  return namesIn(answer);
}

/** Names of the longest kind. */
const longNames = Array.from(
  { length: 100 },
  (_, index) => `${'a'.repeat(54)}${String(index).padStart(3, '0')}-last`,
);
/** As many policies, full of patterns, of which only the last allows these names. */
function wildcards(policies: number): object[] {
  const patterns = Array.from({ length: 120 }, (_, index) => `arn:aws:s3:::*x${index}*`);
  return [
    ...Array.from({ length: policies - 1 }, () => listing(patterns)),
    listing([...patterns, 'arn:aws:s3:::*-last']),
  ];
}

afterEach(() => void vi.restoreAllMocks());

describe('a filtered list of buckets', () => {
  it('shows every bucket that one of many wildcard patterns allows', async () => {
    const list = await filtered({ identity: wildcards(6) });
    expect(await seen(list, longNames)).toEqual(longNames);
  });

  it('is decided with pauses, and finds the policies of the caller once', async () => {
    const list = await filtered({ identity: wildcards(20) });
    const gather = vi.spyOn(list.policies, 'gather');
    let [most, current, turns, isStopped] = [0, 0, 0, false];
    const spend = DecisionBudget.prototype.spend;
    vi.spyOn(DecisionBudget.prototype, 'spend').mockImplementation(function (this: DecisionBudget, steps) {
      current += steps;
      most = Math.max(most, current);
      spend.call(this, steps);
    });
    const turn = (): void => {
      turns += 1;
      current = 0;
      if (!isStopped) setImmediate(turn);
    };
    turn();
    expect(await seen(list, longNames)).toEqual(longNames);
    isStopped = true;
    expect(turns).toBeGreaterThan(3);
    expect(most).toBeLessThan(2 * stepsPerSlice);
    expect(gather).toHaveBeenCalledTimes(1);
  });

  it('pauses between many buckets whose decisions are cheap', async () => {
    const list = await filtered({ identity: [listing(['arn:aws:s3:::b-*'])] });
    const names = Array.from({ length: 10_000 }, (_, index) => `b-${index}`);
    let turns = 0;
    let isStopped = false;
    const turn = (): void => {
      turns += 1;
      if (!isStopped) setImmediate(turn);
    };
    turn();
    expect(await seen(list, names)).toHaveLength(names.length);
    isStopped = true;
    expect(turns).toBeGreaterThan(8);
  });

  it('is refused as a whole when the decision on a bucket fails, without naming the bucket', async () => {
    const list = await filtered({ identity: [listing(['arn:aws:s3:::b-*'])] });
    const begin = DecisionBudget.prototype.begin;
    let decisions = 0;
    vi.spyOn(DecisionBudget.prototype, 'begin').mockImplementation(function (this: DecisionBudget, size) {
      decisions += 1;
      if (decisions === 2) throw new Error('out of order');
      return begin.call(this, size);
    });
    const answer = await shown(list, ['b-one', 'b-two', 'b-three']);
    if (!('refusal' in answer)) throw new Error(`shown: ${namesIn(answer).join(' ')}`);
    expect(answer.refusal.decision).toMatchObject({ policyType: 'none', fault: new Error('out of order') });
    expect(answer.refusal.message).toContain('because the authorization decision could not be made');
    expect(answer.refusal.message).not.toContain('b-two');
    expect(answer.refusal.permission.action).toBe('s3:ListAllMyBuckets');
  });

  it('hides buckets that only their tags would show, without a look-up', async () => {
    const lookup = vi.fn((): readonly StoreTag[] => [['team', 'blue']]);
    const tagged = listing(['*'], { StringEquals: { 's3:BucketTag/team': 'blue' } });
    const list = await filtered({ identity: [tagged, listing(['arn:aws:s3:::mine'])] }, { lookup });
    expect(await seen(list, ['mine', 'theirs'])).toEqual(['mine']);
    expect(lookup).not.toHaveBeenCalled();
  });

  it('shows buckets that are allowed with any tags, and hides those that a Deny could match by tag', async () => {
    const whenOpen = { StringEquals: { 'aws:ResourceTag/open': 'yes' } };
    const bucketPolicies = {
      plain: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: '*',
          Action: 's3:ListBucket',
          Resource: 'arn:aws:s3:::plain',
          Condition: whenOpen,
        },
      },
    };
    const deny = {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Deny',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::guarded',
        Condition: { StringEquals: { 'aws:ResourceTag/class': 'secret' } },
      },
    };
    const identity = [
      listing(['arn:aws:s3:::plain', 'arn:aws:s3:::both', 'arn:aws:s3:::guarded']),
      listing(['arn:aws:s3:::both', 'arn:aws:s3:::tagged'], whenOpen),
      deny,
    ];
    const list = await filtered({ identity, bucketPolicies });
    expect(await seen(list, ['plain', 'both', 'guarded', 'tagged', 'other'])).toEqual(['plain', 'both']);
  });

  it('stops deciding when the client has gone', async () => {
    const list = await filtered({ identity: wildcards(20) });
    const leaving = new AbortController();
    const begin = vi.spyOn(DecisionBudget.prototype, 'begin');
    const written = shown(list, longNames, leaving.signal);
    leaving.abort();
    await expect(written).rejects.toThrow();
    expect(begin.mock.calls.length).toBeLessThan(longNames.length / 2);
  });
});
