import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Vend: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:
    - name: catalog
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
      inlinePolicies: { Warehouse: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"] }] } }
`;

const bucket = 'arn:aws:s3:::lake';
const table = 'warehouse/sales/orders';

/** The shape of what Apache Polaris sends: one statement per kind of access, prefixes of several locations together. */
const polaris = (locations: readonly string[], canWrite: boolean): object[] => [
  ...(canWrite
    ? [
        {
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:DeleteObject'],
          Resource: locations.map((location) => `${bucket}/${location}/*`),
        },
      ]
    : []),
  {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: bucket,
    Condition: { StringLike: { 's3:prefix': locations.map((location) => `${location}/*`) } },
  },
  { Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucket },
  {
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:GetObjectVersion'],
    Resource: locations.map((location) => `${bucket}/${location}/*`),
  },
];

/** The shape of what Lakekeeper sends: one prefix, stars of the location itself escaped, keys of KMS beside. */
const lakekeeper = (location: string, actions: readonly string[]): object[] => {
  const prefix = `${location.replaceAll('*', `$\{*}`)}/`;
  return [
    {
      Sid: 'TableAccess',
      Effect: 'Allow',
      Action: actions,
      Resource: [`${bucket}/${prefix}`, `${bucket}/${prefix}*`],
    },
    {
      Sid: 'ListBucketForFolder',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucket,
      Condition: { StringLike: { 's3:prefix': `${prefix}*` } },
    },
    {
      Sid: 'KmsAccess',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: `arn:aws:kms:us-east-1:${account}:key/1`,
    },
  ];
};
const readOnly = ['s3:GetObject', 's3:GetObjectVersion'];
const readWrite = [
  ...readOnly,
  's3:PutObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
  's3:DeleteObject',
];

let sidecar: TestSidecar;
let store: S3Client;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'lake' }));
  for (const Key of [
    `${table}/data/1.parquet`,
    `${table}-archive/data/1.parquet`,
    'warehouse/sales/customers/data/1.parquet',
    'warehouse/odd*name/data/1.parquet',
    'warehouse/oddxname/data/1.parquet',
  ]) {
    await store.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: Key }));
  }
});
afterAll(() => sidecar.stop());

const vend = async (Statement: object[]): Promise<S3Client> => {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  return s3Client(sidecar.url, await assume(sidecar.url, alice, 'catalog', { Policy }));
};
const Bucket = 'lake';
const get = (s3: S3Client, Key: string): Promise<string> =>
  outcome(s3.send(new GetObjectCommand({ Bucket, Key })));
const put = (s3: S3Client, Key: string): Promise<string> =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
const list = (s3: S3Client, Prefix?: string): Promise<string> =>
  outcome(s3.send(new ListObjectsV2Command({ Bucket, Prefix })));
const denied = 'AccessDenied 403';

describe('credentials that a catalog vends for one table', () => {
  const forms: readonly [string, () => Promise<S3Client>][] = [
    ['Polaris', () => vend(polaris([table], true))],
    ['Lakekeeper', () => vend(lakekeeper(table, readWrite))],
  ];

  it.each(forms)('read, write, list and delete inside its prefix (%s)', async (name, credentials) => {
    const s3 = await credentials();
    const key = `${table}/data/${name}.parquet`;
    expect(await get(s3, `${table}/data/1.parquet`)).toBe('allowed');
    expect(await put(s3, key)).toBe('allowed');
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: key })))).toBe('allowed');
    expect(await list(s3, `${table}/`)).toBe('allowed');
    expect(await list(s3, `${table}/data/`)).toBe('allowed');
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: key }, { Key: `${table}-archive/x` }] },
      }),
    );
    expect(Errors.map(({ Key, Code }) => [Key, Code])).toEqual([[`${table}-archive/x`, 'AccessDenied']]);
  });

  it.each(forms)('do nothing outside it (%s)', async (_, credentials) => {
    const s3 = await credentials();
    const neighbours = [
      `${table}-archive/data/1.parquet`,
      'warehouse/sales/customers/data/1.parquet',
      `${table}`,
      'warehouse/sales/',
      `${table}/../customers/data/1.parquet`,
    ];
    for (const key of neighbours) {
      expect([key, await get(s3, key)]).not.toEqual([key, 'allowed']);
      expect([key, await put(s3, key)]).not.toEqual([key, 'allowed']);
      expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: key })))).not.toBe('allowed');
    }
    for (const prefix of [undefined, '', 'warehouse/', table, `${table}-archive/`, '*'])
      expect(await list(s3, prefix)).toBe(denied);
    const inside = `${table}/data/stolen`;
    const CopySource = 'lake/warehouse/sales/customers/data/1.parquet';
    expect(await outcome(s3.send(new CopyObjectCommand({ Bucket, Key: inside, CopySource })))).toBe(denied);
  });

  it.each([
    ['Polaris', () => vend(polaris([table], false))],
    ['Lakekeeper', () => vend(lakekeeper(table, readOnly))],
  ] as const)('only read when they are vended for reading (%s)', async (_, credentials) => {
    const s3 = await credentials();
    expect(await get(s3, `${table}/data/1.parquet`)).toBe('allowed');
    expect(await put(s3, `${table}/data/2.parquet`)).toBe(denied);
    expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: `${table}/data/1.parquet` })))).toBe(
      denied,
    );
    const upload = new CreateMultipartUploadCommand({ Bucket, Key: `${table}/data/2.parquet` });
    expect(await outcome(s3.send(upload))).toBe(denied);
  });

  it('cover several locations of one table', async () => {
    const s3 = await vend(polaris([table, 'warehouse/sales/customers'], false));
    expect(await get(s3, 'warehouse/sales/customers/data/1.parquet')).toBe('allowed');
    expect(await list(s3, 'warehouse/sales/customers/')).toBe('allowed');
    expect(await get(s3, 'warehouse/oddxname/data/1.parquet')).toBe(denied);
    expect(await outcome(s3.send(new GetBucketLocationCommand({ Bucket })))).toBe('allowed');
  });

  it('upload in parts, and give up', async () => {
    const s3 = await vend(lakekeeper(table, readWrite));
    const object = { Bucket, Key: `${table}/data/large.parquet` };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
    expect(await outcome(s3.send(new AbortMultipartUploadCommand({ ...object, UploadId })))).toBe('allowed');
  });

  it('treat an escaped star in a location as a star', async () => {
    const s3 = await vend(lakekeeper('warehouse/odd*name', readOnly));
    expect(await get(s3, 'warehouse/odd*name/data/1.parquet')).toBe('allowed');
    expect(await get(s3, 'warehouse/oddxname/data/1.parquet')).toBe(denied);
    expect(await list(s3, 'warehouse/odd*name/')).toBe('allowed');
    expect(await list(s3, 'warehouse/oddxname/')).toBe(denied);
  });

  it('never reach beyond the role', async () => {
    const s3 = await vend([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]);
    expect(await outcome(s3.send(new CreateBucketCommand({ Bucket: 'other' })))).toBe(denied);
    expect(await get(s3, `${table}/data/1.parquet`)).toBe('allowed');
  });
});
