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
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CatalogRequest,
  catalogRequests,
  catalogSources,
  inputFor,
  policyFor,
} from '../support/catalog-requests.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const table = 'warehouse/sales/orders';
const trust = (condition: string): string => `
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:user/alice" }, Action: ["sts:AssumeRole", "sts:TagSession"]${condition} }]`;
const warehouse = (objects: string): string => `
        Warehouse:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], Resource: "arn:aws:s3:::lake"${objects === '*' ? '' : `, Condition: { StringLike: { "s3:prefix": "${objects}" } }`} }
            - { Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::lake/${objects}" }`;
const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] } }
  roles:
    - name: catalog
      trustPolicy: ${trust('')}
      inlinePolicies: ${warehouse('*')}
    - name: engine
      trustPolicy: ${trust('')}
      inlinePolicies: ${warehouse(`${table}/*`)}
    - name: external
      trustPolicy: ${trust(', Condition: { StringEquals: { "sts:ExternalId": ["trino", "b7c9"] } }')}
      inlinePolicies: ${warehouse('*')}
`;

let sidecar: TestSidecar;
let store: S3Client;
const existing = [
  `${table}/data/1.parquet`,
  `${table}_archive/data/1.parquet`,
  'warehouse/sales/customers/data/1.parquet',
  'warehouse/odd*name/data/1.parquet',
  'warehouse/oddxname/data/1.parquet',
];
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['lake', 'lake2']) {
    await store.send(new CreateBucketCommand({ Bucket }));
    for (const Key of existing) await store.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  }
});
afterAll(() => sidecar.stop());

async function sessionFor(input: AssumeRoleCommandInput): Promise<S3Client> {
  const { RoleArn = '', ...rest } = input;
  return s3Client(sidecar.url, await assume(sidecar.url, alice, RoleArn.split('/').pop() ?? '', rest));
}

/** Who sends no policy relies on a role that may do no more than the table needs. */
const roleOf = ({ policy }: CatalogRequest): string => roleArn(policy === undefined ? 'engine' : 'catalog');
const vend = (request: CatalogRequest, location = table): Promise<S3Client> =>
  sessionFor(inputFor(request, { roleArn: roleOf(request), bucket: 'lake', location }));

const get = (s3: S3Client, Key: string, Bucket = 'lake'): Promise<string> =>
  outcome(s3.send(new GetObjectCommand({ Bucket, Key })));
const put = (s3: S3Client, Key: string, Bucket = 'lake'): Promise<string> =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
const remove = (s3: S3Client, Key: string, Bucket = 'lake'): Promise<string> =>
  outcome(s3.send(new DeleteObjectCommand({ Bucket, Key })));
const list = (s3: S3Client, Prefix?: string, Bucket = 'lake'): Promise<string> =>
  outcome(s3.send(new ListObjectsV2Command({ Bucket, Prefix })));
const denied = 'AccessDenied 403';

const titled = (requests: readonly CatalogRequest[]): (readonly [string, CatalogRequest])[] =>
  requests.map((request) => [`${request.sender}: ${request.name}`, request]);
/** The same request, in whose policy each statement has a principal that means nothing. */
function withEveryone(request: CatalogRequest): CatalogRequest {
  const text = JSON.stringify(request.policy).replaceAll('"Effect"', '"Principal":"*","Effect"');
  return { ...request, name: `${request.name}, with Principal`, policy: JSON.parse(text) };
}
const requests = titled(catalogRequests);
const withPrincipals = titled(catalogRequests.filter(({ policy }) => policy !== undefined).map(withEveryone));
const granting = requests.filter(([, { access }]) => access !== 'nothing');
const writing = requests.filter(([, { access }]) => access === 'write');

it('the vectors have requests of every source, to write and to read', () => {
  expect([...new Set(catalogRequests.map(({ sender }) => sender))].sort()).toEqual(
    [...catalogSources].sort(),
  );
  expect(catalogRequests.length).toBeGreaterThanOrEqual(12);
});

describe('credentials that are vended for one table', () => {
  it.each([...granting, ...withPrincipals.filter(([, { access }]) => access !== 'nothing')])(
    'read and list inside its location (%s)',
    async (_, request) => {
      const s3 = await vend(request);
      expect(await get(s3, `${table}/data/1.parquet`)).toBe('allowed');
      const head = new HeadObjectCommand({ Bucket: 'lake', Key: `${table}/data/1.parquet` });
      expect(await outcome(s3.send(head))).toBe('allowed');
      expect(await list(s3, `${table}/`)).toBe('allowed');
      expect(await list(s3, `${table}/data/`)).toBe('allowed');
    },
  );

  it.each(writing)('write and delete inside its location (%s)', async (_, request) => {
    const s3 = await vend(request);
    const Key = `${table}/metadata/2.json`;
    expect(await put(s3, Key)).toBe('allowed');
    const upload = { Bucket: 'lake', Key: `${table}/data/large.parquet` };
    expect(await outcome(s3.send(new CreateMultipartUploadCommand(upload)))).toBe('allowed');
    const Objects = [{ Key }, { Key: `${table}_archive/data/1.parquet` }, { Key: `${table}2` }];
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket: 'lake', Delete: { Objects } }));
    expect(Errors.map(({ Key: key, Code }) => [key, Code])).toEqual(
      Objects.slice(1).map(({ Key: key }) => [key, 'AccessDenied']),
    );
    expect(await get(store, Key)).toBe('NoSuchKey 404');
  });

  it.each(granting.filter(([, { access }]) => access === 'read'))(
    'change nothing when they are for reading (%s)',
    async (_, request) => {
      const s3 = await vend(request);
      expect(await put(s3, `${table}/data/2.parquet`)).toBe(denied);
      expect(await remove(s3, `${table}/data/1.parquet`)).toBe(denied);
      const upload = { Bucket: 'lake', Key: `${table}/data/2.parquet` };
      expect(await outcome(s3.send(new CreateMultipartUploadCommand(upload)))).toBe(denied);
    },
  );

  it.each([...requests, ...withPrincipals])('do nothing outside its location (%s)', async (_, request) => {
    const s3 = await vend(request);
    const neighbours = [
      `${table}_archive/data/1.parquet`,
      'warehouse/sales/customers/data/1.parquet',
      `${table}`,
      `${table}2`,
      'warehouse/sales/',
      'warehouse/sales/x',
      `Warehouse/sales/orders/data/1.parquet`,
    ];
    for (const key of neighbours) {
      expect([key, await get(s3, key)]).toEqual([key, denied]);
      expect([key, await put(s3, key)]).toEqual([key, denied]);
      expect([key, await remove(s3, key)]).toEqual([key, denied]);
    }
    const inside = `${table}/data/1.parquet`;
    for (const call of [get, put, remove]) expect(await call(s3, inside, 'lake2')).toBe(denied);
    const CopySource = `lake/${table}_archive/data/1.parquet`;
    const copy = new CopyObjectCommand({ Bucket: 'lake', Key: `${table}/data/stolen`, CopySource });
    expect(await outcome(s3.send(copy))).toBe(denied);
    expect(await get(store, `${table}_archive/data/1.parquet`)).toBe('allowed');
  });

  it.each(requests)('list nothing wider than its location (%s)', async (_, request) => {
    const s3 = await vend(request);
    const wider = [undefined, '', 'warehouse/', 'warehouse/sales/o', `${table}_archive/`, `${table}_`, '*'];
    for (const prefix of wider) {
      expect([prefix, await list(s3, prefix)]).toEqual([prefix, denied]);
      const older = new ListObjectsCommand({ Bucket: 'lake', Prefix: prefix });
      expect([prefix, await outcome(s3.send(older))]).toEqual([prefix, denied]);
    }
    // Without its slash the location is a prefix of its siblings' too. Whether that may be listed is the sender's choice.
    const atTable = request.listsSiblings === true ? 'allowed' : denied;
    expect(await list(s3, table)).toBe(atTable);
    expect(await list(s3, `${table}/`, 'lake2')).toBe(denied);
    const uploads = new ListMultipartUploadsCommand({ Bucket: 'lake', Prefix: `${table}/` });
    expect(await outcome(s3.send(uploads))).toBe(denied);
  });

  it.each(granting.filter(([, { policy }]) => policy !== undefined))(
    'take a star in a location for a star (%s)',
    async (_, request) => {
      const s3 = await vend(request, 'warehouse/odd*name');
      expect(await get(s3, 'warehouse/odd*name/data/1.parquet')).toBe('allowed');
      expect(await get(s3, 'warehouse/oddxname/data/1.parquet')).toBe(denied);
      expect(await list(s3, 'warehouse/odd*name/')).toBe('allowed');
      expect(await list(s3, 'warehouse/oddxname/')).toBe(denied);
    },
  );
});

describe('a request of a catalog', () => {
  const [write] = catalogRequests.filter(
    ({ sender, access }) => sender === 'Lakekeeper' && access === 'write',
  );
  const policy = write?.policy ?? {};
  const place = { bucket: 'lake', location: table };

  it('finds the region of the bucket where its policy says so', async () => {
    for (const request of catalogRequests) {
      const s3 = await vend(request);
      const expected = /Polaris|Lakekeeper/.test(request.sender) && request.access !== 'nothing';
      const asked = await outcome(s3.send(new GetBucketLocationCommand({ Bucket: 'lake' })));
      expect([request.sender, asked]).toEqual([request.sender, expected ? 'allowed' : denied]);
    }
  });

  it('may give up an upload in parts where its policy says so', async () => {
    const s3 = await sessionFor({
      RoleArn: roleArn('catalog'),
      RoleSessionName: 'lakekeeper-sts',
      Policy: policyFor(policy, place),
    });
    const object = { Bucket: 'lake', Key: `${table}/data/large.parquet` };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
    expect(await outcome(s3.send(new AbortMultipartUploadCommand({ ...object, UploadId })))).toBe('allowed');
  });

  it('needs the external id that the trust policy demands', async () => {
    const input = { RoleArn: roleArn('external'), RoleSessionName: 'trino-filesystem' };
    const send = (ExternalId: string | undefined): Promise<string> =>
      outcome(
        stsClient(sidecar.url, alice).send(
          new AssumeRoleCommand({ ...input, ...(ExternalId === undefined ? {} : { ExternalId }) }),
        ),
      );
    expect(await Promise.all([undefined, 'Trino', 'lake', 'trino'].map(send))).toEqual([
      denied,
      denied,
      denied,
      'allowed',
    ]);
  });

  it('is refused to a user whom the trust policy does not name, whatever that user may do', async () => {
    const input = { RoleArn: roleArn('catalog'), RoleSessionName: 'nessie' };
    expect(await outcome(stsClient(sidecar.url, bob).send(new AssumeRoleCommand(input)))).toBe(denied);
  });

  it('never reaches beyond the role', async () => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' }];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const s3 = await sessionFor({ RoleArn: roleArn('engine'), RoleSessionName: 'nessie', Policy });
    expect(await outcome(s3.send(new CreateBucketCommand({ Bucket: 'other' })))).toBe(denied);
    expect(await get(s3, `${table}_archive/data/1.parquet`)).toBe(denied);
    expect(await get(s3, `${table}/data/1.parquet`)).toBe('allowed');
  });

  it('denies with a Deny for everyone what the rest of its policy allows', async () => {
    const text = policyFor(policy, place);
    const deny = `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/${table}/data/*"},`;
    const s3 = await sessionFor({
      RoleArn: roleArn('catalog'),
      RoleSessionName: 'lakekeeper-sts',
      Policy: text.replace('"Statement":[', `"Statement":[${deny}`),
    });
    expect(await get(s3, `${table}/data/1.parquet`)).toBe(denied);
    expect(await put(s3, `${table}/data/3.parquet`)).toBe('allowed');
  });
});
