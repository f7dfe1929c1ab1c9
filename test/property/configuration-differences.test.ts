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
const actions = ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:*', 's3:Get*', 'sts:AssumeRole'];
const resources = [
  'one',
  'one/*',
  'one/x',
  'one/x/*',
  'one*',
  '*',
  `one/${variable('aws:username')}/*`,
  `one/${variable('aws:PrincipalTag/team')}/*`,
  'two/*',
].map((place) => (place === '*' ? place : `arn:aws:s3:::${place}`));
const conditions = [
  undefined,
  undefined,
  { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
  { Bool: { 'aws:SecureTransport': 'false' } },
  { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  { StringEquals: { 's3:ExistingObjectTag/team': 'blue' } },
  { StringLike: { 's3:prefix': `${variable('aws:PrincipalTag/team')}/*` } },
];
const effects = fc.constantFrom('Allow', 'Allow', 'Deny');

/** Resource, or NotResource now and then. */
function placed(...among: readonly string[]): fc.Arbitrary<object> {
  const values = fc.uniqueArray(fc.constantFrom(...among), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ Resource: values }) },
    { weight: 1, arbitrary: fc.record({ NotResource: values }) },
  );
}

/** One object with the elements of several. */
function merged(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);
}

const statement = merged(
  fc.record({
    Effect: effects,
    Action: fc.constantFrom(...actions),
    Condition: fc.constantFrom(...conditions),
  }),
  placed(...resources),
);
const statements = fc.array(statement, { minLength: 1, maxLength: 3 });
const arnOf = (entity: string): string => `arn:aws:iam::${account}:${entity}`;
const session = `arn:aws:sts::${account}:assumed-role/worker/s1`;
const federated = `arn:aws:sts::${account}:federated-user/fred`;
const principals = [
  '*',
  ...[account, arnOf('user/alice'), arnOf('role/worker'), session, federated].map((AWS) => ({ AWS })),
];
const named = fc.oneof(
  { weight: 6, arbitrary: fc.record({ Effect: effects, Principal: fc.constantFrom(...principals) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      Effect: fc.constant('Deny'),
      NotPrincipal: fc.constantFrom(...principals.slice(1)),
    }),
  },
);
const bucketStatements = fc.array(
  merged(
    named,
    fc.record({ Action: fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:*') }),
    placed('arn:aws:s3:::one', 'arn:aws:s3:::one/*', 'arn:aws:s3:::one/x', 'arn:aws:s3:::on*', '*'),
  ),
  { minLength: 1, maxLength: 2 },
);
const trustStatements = fc.record({
  Effect: fc.constant('Allow'),
  Principal: fc.constantFrom(...[account, arnOf('user/alice'), arnOf('role/worker')].map((AWS) => ({ AWS }))),
  Action: fc.constant('sts:AssumeRole'),
});
const boundary = fc.constantFrom(undefined, undefined, 'Shared', 'OnlyPut');

const drawn = fc.record({
  shared: statements,
  own: fc.option(statements, { nil: undefined }),
  team: fc.constantFrom('blue', 'blue', 'red'),
  boundary,
  bob: fc.constantFrom(undefined, { policies: ['Shared'] }, {}),
  worker: fc.record({
    tags: fc.constantFrom({}, { team: 'blue' }, { team: 'red' }),
    policies: fc.constantFrom(['Shared'], []),
    permissionsBoundary: boundary,
  }),
  bucket: fc.option(bucketStatements, { nil: undefined }),
  trust: trustStatements,
  assumes: fc.option(fc.constantFrom(...conditions), { nil: null }),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

const partsOfDrawn = [
  'shared',
  'own',
  'team',
  'boundary',
  'bob',
  'worker',
  'bucket',
  'trust',
  'assumes',
] as const;

/** A configuration, and another one that differs in a part or two. */
const pairs = fc
  .record({
    one: drawn,
    other: drawn,
    changed: fc.subarray([...partsOfDrawn], { minLength: 1, maxLength: 2 }),
  })
  .map(
    ({ one, other, changed }) =>
      [one, { ...one, ...Object.fromEntries(changed.map((part) => [part, other[part]])) }] as const,
  );

function policy(Statement: unknown): object {
  return { Version: '2012-10-17', Statement };
}

function load({ shared, own, team, bob, worker, bucket, trust, assumes, ...drawn }: Drawn): Loaded {
  const assume = {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Resource: '*',
    Condition: assumes ?? undefined,
  };
  const onlyPut = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::one/*' };
  const document = {
    apiVersion: 'sts-sidecar/v1',
    backend: {
      endpoint: 'http://127.0.0.1:9001',
      credentials: { accessKeyId: 'KEY', secretAccessKey: 'literal-secret' },
    },
    account: { id: account },
    tokens: { sealWith: 'k', keys: [{ id: 'k', secret: Buffer.alloc(32, 1).toString('base64') }] },
    directory: {
      policies: { Shared: policy(shared), OnlyPut: policy(onlyPut) },
      users: [
        {
          name: 'alice',
          policies: ['Shared'],
          tags: { team },
          inlinePolicies: {
            ...(own === undefined ? {} : { Own: policy(own) }),
            ...(assumes === null ? {} : { assume: policy(assume) }),
          },
          permissionsBoundary: drawn.boundary,
        },
        ...(bob === undefined ? [] : [{ name: 'bob', ...bob }]),
      ],
      roles: [{ name: 'worker', trustPolicy: policy(trust), ...worker }],
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

const callers = new Map<string, { readonly principal: string; readonly federatedBy?: string }>([
  ['user alice', { principal: arnOf('user/alice') }],
  ['user bob', { principal: arnOf('user/bob') }],
  ['role worker', { principal: arnOf('role/worker') }],
  ['an anonymous caller', { principal: '*' }],
  ['session worker/s1', { principal: session }],
  ...['alice', 'bob'].map(
    (name) =>
      [
        `federated user fred of user ${name}`,
        { principal: federated, federatedBy: arnOf(`user/${name}`) },
      ] as const,
  ),
]);

/** Some of the contexts that a request can have. */
const contexts = ['192.0.2.1', '198.51.100.1'].flatMap((ip) =>
  ['true', 'false'].flatMap((tls) =>
    [[], [['s3:ExistingObjectTag/team', 'blue']]].map((tags) => [
      ['aws:SourceIp', ip],
      ['aws:SecureTransport', tls],
      ['s3:x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['s3:prefix', 'blue/x'],
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
  const asking = { ...callers.get(asked.principal), sessionPolicyArns: [], scopeDown: [], tags: [] };
  try {
    const asker = findAsker(asking, world, testNowMs);
    return outcomeOf(simulate(asked.action, asked.resource, { asker, circumstances, world, raw }));
  } catch (error) {
    if (error instanceof QuestionError) return undefined;
    throw error;
  }
}

function isAllowed(outcome: string): boolean {
  return outcome === 'allowed';
}

const runs = { numRuns: 100 };

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
      fc.property(pairs, ([one, other]) => {
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

  const objects = [
    'one/x',
    'one/x/y',
    'one/other',
    'one/alice/1',
    'one/blue/1',
    'one/red/1',
    'two/1',
    'one2/1',
  ];
  const asked = objects.flatMap((place) =>
    ['s3:GetObject', 's3:PutObject'].map((action) => [action, `arn:aws:s3:::${place}`] as const),
  );
  const everything = [
    ...asked,
    ['s3:ListBucket', 'arn:aws:s3:::one'],
    ['s3:ListBucket', 'arn:aws:s3:::two'],
    ['sts:AssumeRole', arnOf('role/worker')],
  ] as const;

  it('include every decision that policy simulate makes differently, by caller and action, as what it is', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const [before, after] = [buildSide(load(one)), buildSide(load(other))];
        const { changes } = compareRights(before, after, testNowMs);
        const reported = new Set(
          changes.flatMap(({ principal, asked: { known }, before: was, after: is }) => [
            ...(was.effect !== 'allow' && is.effect !== 'deny' ? [`${principal} gains ${known.action}`] : []),
            ...(was.effect !== 'deny' && is.effect !== 'allow' ? [`${principal} loses ${known.action}`] : []),
          ]),
        );
        const both = JSON.stringify([one, other]);
        for (const [principal, { principal: arn }] of callers) {
          // A session is a caller where a policy names it.
          if (arn.includes(':sts:') && !both.includes(arn)) continue;
          for (const [action, resource] of everything) {
            const was = simulated(before, principal, action, resource).map(isAllowed);
            const is = simulated(after, principal, action, resource).map(isAllowed);
            for (const [index, now] of is.entries()) {
              if (now === was[index]) continue;
              const line = `${principal} ${now ? 'gains' : 'loses'} ${action}`;
              expect([...reported], `${line} on ${resource}`).toContain(line);
            }
          }
        }
      }),
      runs,
    );
  });
});
