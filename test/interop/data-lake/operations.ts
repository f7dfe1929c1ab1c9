import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { SdkCredentials } from '../../support/sdk.ts';
import { presignWithSmithy } from '../../support/smithy-signer.ts';
import type { Lake } from './lake.ts';

/** Who runs an operation, and where. */
export interface Scene {
  readonly s3: S3Client;
  readonly url: string;
  readonly credentials: SdkCredentials;
  readonly lake: Lake;
}

/** How a call that the SDK counts as a success ended: wholly, for some keys only, or for no key. */
type Success = 'partly' | 'not at all' | undefined;

/** One row of the table. */
export interface LakeOperation {
  readonly changes: boolean;
  readonly needsUpload: boolean;
  /** A HEAD, whose refusal has a status only. */
  readonly hasNoBody: boolean;
  readonly run: (scene: Scene) => Promise<Success>;
}

type Call = (scene: Scene) => Promise<unknown>;

const plain = { changes: false, needsUpload: false, hasNoBody: false };
const reading = (call: Call): LakeOperation => operation(call, plain);
const asking = (call: Call): LakeOperation => operation(call, { ...plain, hasNoBody: true });
const changing = (call: Call): LakeOperation => operation(call, { ...plain, changes: true });
const ofUpload = (call: Call): LakeOperation =>
  operation(call, { ...plain, changes: true, needsUpload: true });

function operation(call: Call, kind: Omit<LakeOperation, 'run'>): LakeOperation {
  const run = async (scene: Scene): Promise<undefined> => {
    await call(scene);
  };
  return { ...kind, run };
}

const Bucket = 'lake';
const lake = (Key: string): { Bucket: string; Key: string } => ({ Bucket, Key });
const results = (Key: string): { Bucket: string; Key: string } => ({ Bucket: 'results', Key });
const events = lake('team/blue/events.csv');
const costs = lake('team/blue/costs.csv');
const fresh = { ...lake('team/blue/new.csv'), Body: 'new' };
const large = lake('team/blue/large');
const calendar = 'lake/shared/calendar.csv';
const classed = (Value: string): { TagSet: { Key: string; Value: string }[] } => ({
  TagSet: [{ Key: 'class', Value }],
});
const replacedTags = { TaggingDirective: 'REPLACE' } as const;
const withoutTags = { ...replacedTags, MetadataDirective: 'REPLACE' } as const;

/** Every operation of the table in `docs/data-lake.md`, by the words that it has there. */
export const lakeOperations: ReadonlyMap<string, LakeOperation> = new Map([
  ['ListBuckets', reading(({ s3 }) => s3.send(new ListBucketsCommand({})))],
  ['HeadBucket lake', asking(({ s3 }) => s3.send(new HeadBucketCommand({ Bucket })))],
  ['ListObjectsV2 lake', reading(({ s3 }) => s3.send(new ListObjectsV2Command({ Bucket })))],
  [
    'ListObjectsV2 lake, prefix team/red/',
    reading(({ s3 }) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'team/red/' }))),
  ],
  [
    'ListObjects lake, prefix team/blue/',
    reading(({ s3 }) => s3.send(new ListObjectsCommand({ Bucket, Prefix: 'team/blue/' }))),
  ],
  [
    'ListObjectsV2 lake, prefix team/, delimiter /',
    reading(({ s3 }) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'team/', Delimiter: '/' }))),
  ],
  [
    'ListObjectsV2 lake, prefix shared/',
    reading(({ s3 }) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'shared/' }))),
  ],
  [
    'ListObjectVersions lake, prefix team/blue/',
    reading(({ s3 }) => s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'team/blue/' }))),
  ],
  ['ListMultipartUploads lake', reading(({ s3 }) => s3.send(new ListMultipartUploadsCommand({ Bucket })))],
  ['GetObject lake/team/red/report.csv', reading((scene) => download(scene, lake('team/red/report.csv')))],
  [
    'GetObject lake/team/blue/events.csv, first bytes',
    reading((scene) => download(scene, { ...events, Range: 'bytes=0-3' })),
  ],
  [
    'GetObject lake/team/red/salaries.csv',
    reading((scene) => download(scene, lake('team/red/salaries.csv'))),
  ],
  ['GetObject lake/raw/dump.csv', reading((scene) => download(scene, lake('raw/dump.csv')))],
  [
    'GetObject lake/team/blue/events.csv, old version',
    reading((scene) => download(scene, { ...events, VersionId: scene.lake.oldVersion })),
  ],
  ['GetObject lake/shared/calendar.csv, presigned', reading((scene) => presigned(scene, 'GET', calendar))],
  ['HeadObject lake/team/blue/events.csv', asking(({ s3 }) => s3.send(new HeadObjectCommand(events)))],
  [
    'HeadObject lake/team/blue/missing.csv',
    asking(({ s3 }) => s3.send(new HeadObjectCommand(lake('team/blue/missing.csv')))),
  ],
  [
    'GetObjectAttributes lake/team/red/report.csv',
    reading(({ s3 }) =>
      s3.send(
        new GetObjectAttributesCommand({ ...lake('team/red/report.csv'), ObjectAttributes: ['ObjectSize'] }),
      ),
    ),
  ],
  [
    'GetObjectTagging lake/team/blue/events.csv',
    reading(({ s3 }) => s3.send(new GetObjectTaggingCommand(events))),
  ],
  ['GetObjectAcl lake/team/blue/events.csv', reading(({ s3 }) => s3.send(new GetObjectAclCommand(events)))],
  [
    'PutObject results/red/new.csv',
    changing(({ s3 }) => s3.send(new PutObjectCommand({ ...results('red/new.csv'), Body: 'new' }))),
  ],
  ['PutObject lake/team/blue/new.csv', changing(({ s3 }) => s3.send(new PutObjectCommand(fresh)))],
  [
    'PutObject lake/team/blue/new.csv, class internal',
    changing(({ s3 }) => s3.send(new PutObjectCommand({ ...fresh, Tagging: 'class=internal' }))),
  ],
  [
    'PutObject lake/team/blue/new.csv, class restricted',
    changing(({ s3 }) => s3.send(new PutObjectCommand({ ...fresh, Tagging: 'class=restricted' }))),
  ],
  [
    'PutObject lake/team/blue/new.csv, public-read',
    changing(({ s3 }) => s3.send(new PutObjectCommand({ ...fresh, ACL: 'public-read' }))),
  ],
  [
    'PutObject lake/team/blue/costs.csv',
    changing(({ s3 }) => s3.send(new PutObjectCommand({ ...costs, Body: 'other costs' }))),
  ],
  [
    'PutObject lake/team/blue/new.csv, presigned',
    changing((scene) => presigned(scene, 'PUT', 'lake/team/blue/new.csv')),
  ],
  [
    'PutObjectTagging lake/team/blue/events.csv, class public',
    changing(({ s3 }) => s3.send(new PutObjectTaggingCommand({ ...events, Tagging: classed('public') }))),
  ],
  [
    'PutObjectTagging lake/team/blue/costs.csv, class public',
    changing(({ s3 }) => s3.send(new PutObjectTaggingCommand({ ...costs, Tagging: classed('public') }))),
  ],
  [
    'CopyObject lake/shared/calendar.csv to lake/team/blue/',
    changing(({ s3 }) =>
      s3.send(new CopyObjectCommand({ ...lake('team/blue/copy.csv'), CopySource: calendar })),
    ),
  ],
  [
    'CopyObject lake/team/blue/events.csv to results/blue/',
    changing(({ s3 }) => s3.send(copyToResults('lake/team/blue/events.csv'))),
  ],
  [
    'CopyObject lake/team/blue/events.csv to results/blue/, without tags',
    changing(({ s3 }) => s3.send(copyToResults('lake/team/blue/events.csv', withoutTags))),
  ],
  [
    'CopyObject lake/team/blue/events.csv to results/blue/, tags replaced',
    changing(({ s3 }) => s3.send(copyToResults('lake/team/blue/events.csv', replacedTags))),
  ],
  [
    'CopyObject lake/team/red/report.csv to lake/team/blue/',
    changing(({ s3 }) =>
      s3.send(
        new CopyObjectCommand({ ...lake('team/blue/copy.csv'), CopySource: 'lake/team/red/report.csv' }),
      ),
    ),
  ],
  [
    'CopyObject lake/team/blue/costs.csv to results/blue/, without tags',
    changing(({ s3 }) => s3.send(copyToResults('lake/team/blue/costs.csv', withoutTags))),
  ],
  [
    'CreateMultipartUpload, UploadPart, ListParts, CompleteMultipartUpload lake/team/blue/large',
    changing(uploadInParts),
  ],
  ['UploadPartCopy lake/shared/calendar.csv to lake/team/blue/large', ofUpload(copyPart)],
  [
    'AbortMultipartUpload lake/team/blue/large',
    ofUpload(({ s3, lake: { uploadId } }) =>
      s3.send(new AbortMultipartUploadCommand({ ...large, UploadId: uploadId })),
    ),
  ],
  ['DeleteObject lake/team/blue/events.csv', changing(({ s3 }) => s3.send(new DeleteObjectCommand(events)))],
  [
    'DeleteObject lake/team/blue/events.csv, old version',
    changing(({ s3, lake: { oldVersion } }) =>
      s3.send(new DeleteObjectCommand({ ...events, VersionId: oldVersion })),
    ),
  ],
  [
    'DeleteObject results/blue/summary.csv',
    changing(({ s3 }) => s3.send(new DeleteObjectCommand(results('blue/summary.csv')))),
  ],
  [
    'DeleteObjects lake/team/blue/events.csv and lake/team/red/report.csv',
    { ...plain, changes: true, run: deleteTwo },
  ],
  ['GetBucketLocation lake', reading(({ s3 }) => s3.send(new GetBucketLocationCommand({ Bucket })))],
  ['GetBucketVersioning lake', reading(({ s3 }) => s3.send(new GetBucketVersioningCommand({ Bucket })))],
  [
    'PutBucketVersioning lake, suspended',
    changing(({ s3 }) =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })),
    ),
  ],
  ['GetBucketAcl lake', reading(({ s3 }) => s3.send(new GetBucketAclCommand({ Bucket })))],
  ['DeleteBucket results', changing(({ s3 }) => s3.send(new DeleteBucketCommand({ Bucket: 'results' })))],
]);

const copyToResults = (CopySource: string, directive: Partial<typeof withoutTags> = {}): CopyObjectCommand =>
  new CopyObjectCommand({ ...results('blue/copy.csv'), CopySource, ...directive });

async function download(
  { s3 }: Scene,
  what: { Bucket: string; Key: string; Range?: string; VersionId?: string },
): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand(what));
  await Body?.transformToString();
}

async function presigned({ url, credentials }: Scene, method: 'GET' | 'PUT', object: string): Promise<void> {
  const { target } = await presignWithSmithy(
    { method, path: `/${object}`, query: {}, headers: { host: new URL(url).host } },
    credentials,
    { nowMs: performance.timeOrigin + performance.now() },
  );
  const response = await fetch(url + target, { method, ...(method === 'PUT' ? { body: 'presigned' } : {}) });
  const text = await response.text();
  if (response.ok) return;
  const error = new Error(text);
  error.name = /<Code>(\w+)</.exec(text)?.[1] ?? '';
  throw Object.assign(error, { $metadata: { httpStatusCode: response.status } });
}

async function uploadInParts({ s3 }: Scene): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(large));
  const upload = { ...large, UploadId };
  await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'one part' }));
  const { Parts = [] } = await s3.send(new ListPartsCommand(upload));
  const MultipartUpload = { Parts: Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) };
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
}

/** Completes the upload too: what one part holds is not seen in the store before. */
async function copyPart({ s3, lake: { uploadId } }: Scene): Promise<void> {
  const upload = { ...large, UploadId: uploadId };
  const { CopyPartResult } = await s3.send(
    new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: calendar }),
  );
  const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
}

async function deleteTwo({ s3 }: Scene): Promise<Success> {
  const Objects = [{ Key: 'team/blue/events.csv' }, { Key: 'team/red/report.csv' }];
  const { Deleted = [], Errors = [] } = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
  );
  const refused = Errors.filter(({ Code }) => Code === 'AccessDenied').length;
  if (Deleted.length + refused !== Objects.length) throw new Error(JSON.stringify({ Deleted, Errors }));
  return refused === 0 ? undefined : Deleted.length === 0 ? 'not at all' : 'partly';
}
