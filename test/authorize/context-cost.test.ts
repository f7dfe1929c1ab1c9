import { describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import {
  callerOf,
  deleteOf,
  directoryOf,
  type OwnPolicies,
  received,
  sourcesOf,
} from '../support/authorization.ts';
import { countSteps } from '../support/count-steps.ts';

const fifty: readonly StoreTag[] = Array.from({ length: 50 }, (_, at) => [`${'ж'.repeat(125)}${at}`, 'v']);
const onlyWith = (...keys: readonly string[]): object => ({
  Effect: 'Deny',
  Action: 's3:DeleteObject*',
  Resource: '*',
  Condition: { Null: Object.fromEntries(keys.map((key) => [key, 'true'])) },
});
const policyOf = (...Statement: readonly object[]): object => ({ Version: '2012-10-17', Statement });
const everything = { Effect: 'Allow', Action: '*', Resource: '*' };

/** Steps of the program for a batch of 400 keys, each with a version, that a policy denies one by one. */
async function stepsOf(
  denying: object,
  { own = [], store = [] }: { readonly own?: readonly StoreTag[]; readonly store?: readonly StoreTag[] },
): Promise<number> {
  const policies: OwnPolicies = {
    identity: [policyOf(everything)],
    session: policyOf(everything, denying),
    tags: Object.fromEntries(own),
  };
  const directory = directoryOf(policies);
  const caller = callerOf('role-session', directory, policies.session);
  const entries = Array.from({ length: 400 }, (_, at) => ({ key: `k${at}`, versionId: `v${at}` }));
  const body = deleteOf(entries);
  const decide = async (): Promise<void> => {
    const wire = { method: 'POST', target: '/data?delete', headers: [] } as const;
    const { request, authenticated } = received(wire, caller, body);
    const decided = await authorizeS3(request, authenticated, sourcesOf(directory, {}, store));
    expect(decided.isAllowed && decided.deniedItems.length).toBe(400);
  };
  await decide();
  return countSteps(decide);
}

describe('a decision on an entry of a batch takes about as long', () => {
  it('with fifty tags of the caller as without', async () => {
    const denying = onlyWith('aws:PrincipalTag/none');
    const [tagged, plain] = [await stepsOf(denying, { own: fifty }), await stepsOf(denying, {})];
    expect(tagged / plain).toBeLessThan(2);
  });

  it('with fifty tags of the bucket, under both of their names, as without', async () => {
    const denying = onlyWith('s3:BucketTag/none', 'aws:ResourceTag/none');
    const [tagged, plain] = [await stepsOf(denying, { store: fifty }), await stepsOf(denying, {})];
    expect(tagged / plain).toBeLessThan(2);
  });
});
