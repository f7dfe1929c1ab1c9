import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { simulatedRequest } from '../../src/cli/policy/circumstances.ts';
import { QuestionError } from '../../src/cli/policy/question.ts';
import { outcomeOf } from '../../src/cli/policy/render.ts';
import { type Simulation, simulate } from '../../src/cli/policy/simulate.ts';
import { buildWorld } from '../../src/cli/policy/world.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { ServiceError } from '../../src/core/service-error.ts';
import { uriEncode } from '../../src/core/uri-encode.ts';
import { nearMissText } from '../../src/iam/describe-near-miss.ts';
import { execute, file, removeFiles } from '../cli/command.ts';
import {
  type CallerKind,
  callerOf,
  directoryOf,
  type OwnPolicies,
  received,
  recordsOf,
  sourcesOf,
} from '../support/authorization.ts';
import { variable } from '../support/policy-documents.ts';
import { testNowMs } from '../support/raw-requests.ts';

afterAll(removeFiles);

const account = '123456789012';
const user = `arn:aws:iam::${account}:user/alice`;
const role = `arn:aws:iam::${account}:role/worker`;
const session = `arn:aws:sts::${account}:assumed-role/worker/me`;

const loaded = loadConfiguration(
  file(
    'empty.yaml',
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
directory: {}
`,
  ),
  {},
);

interface Asked {
  readonly action:
    | 's3:GetObject'
    | 's3:GetObjectTagging'
    | 's3:PutObject'
    | 's3:DeleteObject'
    | 's3:ListBucket';
  /** A key, or the prefix of a listing. */
  readonly name: string;
}

const methods = {
  's3:GetObject': 'GET',
  's3:GetObjectTagging': 'GET',
  's3:PutObject': 'PUT',
  's3:DeleteObject': 'DELETE',
} as const;

/** A decision with its near miss in words. */
interface Answer {
  readonly outcome: string;
  readonly near?: string | undefined;
}

async function live(asked: Asked, policies: OwnPolicies, drawn: Drawn): Promise<Answer> {
  const directory = directoryOf(policies);
  const caller = callerOf(drawn.kind, directory, policies.session);
  const encoded = uriEncode(asked.name, true) + (asked.action === 's3:GetObjectTagging' ? '?tagging' : '');
  const wire =
    asked.action === 's3:ListBucket'
      ? { method: 'GET', target: `/data?list-type=2&prefix=${uriEncode(asked.name)}`, headers: [] }
      : { method: methods[asked.action], target: `/data/${encoded}`, headers: [] };
  try {
    const { request, authenticated } = received(wire, caller);
    const sources = sourcesOf(directory, { enforcement: drawn.enforcement }, drawn.tags);
    const decided = await authorizeS3(request, authenticated, sources);
    const { decision } = decided;
    if (decision.effect === 'allow') return { outcome: 'allowed' };
    // Of several that deny, the sidecar may name one that asks for no tag.
    if (decision.isExplicitDeny) return { outcome: 'explicitDeny' };
    const recorded = decided.isAllowed ? ', only recorded' : '';
    const { nearMiss } = decision;
    return {
      outcome: `implicitDeny by ${decision.policyType}${recorded}`,
      near: nearMiss && nearMissText(nearMiss),
    };
  } catch (error) {
    if (error instanceof ServiceError) return { outcome: 'refused' };
    throw error;
  }
}

function simulated({ action, name }: Asked, policies: OwnPolicies, drawn: Drawn): Answer {
  if (!loaded.ok) throw new Error(loaded.problems.join());
  const authorization = { ...loaded.settings.authorization, enforcement: drawn.enforcement };
  const settings = { ...loaded.settings, authorization };
  const world = buildWorld({ ...loaded, settings, directory: recordsOf(policies) });
  const caller = callerOf(drawn.kind, world.directory, policies.session);
  const isListing = action === 's3:ListBucket';
  const told = action.startsWith('s3:GetObject') ? drawn.tags : [];
  const circumstances = {
    context: [
      ['aws:CurrentTime', new Date(testNowMs).toISOString().replace('.000Z', 'Z')],
      ['aws:SourceIp', '192.0.2.1'],
      ['s3:x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ...(isListing ? [['S3:Prefix', name] as const] : []),
      ...told.map(([key, value]) => [`s3:ExistingObjectTag/${key}`, value] as const),
    ] as const,
    absent: ['s3:existingobjecttag/', 's3:buckettag/', 'aws:resourcetag/'],
  };
  const raw = simulatedRequest(circumstances, testNowMs);
  const asker = { kind: 'caller', caller, arn: caller.arn, untold: [] } as const;
  try {
    const resource = isListing ? 'arn:aws:s3:::data' : `arn:aws:s3:::data/${name}`;
    return described(simulate(action, resource, { asker, circumstances, world, raw }));
  } catch (error) {
    if (error instanceof QuestionError) return { outcome: 'refused' };
    throw error;
  }
}

function described(simulation: Simulation): Answer {
  const { decision, isOnlyRecorded, nearMiss } = simulation;
  const outcome = outcomeOf(simulation);
  if (decision.effect !== 'deny' || decision.isExplicitDeny) return { outcome };
  const recorded = isOnlyRecorded ? ', only recorded' : '';
  return {
    outcome: `${outcome} by ${decision.policyType}${recorded}`,
    near: nearMiss && nearMissText(nearMiss),
  };
}

interface Drawn {
  readonly kind: CallerKind;
  readonly enforcement: 'enforce' | 'audit';
  readonly tags: readonly StoreTag[];
}

const names = fc.constantFrom(
  ...[
    'a',
    'team/x',
    'secret/x',
    'team//x',
    'team/../secret/x',
    './secret/x',
    'team\\..\\secret\\x',
    'team\\x',
  ],
  ...['secret/../team/x', '../x', 'team/', 'secret/', 'team/./'],
);
const asked: fc.Arbitrary<Asked> = fc.record({
  action: fc.constantFrom(
    's3:GetObject',
    's3:GetObjectTagging',
    's3:PutObject',
    's3:DeleteObject',
    's3:ListBucket',
  ),
  name: names,
});
const resources = fc.constantFrom(
  ...[
    '*',
    'arn:aws:s3:::data',
    'arn:aws:s3:::data/*',
    'arn:aws:s3:::data/team/*',
    'arn:aws:s3:::data/secret/*',
  ],
  ...[
    'arn:aws:s3:::data/*x',
    `arn:aws:s3:::data/${variable('aws:PrincipalTag/team')}/*`,
    'arn:aws:s3:::data/team/x',
  ],
);
const conditions = fc.constantFrom<object>(
  ...[{}, {}, {}, {}],
  { StringLike: { 's3:prefix': ['team/*', 'team/'] } },
  { StringNotLike: { 's3:prefix': 'secret/*' } },
  { StringLikeIfExists: { 's3:prefix': 'team/*' } },
  { StringEquals: { 's3:ExistingObjectTag/team': 'red' } },
  { StringNotEquals: { 's3:ExistingObjectTag/team': 'red' } },
  { Bool: { 's3:ExistingObjectTag/public': 'true' } },
  { StringEquals: { 'aws:PrincipalType': ['User', 'AssumedRole'] } },
  { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
  { StringEquals: { 's3:authType': 'REST-HEADER' } },
  { NumericLessThanEquals: { 's3:max-keys': '1000' } },
  { DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } },
  { Bool: { 'aws:SecureTransport': 'false' } },
);
const actions = fc.constantFrom<unknown>(
  '*',
  's3:*',
  's3:Get*',
  ['s3:GetObject', 's3:ListBucket'],
  's3:*Object',
);
const statement = fc
  .tuple(fc.constantFrom('Allow', 'Allow', 'Deny'), actions, resources, conditions, fc.nat(7))
  .map(([Effect, Action, Resource, Condition, other]) => ({
    Effect,
    Action,
    ...(other === 0 ? { NotResource: Resource } : { Resource }),
    ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
  }));
const documentOf = (Statement: readonly object[]): object => ({ Version: '2012-10-17', Statement });
const policy = fc.array(statement, { minLength: 1, maxLength: 3 }).map(documentOf);
const principal = fc.constantFrom<object>(
  { Principal: '*' },
  ...[account, user, role, session].map((AWS) => ({ Principal: { AWS } })),
);
const spared = fc.constantFrom(user, role, session, `arn:aws:iam::${account}:root`);
const bucketStatement = fc
  .tuple(statement, principal, spared, fc.nat(3))
  .map(([one, named, AWS, isSparing]) => {
    const { Effect, Action } = one;
    const isNot = isSparing === 0 && Effect === 'Deny';
    const Resource = 'Resource' in one && one.Resource !== '*' ? one.Resource : 'arn:aws:s3:::data/*';
    const Condition = 'Condition' in one ? { Condition: one.Condition } : {};
    return { Effect, Action, Resource, ...Condition, ...(isNot ? { NotPrincipal: { AWS } } : named) };
  });
const policies: fc.Arbitrary<OwnPolicies> = fc
  .record(
    {
      identity: fc.array(policy, { maxLength: 2 }),
      boundary: policy,
      session: policy,
      bucketPolicies: fc
        .array(bucketStatement, { minLength: 1, maxLength: 2 })
        .map((one) => ({ data: documentOf(one) })),
      tags: fc.constant({ team: 'team' }),
    },
    { requiredKeys: ['identity'] },
  )
  .map((drawn) => drawn as OwnPolicies);
const circumstances: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom<CallerKind>('user', 'root', 'role-session', 'federated-user'),
  enforcement: fc.constantFrom('enforce' as const, 'enforce' as const, 'audit' as const),
  tags: fc.constantFrom<readonly StoreTag[]>(
    [],
    [['team', 'red']],
    [['public', 'yes']],
    [
      ['team', 'blue'],
      ['public', 'true'],
    ],
  ),
});

describe('policy simulate', () => {
  it('agrees with the running sidecar on random requests, on the reasons and on near misses', async () => {
    const seen = new Map<string, number>();
    let near = 0;
    await fc.assert(
      fc.asyncProperty(policies, asked, circumstances, async (own, question, drawn) => {
        const expected = await live(question, own, drawn);
        seen.set(expected.outcome, (seen.get(expected.outcome) ?? 0) + 1);
        if (expected.near !== undefined) near += 1;
        expect(simulated(question, own, drawn)).toEqual(expected);
      }),
      { numRuns: 1500 },
    );
    expect(near).toBeGreaterThan(100);
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining([
        ...['allowed', 'refused', 'implicitDeny by identity', 'implicitDeny by identity, only recorded'],
        ...['implicitDeny by boundary', 'implicitDeny by session', 'explicitDeny'],
      ]),
    );
  });
});

describe('policy simulate about anonymous callers', () => {
  const config = file(
    'anonymous.yaml',
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
directory:
  bucketPolicies:
    open:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*" }
        - { Effect: Deny, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/members/*", Condition: { StringEquals: { "aws:PrincipalType": Anonymous } } }
`,
  );
  const ask = (key: string): Promise<{ code: number; data: string }> =>
    execute(
      ...['policy', 'simulate', '--config', config, '--principal', '*', '--action', 's3:GetObject'],
      ...['--resource', `arn:aws:s3:::open/${key}`],
    );

  it('knows that they are anonymous', async () => {
    expect((await ask('a')).code).toBe(0);
    expect((await ask('members/a')).data).toContain('with an explicit deny in a resource-based policy');
  });

  it('says under which name a key is denied', async () => {
    const { code, data } = await ask('public/../members/a');
    expect(code).toBe(1);
    expect(data).toContain('as a path  arn:aws:s3:::open/members/a');
  });
});
