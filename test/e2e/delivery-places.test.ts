import {
  CreateBucketCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketReplicationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const role = (name: string, ...statements: string[]): string => `
    - name: ${name}
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statements.join(', ')}] } }`;
const allow = (resources: string): string => `{ Effect: Allow, Action: "s3:*", Resource: [${resources}] }`;
const deny = (resources: string, further = ''): string =>
  `{ Effect: Deny, Action: "s3:*", Resource: [${resources}]${further} }`;
const arn = (name: string): string => `"arn:aws:s3:::${name}"`;
const noSecrets = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', NotResource: ['arn:aws:s3:::data/secret/*'] }],
});
const both = allow([arn('data'), arn('data/*'), arn('mine'), arn('mine/*')].join(', '));

const bounded = (name: string, boundary: string): string =>
  role(name, both).replace('trustPolicy', `permissionsBoundary: ${boundary}\n      trustPolicy`);

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:${role('owner', both)}${role('parted', both, deny([arn('data/secret/*'), arn('mine/locked/*')].join(', ')))}${role(
    'elsewhere',
    both,
    deny([arn('other/secret/*'), arn('third/*')].join(', ')),
  )}${role('never', both, deny(arn('mine/locked/*'), ', Condition: { StringEquals: { "aws:PrincipalTag/none": "x" } }'))}${role(
    'excluding',
    `{ Effect: Allow, Action: "s3:*", NotResource: [${arn('data/secret/*')}] }`,
  )}${role('single', allow([arn('mine'), arn('data/?')].join(', ')))}${role('foldered', allow([arn('mine'), arn('data/?'), arn('data/*/*')].join(', ')))}${role(
    'tagged',
    `{ Effect: Allow, Action: "*", Resource: "*", Condition: { StringEquals: { "aws:ResourceTag/team": "blue" } } }`,
    allow([arn('mine'), arn('mine/*')].join(', ')),
  )}${role(
    'confined',
    both,
    `{ Effect: Deny, Action: "s3:*", NotResource: [${arn('data/logs/*')}, ${arn('mine')}, ${arn('mine/*')}] }`,
  )}${role('sealing', allow([arn('mine'), arn('third/*')].join(', ')))}${bounded('bounded', 'NoSecrets')}${bounded('forbidden', 'Forbidden')}
  policies:
    NoSecrets: ${noSecrets}
    Forbidden: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }, ${deny(arn('data/secret/*'))}] }
  bucketPolicies:
    third: { Version: "2012-10-17", Statement: [${deny(arn('third/secret/*')).replace('Action', 'Principal: "*", Action')}] }
`;

let sidecar: TestSidecar;
const clients = new Map<string, S3Client>();
const as = (name: string): S3Client => {
  const client = clients.get(name);
  if (client === undefined) throw new Error(`no client is ${name}`);
  return client;
};

beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['data', 'mine']) await store.send(new CreateBucketCommand({ Bucket }));
  for (const name of [
    'owner',
    'parted',
    'elsewhere',
    'never',
    'excluding',
    'single',
    'tagged',
    'confined',
    'foldered',
    'sealing',
    'bounded',
    'forbidden',
  ])
    clients.set(name, s3Client(sidecar.url, await assume(sidecar.url, alice, name)));
  clients.set(
    'narrowed',
    s3Client(sidecar.url, await assume(sidecar.url, alice, 'owner', { Policy: noSecrets })),
  );
});
afterAll(() => sidecar.stop());
beforeEach(() => void sidecar.seen.splice(0));

const denied = 'AccessDenied 403';
const replicate = (name: string, Bucket: string, to: string): Promise<string> =>
  outcome(
    as(name).send(
      new PutBucketReplicationCommand({
        Bucket,
        ReplicationConfiguration: {
          Role: '',
          Rules: [{ Status: 'Enabled', Prefix: '', Destination: { Bucket: `arn:aws:s3:::${to}` } }],
        },
      }),
    ),
  );
const sendLog = (name: string, to: string, TargetPrefix: string): Promise<unknown> =>
  as(name).send(
    new PutBucketLoggingCommand({
      Bucket: 'mine',
      BucketLoggingStatus: { LoggingEnabled: { TargetBucket: to, TargetPrefix } },
    }),
  );
const log = (name: string, to: string, prefix: string): Promise<string> => outcome(sendLog(name, to, prefix));
const messageOf = (name: string, to: string, prefix: string): Promise<string> =>
  sendLog(name, to, prefix).then(() => 'allowed', String);

describe('a delivery to many objects', () => {
  it('is allowed where every one of them is', async () => {
    expect(await replicate('owner', 'data', 'mine')).not.toBe(denied);
    expect(await log('owner', 'data', 'logs/')).not.toBe(denied);
    expect(await replicate('elsewhere', 'data', 'mine')).not.toBe(denied);
    expect(await replicate('never', 'data', 'mine')).not.toBe(denied);
  });

  it('is denied where a Deny holds for a part of them', async () => {
    expect(await replicate('parted', 'data', 'mine')).toBe(denied);
    expect(await replicate('parted', 'mine', 'data')).toBe(denied);
    expect(await log('parted', 'data', '')).toBe(denied);
    expect(await log('parted', 'data', 'secret/logs/')).toBe(denied);
    expect(await log('parted', 'data', 'logs/')).not.toBe(denied);
  });

  it('is denied where the Allow leaves a part out', async () => {
    expect(await replicate('excluding', 'data', 'mine')).toBe(denied);
    expect(await log('excluding', 'data', 'secret/')).toBe(denied);
    expect(await log('excluding', 'data', 'sec')).toBe(denied);
    expect(await log('excluding', 'data', 'logs/')).not.toBe(denied);
  });

  it.each(['bounded', 'narrowed'])('is denied where a further policy leaves a part out: %s', async (name) => {
    expect(await replicate(name, 'mine', 'data')).toBe(denied);
    expect(await log(name, 'data', 'sec')).toBe(denied);
    expect(await log(name, 'data', 'logs/')).not.toBe(denied);
  });

  it('is allowed where a Deny of everything else leaves all of them out', async () => {
    expect(await log('confined', 'data', 'logs/')).not.toBe(denied);
    expect(await log('confined', 'data', 'logs/2026/')).not.toBe(denied);
    expect(await log('confined', 'data', 'logs')).toBe(denied);
    expect(await log('confined', 'data', '')).toBe(denied);
  });

  it.each([
    ['parted', 'data', 'with an explicit deny in an identity-based policy'],
    ['excluding', 'data', 'because no identity-based policy allows the s3:PutObject action'],
    ['bounded', 'data', 'because no permissions boundary allows the s3:PutObject action'],
    ['narrowed', 'data', 'because no session policy allows the s3:PutObject action'],
    ['forbidden', 'data', 'with an explicit deny in a permissions boundary'],
    ['sealing', 'third', 'with an explicit deny in a resource-based policy'],
  ])('is denied with the kind of policy that refuses a part: %s', async (name, to, reason) => {
    const refused = await messageOf(name, to, 's');
    expect(refused).toMatch(new RegExp(`"arn:aws:s3:::${to}/s\\*" ${reason} Encoded`));
  });

  it('is denied where the Allow is for keys of one character', async () => {
    expect(await log('single', 'data', '')).toBe(denied);
    expect(await log('foldered', 'data', '')).toBe(denied);
  });
});

describe('a delivery to a queue', () => {
  it.each([
    'arn:minio:sqs:::minio/admin/v3/info',
    'arn:aws:sqs:::data/x',
    'arn:aws:sqs:us-east-1:1:role/../../admin/user',
    'arn:aws:sqs:us-east-1:123456789012:events',
  ])('never has its tags looked up in the store: %s', async (QueueArn) => {
    const call = as('tagged').send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'mine',
        NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'] }] },
      }),
    );
    expect(await outcome(call)).toBe(denied);
    expect(sidecar.seen.filter(({ target }) => !target.startsWith('/mine?'))).toEqual([]);
  });
});
