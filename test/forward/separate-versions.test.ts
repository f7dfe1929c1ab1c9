import type { IncomingMessage } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { outcome } from '../support/sdk.ts';
import { type Answer, inFrontOf } from './asked-store.ts';
import { storeError } from './raw-store.ts';

interface Store {
  readonly listing: Answer;
  readonly head: Answer;
  readonly versioning?: Answer;
}

function answersOf({ listing, head, versioning = [200, '<VersioningConfiguration/>'] }: Store) {
  return ({ method, url = '' }: IncomingMessage): Answer => {
    if (method === 'HEAD')
      return url.includes('versionId=v1') || url.includes('versionId=null') ? head : [200];
    if (url.includes('versions')) return listing;
    return url.includes('versioning') ? versioning : [200, '<ListPartsResult/>'];
  };
}

const entry = (key: string, versionId: string, kind = 'Version'): string =>
  `<${kind}><Key>${key}</Key><VersionId>${versionId}</VersionId><IsLatest>true</IsLatest></${kind}>`;
const listed = (...entries: string[]): Answer => [
  200,
  `<ListVersionsResult>${entries.join('')}</ListVersionsResult>`,
];
const kept = listed(entry('dir/kept', 'v1'));

/** Makes a new version or a delete marker of a key in every way. */
async function write(
  store: Store,
  Key = 'dir//kept',
): Promise<readonly [told: ReadonlySet<string>, written: number]> {
  const { client, writes } = await inFrontOf(answersOf(store));
  const object = { Bucket: 'data', Key };
  const Objects = [{ Key: 'other' }, { Key }];
  const MultipartUpload = { Parts: [{ ETag: '"e"', PartNumber: 1 }] };
  const told = [
    await outcome(client.send(new PutObjectCommand({ ...object, Body: 'x' }))),
    await outcome(client.send(new CopyObjectCommand({ ...object, CopySource: 'data/source' }))),
    await outcome(
      client.send(new CompleteMultipartUploadCommand({ ...object, UploadId: 'u', MultipartUpload })),
    ),
    await outcome(client.send(new DeleteObjectCommand(object))),
    await outcome(client.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } }))),
  ];
  return [new Set(told), writes.length];
}

const allowed = [new Set(['allowed']), 5];
const refused = [new Set(['InvalidRequest 400']), 0];
const unclear = [new Set(['ServiceUnavailable 503']), 0];

describe('a new version of `dir//kept` is not sent where the store', () => {
  it.each<[string, Store]>([
    ['finds the newest version of `dir/kept` there', { listing: kept, head: [200] }],
    [
      'finds the delete marker of `dir/kept` there',
      { listing: listed(entry('dir/kept', 'v1', 'DeleteMarker')), head: [405] },
    ],
    ['wants a key of the writer to show it', { listing: kept, head: [400] }],
    [
      'finds there what `dir/kept` was before it had versions',
      {
        listing: listed(entry('dir/kept', 'null')),
        head: [200],
        versioning: [200, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'],
      },
    ],
  ])('%s', async (_, store) => {
    expect(await write(store)).toEqual(refused);
  });

  it.each<[string, Store]>([
    ['fails to list versions', { listing: [500, storeError('InternalError')], head: [404] }],
    ['may not be asked for versions', { listing: [403, storeError('AccessDenied')], head: [404] }],
    ['lists something else', { listing: [200, '<ListBucketResult/>'], head: [404] }],
    ['answers nonsense', { listing: [200, 'nonsense'], head: [404] }],
    ['does not tell whether it finds it there', { listing: kept, head: [403] }],
    [
      'does not tell whether it keeps versions',
      { listing: listed(entry('dir/kept', 'null')), head: [404], versioning: [500] },
    ],
  ])('%s', async (_, store) => {
    expect(await write(store)).toEqual(unclear);
  });
});

it.each(['DeleteObject', 'DeleteObjects'])(
  'one version is not deleted under another spelling: %s',
  async (operation) => {
    const { client, writes } = await inFrontOf(answersOf({ listing: kept, head: [200] }));
    const object = { Key: 'dir//kept', VersionId: 'v2' };
    const sent =
      operation === 'DeleteObject'
        ? client.send(new DeleteObjectCommand({ Bucket: 'data', ...object }))
        : client.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [object] } }));
    expect(await outcome(sent)).toBe('InvalidRequest 400');
    expect(writes).toEqual([]);
  },
);

describe('a key with characters that XML cannot carry', () => {
  const put = async (listing: Answer): Promise<string> => {
    const { client } = await inFrontOf(answersOf({ listing, head: [200] }));
    return outcome(client.send(new PutObjectCommand({ Bucket: 'data', Key: 'dir//r\u0001', Body: 'x' })));
  };

  it('is read from an encoded list', async () => {
    const encoding = '<EncodingType>url</EncodingType>';
    expect(await put(listed(encoding, entry('dir/r%01', 'v1')))).toBe('InvalidRequest 400');
    expect(await put(listed(encoding))).toBe('allowed');
  });

  it('is not looked for in a list that is not encoded', async () => {
    expect(await put(listed(entry('dir/r\ufffd', 'v1')))).toBe('ServiceUnavailable 503');
  });
});

describe('a new version of `dir//kept` is sent where the store', () => {
  it.each<[string, Store]>([
    ['keeps both keys apart', { listing: kept, head: [404] }],
    ['has no `dir/kept`', { listing: listed(entry('dir/kept.txt', 'v1')), head: [200] }],
    ['has no versions of `dir/kept`', { listing: listed(entry('dir/kept', 'null')), head: [200] }],
    ['knows no versions', { listing: [501, storeError('NotImplemented')], head: [200] }],
    ['has no such bucket', { listing: [404, storeError('NoSuchBucket')], head: [200] }],
  ])('%s', async (_, store) => {
    expect(await write(store)).toEqual(allowed);
  });
});

describe('every spelling is asked about', () => {
  it.each(['/dir/kept', 'dir/./kept', 'dir/x/../kept', 'dir\\kept'])('%s', async (key) => {
    expect(await write({ listing: kept, head: [200] }, key)).toEqual(refused);
  });

  it('an ordinary key needs no lookup', async () => {
    const { client, reads } = await inFrontOf(() => [500]);
    expect(
      await outcome(client.send(new PutObjectCommand({ Bucket: 'data', Key: 'dir/kept', Body: 'x' }))),
    ).toBe('allowed');
    expect(reads).toEqual([]);
  });
});

it('a thousand lookups take no more of the budget than one', async () => {
  const long = listed(...Array.from({ length: 100 }, (_, index) => entry(`dir/other-${index}`, 'v1')));
  const store = { listing: long, head: [404] as const, versioning: [200] as const };
  const Objects = Array.from({ length: 1_000 }, (_, index) => ({ Key: `dir//${index}` }));
  const { client, reads } = await inFrontOf(answersOf(store), { limits: '{ maxBufferedBytes: 16777216 }' });
  const command = new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } });
  expect(await outcome(client.send(command))).toBe('allowed');
  expect(reads.length).toBeGreaterThanOrEqual(1_000);
});
