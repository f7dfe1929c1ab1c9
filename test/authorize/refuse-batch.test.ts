import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { Denied } from '../../src/authorize/denied.ts';
import { refuseBatch } from '../../src/authorize/refuse-batch.ts';
import {
  type CallerKind,
  callerOf,
  deleteOf,
  directoryOf,
  type OwnPolicies,
  received,
  sourcesOf,
} from '../support/authorization.ts';
import { variable } from '../support/policy-documents.ts';

const wire = { method: 'POST', target: '/data?delete', headers: [] } as const;
const kinds: readonly CallerKind[] = ['user', 'root', 'role-session', 'federated-user'];
const root = 'arn:aws:iam::123456789012:root';
const role = 'arn:aws:iam::123456789012:role/worker';
const session = 'arn:aws:sts::123456789012:assumed-role/worker/me';

function policyOf(...Statement: object[]): object {
  return { Version: '2012-10-17', Statement };
}

const allow = (Action: unknown, Resource: unknown, more: object = {}): object => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
const deny = (Action: unknown, Resource: unknown, more: object = {}): object => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});
const inBucket = 'arn:aws:s3:::data/*';

async function refusal(
  policies: OwnPolicies,
  kind: CallerKind = 'user',
  enforcement: 'enforce' | 'audit' = 'enforce',
): Promise<Denied | undefined> {
  const directory = directoryOf(policies);
  const { request, authenticated } = received(wire, callerOf(kind, directory, policies.session));
  return refuseBatch(request, authenticated, sourcesOf(directory, { enforcement }));
}

describe('a batch is refused before its body is read', () => {
  it.each<[title: string, policies: OwnPolicies, kind: CallerKind, reason: string]>([
    ['nothing allows it', { identity: [] }, 'user', 'because no identity-based policy allows'],
    [
      'only another bucket is allowed',
      {
        identity: [
          policyOf(allow('s3:*', ['arn:aws:s3:::data', 'arn:aws:s3:::data2/*', 'arn:aws:s3:::dat'])),
        ],
      },
      'user',
      'because no identity-based policy allows',
    ],
    [
      'only other actions are allowed',
      { identity: [policyOf(allow(['s3:Get*', 's3:PutObject'], '*'))] },
      'user',
      'because no identity-based policy allows',
    ],
    [
      'the boundary allows no deletion',
      { identity: [policyOf(allow('*', '*'))], boundary: policyOf(allow('s3:Get*', '*')) },
      'user',
      'because no permissions boundary allows',
    ],
    [
      'the session policy is about another bucket',
      { identity: [policyOf(allow('*', '*'))], session: policyOf(allow('*', 'arn:aws:s3:::other/*')) },
      'role-session',
      'because no session policy allows',
    ],
    [
      'a federated user was passed nothing',
      { identity: [policyOf(allow('*', '*'))] },
      'federated-user',
      'because no session policy allows',
    ],
    [
      'a Deny covers the bucket',
      { identity: [policyOf(allow('*', '*'), deny('s3:Delete*', 'arn:aws:s3:::d*'))] },
      'user',
      'with an explicit deny in an identity-based policy',
    ],
    [
      'a Deny of the bucket policy covers it',
      {
        identity: [policyOf(allow('*', '*'))],
        bucketPolicies: { data: policyOf(deny('*', inBucket, { Principal: '*' })) },
      },
      'root',
      'with an explicit deny in a resource-based policy',
    ],
    [
      'a Deny spares other buckets only',
      {
        identity: [
          policyOf(allow('*', '*'), { Effect: 'Deny', Action: '*', NotResource: 'arn:aws:s3:::other/*' }),
        ],
      },
      'user',
      'with an explicit deny in an identity-based policy',
    ],
  ])('when %s', async (_, policies, kind, reason) => {
    const denied = await refusal(policies, kind);
    expect(denied?.message).toMatch(
      new RegExp(
        `is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::data/\\*" ${reason}`,
      ),
    );
    expect(denied).toMatchObject({ isAllowed: false, decision: { effect: 'deny' } });
    expect(denied?.context).toContainEqual(['aws:SourceIp', '192.0.2.1']);
  });

  it.each<[title: string, policies: OwnPolicies, kind: CallerKind]>([
    [
      'one key is allowed',
      { identity: [policyOf(allow('s3:DeleteObject', 'arn:aws:s3:::data/a/b/c'))] },
      'user',
    ],
    ['old versions are', { identity: [policyOf(allow('s3:DeleteObjectVersion', inBucket))] }, 'user'],
    [
      'a condition decides',
      {
        identity: [policyOf(allow('s3:*', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }))],
      },
      'user',
    ],
    [
      'a wildcard may reach the bucket',
      { identity: [policyOf(allow('s3:*Object', 'arn:aws:s3:::*a/team/*'))] },
      'user',
    ],
    [
      'only a part is denied',
      { identity: [policyOf(allow('*', '*'), deny('*', 'arn:aws:s3:::data/secret/*'))] },
      'user',
    ],
    [
      'a Deny has a condition',
      {
        identity: [
          policyOf(
            allow('*', '*'),
            deny('*', '*', { Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ),
        ],
      },
      'user',
    ],
    ['the caller is root', { identity: [] }, 'root'],
    [
      'the bucket policy names the role',
      {
        identity: [],
        bucketPolicies: { data: policyOf(allow('*', inBucket, { Principal: { AWS: role } })) },
      },
      'role-session',
    ],
    [
      'the bucket policy names the session, whatever its boundary',
      {
        identity: [],
        boundary: policyOf(allow('s3:Get*', '*')),
        bucketPolicies: { data: policyOf(allow('*', inBucket, { Principal: { AWS: session } })) },
      },
      'role-session',
    ],
  ])('not when %s', async (_, policies, kind) => {
    expect(await refusal(policies, kind)).toBeUndefined();
  });

  it('because of the scope-down policy that allows no deletion, whatever the bucket policy grants', async () => {
    const everyone = policyOf(allow('*', inBucket, { Principal: '*' }));
    const directory = directoryOf({
      identity: [policyOf(allow('*', '*'))],
      bucketPolicies: { data: everyone },
    });
    const wide = policyOf(allow('*', '*'));
    const refusedBy = async (layers: readonly object[]): Promise<string | undefined> => {
      const caller = callerOf('role-session', directory, undefined, layers);
      const { request, authenticated } = received(wire, caller);
      return (await refuseBatch(request, authenticated, sourcesOf(directory)))?.message;
    };
    expect(await refusedBy([wide, wide])).toBeUndefined();
    expect(await refusedBy([wide, policyOf(allow('s3:Get*', '*'))])).toContain(
      'because no scope-down policy allows the s3:DeleteObject action (layer 2)',
    );
  });

  it('in audit mode only for reasons that audit mode does not relax', async () => {
    expect(await refusal({ identity: [] }, 'user', 'audit')).toBeUndefined();
    const bounded = { identity: [], boundary: policyOf(allow('s3:Get*', '*')) };
    expect((await refusal(bounded, 'user', 'audit'))?.message).toContain('s3:DeleteObject');
    const denied = { identity: [policyOf(deny('*', '*'))] };
    expect((await refusal(denied, 'user', 'audit'))?.message).toContain('with an explicit deny');
  });

  it('never for a request that is not a batch, or whose body has been read', () => {
    const directory = directoryOf({ identity: [] });
    const caller = callerOf('user', directory);
    const single = received({ method: 'DELETE', target: '/data/k', headers: [] }, caller);
    const read = received(wire, caller, deleteOf([{ key: 'k' }]));
    for (const { request, authenticated } of [single, read])
      expect(refuseBatch(request, authenticated, sourcesOf(directory))).toBeUndefined();
  });
});

describe('random policies', () => {
  const action = fc.constantFrom(
    '*',
    's3:*',
    's3:Delete*',
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:Get*',
  );
  const resource = fc.constantFrom(
    ...[
      '*',
      'arn:aws:s3:::*',
      inBucket,
      'arn:aws:s3:::data/a*',
      'arn:aws:s3:::data/?/x',
      'arn:aws:s3:::d*/a',
    ],
    ...[
      'arn:aws:s3:::other/*',
      'arn:aws:s3:::data',
      'arn:*:s3:::data/*/x',
      `arn:aws:s3:::data/${variable('aws:username')}/*`,
    ],
    ...['arn:aws:s3', 'arn:aws:s3:::data*', 'arn:aws:s3:::data/'],
  );
  const condition = fc.constantFrom(
    {},
    {},
    { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { Condition: { StringEquals: { 's3:versionid': 'v1' } } },
    { Condition: { StringNotEquals: { 'aws:PrincipalTag/team': 'red' } } },
  );
  const principals = fc.constantFrom<unknown>(
    '*',
    { AWS: root },
    { AWS: role },
    { AWS: session },
    {
      AWS: 'arn:aws:iam::123456789012:user/alice',
    },
  );
  const statement = fc
    .tuple(
      fc.constantFrom('Allow', 'Allow', 'Deny'),
      action,
      fc.boolean(),
      fc.array(resource, { minLength: 1, maxLength: 2 }),
      condition,
      fc.nat(5),
    )
    .map(([Effect, Action, isNot, list, more, negated]) => ({
      Effect,
      ...(negated === 0 ? { NotAction: Action } : { Action }),
      ...(isNot && negated === 1 ? { NotResource: list } : { Resource: list }),
      ...more,
    }));
  const document = fc
    .array(statement, { minLength: 1, maxLength: 3 })
    .map((statements) => policyOf(...statements));
  const inBucketPolicies = fc.constantFrom('*', inBucket, 'arn:aws:s3:::data/a*', 'arn:aws:s3:::*/a');
  const bucketDocument = fc
    .array(
      fc.tuple(statement, principals, inBucketPolicies).map(([one, Principal, Resource]) => {
        const kept = Object.entries(one).filter(([name]) => name !== 'NotResource');
        return { ...Object.fromEntries(kept), Principal, Resource };
      }),
      { minLength: 1, maxLength: 2 },
    )
    .map((statements) => policyOf(...statements));
  const policies: fc.Arbitrary<OwnPolicies> = fc
    .record(
      {
        identity: fc.array(document, { maxLength: 2 }),
        boundary: document,
        session: document,
        bucketPolicies: bucketDocument.map((data) => ({ data })),
        tags: fc.constant({ team: 'blue' }),
      },
      { requiredKeys: ['identity'] },
    )
    .map((drawn) => drawn as OwnPolicies);
  const entries = ['a', 'a/x', 'b/x', 'team/y', 'a//x'].flatMap((key) => [{ key }, { key, versionId: 'v1' }]);

  it('never refuse a batch of which an item is allowed', async () => {
    const seen = { refused: 0, allowed: 0, deniedAll: 0 };
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.constantFrom(...kinds),
        fc.constantFrom('enforce' as const, 'enforce' as const, 'audit' as const),
        fc.option(fc.array(document, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
        async (drawn, kind, enforcement, scopeDown) => {
          const directory = directoryOf(drawn);
          const caller = callerOf(kind, directory, drawn.session, scopeDown);
          const sources = sourcesOf(directory, { enforcement });
          const unread = received(wire, caller);
          const { request, authenticated } = received(wire, caller, deleteOf(entries));
          const refused = await refuseBatch(unread.request, unread.authenticated, sources);
          const decided = await authorizeS3(request, authenticated, sources);
          if (!decided.isAllowed) throw new Error('a batch is never denied as a whole');
          if (refused !== undefined) {
            expect(decided.isEmptyBatch).toBe(true);
            seen.refused += 1;
          } else seen[decided.isEmptyBatch ? 'deniedAll' : 'allowed'] += 1;
        },
      ),
      { numRuns: 500 },
    );
    expect(Math.min(seen.refused, seen.allowed)).toBeGreaterThan(50);
    // It would be of little use if it rarely caught a batch that is denied anyway.
    expect(seen.refused).toBeGreaterThan(seen.deniedAll);
  });
});
