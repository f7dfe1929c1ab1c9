import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRights, resourceOf } from '../../src/cli/config-diff/compare-rights.ts';
import { buildSide, type Loaded, type Side } from '../../src/cli/config-diff/side.ts';
import { findAsker } from '../../src/cli/policy/asker.ts';
import { simulatedRequest } from '../../src/cli/policy/circumstances.ts';
import { QuestionError } from '../../src/cli/policy/question.ts';
import { outcomeOf } from '../../src/cli/policy/render.ts';
import { simulate } from '../../src/cli/policy/simulate.ts';
import { parseConfiguration } from '../../src/config/load.ts';
import { variable } from '../support/policy-documents.ts';
import { testNowMs } from '../support/raw-requests.ts';

/*
 * Pairs of small configurations over a small alphabet: what `config diff` reports is what `policy simulate` decides, and what
 * `policy simulate` decides differently is reported.
 */

const account = '123456789012';
const actions = ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:*', 's3:Get*'];
const resources = [
  'one',
  'one/*',
  'one/x',
  'one/x/*',
  'one*',
  '*',
  `one/${variable('aws:username')}/*`,
  'two/*',
].map((place) => (place === '*' ? place : `arn:aws:s3:::${place}`));
const conditions = [
  undefined,
  undefined,
  { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
  { Bool: { 'aws:SecureTransport': 'false' } },
  { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  { StringEquals: { 's3:ExistingObjectTag/team': 'blue' } },
];
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
  Action: fc.constantFrom(...actions),
  Resource: fc.constantFrom(...resources),
  Condition: fc.constantFrom(...conditions),
});
const statements = fc.array(statement, { minLength: 1, maxLength: 3 });
const principals = ['*', { AWS: account }, { AWS: `arn:aws:iam::${account}:user/alice` }];
const bucketStatements = fc.array(
  fc.record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    Principal: fc.constantFrom(...principals),
    Action: fc.constantFrom('s3:GetObject', 's3:PutObject'),
    Resource: fc.constantFrom('arn:aws:s3:::one/*', 'arn:aws:s3:::one/x'),
  }),
  { minLength: 1, maxLength: 2 },
);
const trustStatements = fc.constantFrom(
  ...[{ AWS: account }, { AWS: `arn:aws:iam::${account}:user/alice` }].map((Principal) => [
    { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' },
  ]),
);

const drawn = fc.record({
  shared: statements,
  own: fc.option(statements, { nil: undefined }),
  boundary: fc.boolean(),
  hasBob: fc.boolean(),
  bucket: fc.option(bucketStatements, { nil: undefined }),
  trust: trustStatements,
  assumes: fc.boolean(),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function policy(Statement: unknown): object {
  return { Version: '2012-10-17', Statement };
}

function load({ shared, own, boundary, hasBob, bucket, trust, assumes }: Drawn): Loaded {
  const assume = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' });
  const document = {
    apiVersion: 'sts-sidecar/v1',
    backend: {
      endpoint: 'http://127.0.0.1:9001',
      credentials: { accessKeyId: 'KEY', secretAccessKey: 'literal-secret' },
    },
    account: { id: account },
    tokens: { sealWith: 'k', keys: [{ id: 'k', secret: Buffer.alloc(32, 1).toString('base64') }] },
    directory: {
      policies: { Shared: policy(shared) },
      users: [
        {
          name: 'alice',
          policies: ['Shared'],
          tags: { team: 'blue' },
          inlinePolicies: {
            ...(own === undefined ? {} : { Own: policy(own) }),
            ...(assumes ? { assume } : {}),
          },
          ...(boundary ? { permissionsBoundary: 'Shared' } : {}),
        },
        ...(hasBob ? [{ name: 'bob', policies: ['Shared'] }] : []),
      ],
      roles: [{ name: 'worker', trustPolicy: policy(trust), policies: ['Shared'] }],
      bucketPolicies: bucket === undefined ? {} : { one: policy(bucket) },
    },
  };
  const loaded = parseConfiguration(JSON.stringify(document), 'drawn.yaml', {
    environment: () => undefined,
    readText: () => ({ ok: false, reason: 'does not exist' }),
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded;
}

const principalArns = new Map([
  ['user alice', `arn:aws:iam::${account}:user/alice`],
  ['user bob', `arn:aws:iam::${account}:user/bob`],
  ['role worker', `arn:aws:iam::${account}:role/worker`],
  ['an anonymous caller', '*'],
]);

/** Some of the contexts that a request can have. */
const contexts = ['192.0.2.1', '198.51.100.1'].flatMap((ip) =>
  ['true', 'false'].flatMap((tls) =>
    [[], [['s3:ExistingObjectTag/team', 'blue']]].map((tags) => [
      ['aws:SourceIp', ip],
      ['aws:SecureTransport', tls],
      ['s3:x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ...tags,
    ]),
  ),
) as unknown as readonly (readonly (readonly [string, string])[])[];

/** What `policy simulate` answers in each of the contexts. */
function simulated(
  side: Side,
  principal: string,
  action: string,
  resource: string | undefined,
): readonly string[] {
  return contexts.map((context) => {
    const asked = { side, principal, action, resource: resource ?? '' };
    const untagged = context.filter(([key]) => !key.startsWith('s3:ExistingObjectTag/'));
    return simulatedIn(context, asked) ?? simulatedIn(untagged, asked) ?? 'implicitDeny';
  });
}

/** `undefined` for a context that no such request has, and for a caller or resource that does not exist. */
function simulatedIn(
  context: (typeof contexts)[number],
  asked: { side: Side; principal: string; action: string; resource: string },
): string | undefined {
  const { world } = asked.side;
  const absent = ['s3:existingobjecttag/', 's3:buckettag/', 'aws:resourcetag/'];
  const circumstances = { context, absent };
  const raw = simulatedRequest(circumstances, testNowMs);
  const principal = principalArns.get(asked.principal);
  try {
    const asker = findAsker({ principal, sessionPolicyArns: [], scopeDown: [], tags: [] }, world, testNowMs);
    return outcomeOf(simulate(asked.action, asked.resource, { asker, circumstances, world, raw }));
  } catch (error) {
    if (error instanceof QuestionError) return undefined;
    throw error;
  }
}

function isAllowed(outcome: string): boolean {
  return outcome === 'allowed';
}

const runs = { numRuns: 40 };

describe('differences of configurations', () => {
  it('are none between equal configurations', () => {
    fc.assert(
      fc.property(drawn, (one) => {
        const { changes, incomplete } = compareRights(buildSide(load(one)), buildSide(load(one)), testNowMs);
        expect([changes, incomplete]).toEqual([[], []]);
      }),
      runs,
    );
  });

  it('are true by policy simulate', () => {
    fc.assert(
      fc.property(drawn, drawn, (one, other) => {
        const [before, after] = [buildSide(load(one)), buildSide(load(other))];
        for (const { principal, asked, ...outcomes } of compareRights(before, after, testNowMs).changes) {
          for (const [side, outcome] of [
            [before, outcomes.before],
            [after, outcomes.after],
          ] as const) {
            const answers = simulated(side, principal, asked.known.action, resourceOf(asked, side));
            if (outcome.effect === 'allow') expect(answers.every(isAllowed)).toBe(true);
            if (outcome.effect === 'deny') expect(answers.some(isAllowed)).toBe(false);
          }
        }
      }),
      runs,
    );
  });

  const asked = ['one/x', 'one/x/y', 'one/other', 'one/alice/1', 'two/1', 'six/1', 'one2/1'].flatMap(
    (place) => ['s3:GetObject', 's3:PutObject'].map((action) => [action, `arn:aws:s3:::${place}`] as const),
  );
  const everything = [
    ...asked,
    ['s3:ListBucket', 'arn:aws:s3:::one'],
    ['s3:ListBucket', 'arn:aws:s3:::two'],
    ['sts:AssumeRole', `arn:aws:iam::${account}:role/worker`],
  ] as const;

  it('include every decision that policy simulate makes differently, by caller and action', () => {
    fc.assert(
      fc.property(drawn, drawn, (one, other) => {
        const [before, after] = [buildSide(load(one)), buildSide(load(other))];
        const { changes } = compareRights(before, after, testNowMs);
        const reported = new Set(
          changes.map(({ principal, asked: { known } }) => `${principal} ${known.action}`),
        );
        for (const principal of principalArns.keys()) {
          for (const [action, resource] of everything) {
            const was = simulated(before, principal, action, resource).map(isAllowed);
            const is = simulated(after, principal, action, resource).map(isAllowed);
            if (was.join() === is.join()) continue;
            expect([...reported], `${principal} ${action} ${resource}`).toContain(`${principal} ${action}`);
          }
        }
      }),
      runs,
    );
  });
});
