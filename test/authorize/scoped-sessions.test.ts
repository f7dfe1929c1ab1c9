import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Authorized, authorizeS3, type Denied } from '../../src/authorize/authorize-s3.ts';
import type { Directory } from '../../src/directory/directory.ts';
import {
  type CallerKind,
  callerOf,
  deleteOf,
  directoryOf,
  type OwnPolicies,
  received,
  sourcesOf,
} from '../support/authorization.ts';
import type { WireRequest } from '../support/raw-requests.ts';

const role = 'arn:aws:iam::123456789012:role/worker';
const session = 'arn:aws:sts::123456789012:assumed-role/worker/me';
const user = 'arn:aws:iam::123456789012:user/alice';
const guest = 'arn:aws:sts::123456789012:federated-user/fred';
const kinds: readonly CallerKind[] = ['role-session', 'federated-user'];

const action = fc.constantFrom(
  '*',
  's3:*',
  's3:Get*',
  's3:GetObject',
  's3:PutObject',
  's3:Delete*',
  's3:List*',
);
const resource = fc.constantFrom(
  ...['*', 'arn:aws:s3:::*', 'arn:aws:s3:::data', 'arn:aws:s3:::data/*', 'arn:aws:s3:::data/a*'],
  ...['arn:aws:s3:::data/b', 'arn:aws:s3:::other/*', 'arn:aws:s3:::other'],
);
const condition = fc.constantFrom<object>(
  {},
  {},
  {},
  { Condition: { StringEquals: { 's3:prefix': 'a' } } },
  { Condition: { StringEquals: { 's3:ExistingObjectTag/team': 'blue' } } },
  { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } } },
  { Condition: { DateLessThan: { 'aws:TokenIssueTime': '2020-01-01T00:00:00Z' } } },
);
const statement = fc
  .tuple(fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'), action, resource, condition, fc.nat(9))
  .map(
    ([Effect, Action, Resource, more, turned]): Record<string, unknown> => ({
      Effect,
      ...(turned === 0 ? { NotAction: Action } : { Action }),
      ...(turned === 1 ? { NotResource: Resource } : { Resource }),
      ...more,
    }),
  );
const document = fc
  .array(statement, { minLength: 1, maxLength: 3 })
  .map((Statement) => ({ Version: '2012-10-17', Statement }));
const principal = fc.constantFrom<unknown>(
  '*',
  ...[session, role, user, guest, '123456789012'].map((AWS) => ({ AWS })),
);
const bucketDocument = fc
  .array(fc.tuple(statement, principal), { minLength: 1, maxLength: 3 })
  .map((drawn) => ({
    Version: '2012-10-17',
    Statement: drawn.map(([{ ['NotResource']: _, ...one }, Principal]) => ({
      ...one,
      Principal,
      Resource: ['arn:aws:s3:::data', 'arn:aws:s3:::data/*'],
    })),
  }));
const policies = fc
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
const layers = fc.array(document, { minLength: 1, maxLength: 3 });

const items = ['a', 'ab', 'b', 'c'];
const requests: readonly (WireRequest & { readonly body?: string })[] = [
  ...[
    '/data/a',
    '/data/b',
    '/data/a?tagging',
    '/data/a?acl',
    '/data?prefix=a',
    '/data?versions',
    '/other/a',
    '/',
  ].map((target) => ({ method: 'GET', target, headers: [] })),
  { method: 'PUT', target: '/data/a', headers: [] },
  { method: 'PUT', target: '/data/b', headers: [['x-amz-copy-source', '/other/a']] },
  { method: 'DELETE', target: '/data/b', headers: [] },
  { method: 'POST', target: '/data?delete', headers: [], body: deleteOf(items.map((key) => ({ key }))) },
];

/** What a decision lets through: nothing, or a request with the items of its batch that are left. */
function passedBy(decided: Authorized | Denied): readonly string[] {
  if (!decided.isAllowed) return [];
  return items
    .map((_, index) => (decided.deniedItems.includes(index) ? '' : `item ${index}`))
    .filter(Boolean);
}

const sourcesOfLayer = (directory: Directory) =>
  sourcesOf(directory, { enforcement: 'enforce', listBuckets: 'filtered' }, [['team', 'blue']]);

it('lets a scoped session do nothing that the calling session may not, whatever the policies say', async () => {
  const seen = { both: 0, narrowed: 0, ofBucket: 0 };
  await fc.assert(
    fc.asyncProperty(
      policies,
      layers,
      fc.constantFrom(...kinds),
      fc.constantFrom('enforce' as const, 'audit' as const),
      fc.constantFrom(...requests),
      async (drawn, scopeDown, kind, enforcement, { body, ...wire }) => {
        const directory = directoryOf(drawn);
        const sources = sourcesOf(directory, { enforcement, listBuckets: 'filtered' }, [['team', 'blue']]);
        const decide = async (texts?: readonly unknown[]): Promise<Authorized | Denied> => {
          const caller = callerOf(kind, directory, drawn.session, texts);
          const { request, authenticated } = received(wire, caller, body);
          return authorizeS3(request, authenticated, sources);
        };
        const [parent, child, part] = [
          await decide(),
          await decide(scopeDown),
          await decide(scopeDown.slice(0, 1)),
        ];
        for (const [narrow, wide] of [
          [child, part],
          [part, parent],
        ] as const) {
          expect(passedBy(wide)).toEqual(expect.arrayContaining([...passedBy(narrow)]));
        }
        // Nor what a role could not do whose only policy is one of the scope-down policies.
        for (const layer of scopeDown) {
          const alone = directoryOf({ identity: [layer], tags: drawn.tags ?? {} });
          const { request, authenticated } = received(wire, callerOf('role-session', alone), body);
          const allowed = await authorizeS3(request, authenticated, sourcesOfLayer(alone));
          expect(passedBy(allowed)).toEqual(expect.arrayContaining([...passedBy(child)]));
        }
        const [before, after] = [passedBy(parent).length, passedBy(child).length];
        if (after > 0) seen.both += 1;
        if (before > after) {
          seen.narrowed += 1;
          if (parent.decision.policyType === 'resource') seen.ofBucket += 1;
        }
      },
    ),
    { numRuns: 2_000 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
}, 120_000);
