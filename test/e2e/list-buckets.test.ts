import { CreateBucketCommand, DeleteBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const role = (name: string, ...statements: string[]): string => `
    - name: ${name}
      trustPolicy: ${trust}
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statements.join(', ')}] } }`;
const list = (resource: string, condition = ''): string =>
  `{ Effect: Allow, Action: "s3:ListBucket", Resource: "${resource}"${condition} }`;
/** Six hundred patterns, of which the last one means the buckets of teams. */
const manyPatterns = [
  ...Array.from({ length: 600 }, (_, index) => `arn:aws:s3:::*x${index}*`),
  'arn:aws:s3:::*team-*',
];
const listsOf = (patterns: readonly string[]): string =>
  `{ Effect: Allow, Action: "s3:ListBucket", Resource: [${patterns.map((one) => `"${one}"`).join(', ')}] }`;
const allBuckets = '{ Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*" }';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:${role('everything', allBuckets)}${role('one', list('arn:aws:s3:::team-a'))}${role(
    'teams',
    list('arn:aws:s3:::team-*'),
    '{ Effect: Deny, Action: "s3:ListBucket", Resource: "arn:aws:s3:::team-c" }',
  )}${role('none', list('arn:aws:s3:::elsewhere'))}${role(
    'forbidden',
    list('arn:aws:s3:::team-a'),
    '{ Effect: Deny, Action: "s3:ListAllMyBuckets", Resource: "*" }',
  )}${role('prefix', list('arn:aws:s3:::team-a', ', Condition: { StringLike: { "s3:prefix": "home/*" } }'))}${role(
    'undecided',
    list('arn:aws:s3:::team-a'),
    '{ Effect: Deny, Action: "s3:ListAllMyBuckets", Resource: "*", Condition: { IpAddress: { "aws:UserAgent": "10.0.0.0/8" } } }',
  )}${role('many')
    .replace('inlinePolicies', 'policies: [Many0, Many1, Many2]\n      inlinePolicies')
    .replace('Statement: []', `Statement: [${list('arn:aws:s3:::none')}]`)}
  policies:
${[0, 1, 2]
  .map(
    (part) =>
      `    Many${part}: { Version: "2012-10-17", Statement: [${listsOf(manyPatterns.slice(part * 201, part * 201 + 201))}] }`,
  )
  .join('\n')}
  bucketPolicies:
    shared: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:role/one" }, Action: "s3:ListBucket", Resource: "arn:aws:s3:::shared" }] }
`;

const sidecars = new Map<string, TestSidecar>();

async function bucketsOf(role: string, mode = 'filtered'): Promise<string> {
  const sidecar = sidecars.get(mode);
  if (sidecar === undefined) throw new Error(`no sidecar is ${mode}`);
  const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, role));
  const call = s3.send(new ListBucketsCommand({}));
  const result = await call.catch(() => undefined);
  return result === undefined
    ? await outcome(call)
    : (result.Buckets ?? []).map(({ Name }) => Name).join(' ') || 'none';
}

beforeAll(async () => {
  for (const mode of ['filtered', 'strict', 'default']) {
    const further = mode === 'default' ? '' : `authorization: { listBuckets: ${mode} }`;
    const sidecar = await startSidecar({ directory, further });
    sidecars.set(mode, sidecar);
    const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    for (const Bucket of ['shared', 'team-a', 'team-b', 'team-c', 'zoo'])
      await store.send(new CreateBucketCommand({ Bucket }));
  }
});
afterAll(async () => {
  for (const sidecar of sidecars.values()) await sidecar.stop();
});

describe('ListBuckets', () => {
  it.each([
    ['everything', 'shared team-a team-b team-c zoo'],
    ['one', 'shared team-a'],
    ['teams', 'team-a team-b'],
    ['none', 'AccessDenied 403'],
    ['forbidden', 'AccessDenied 403'],
    ['prefix', 'AccessDenied 403'],
    ['undecided', 'AccessDenied 403'],
  ])('shows %s the buckets it may list: %s', async (role, expected) => {
    expect(await bucketsOf(role)).toBe(expected);
    expect(await bucketsOf(role, 'default')).toBe(expected);
  });

  it.each([
    ['everything', 'shared team-a team-b team-c zoo'],
    ['one', 'AccessDenied 403'],
    ['teams', 'AccessDenied 403'],
    ['none', 'AccessDenied 403'],
  ])('shows %s all or nothing when it is strict: %s', async (role, expected) => {
    const seen = sidecars.get('strict')?.seen ?? [];
    const before = seen.length;
    expect(await bucketsOf(role, 'strict')).toBe(expected);
    expect(seen.length - before).toBe(role === 'everything' ? 1 : 0);
  });

  it('shows every bucket that is allowed, however many patterns and buckets there are', async () => {
    const sidecar = sidecars.get('filtered');
    if (sidecar === undefined) throw new Error('no sidecar filters');
    const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    const names = Array.from({ length: 40 }, (_, index) => `a-team-whose-name-is-rather-long-${100 + index}`);
    for (const Bucket of names) await store.send(new CreateBucketCommand({ Bucket }));
    try {
      expect(await bucketsOf('many')).toBe([...names, 'team-a', 'team-b', 'team-c'].join(' '));
    } finally {
      for (const Bucket of names) await store.send(new DeleteBucketCommand({ Bucket }));
    }
  });

  it('keeps the owner and the dates of what it shows', async () => {
    const sidecar = sidecars.get('filtered');
    const s3 = s3Client(sidecar?.url ?? '', await assume(sidecar?.url ?? '', alice, 'one'));
    const { Owner, Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Owner?.ID).toBeTruthy();
    expect(Buckets?.[0]?.CreationDate).toBeInstanceOf(Date);
  });

  it('tells callers who see no bucket which permission they lack, and records the refusal', async () => {
    const sidecar = sidecars.get('filtered');
    const s3 = s3Client(sidecar?.url ?? '', await assume(sidecar?.url ?? '', alice, 'none'));
    await expect(s3.send(new ListBucketsCommand({}))).rejects.toThrow(
      'is not authorized to perform: s3:ListAllMyBuckets on resource: "arn:aws:s3:::*" because no identity-based policy allows',
    );
    const line = sidecar?.logged.findLast((entry) => entry.includes('"operation":"ListBuckets"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ decision: 'deny', status: 403, error_code: 'AccessDenied' });
  });
});
