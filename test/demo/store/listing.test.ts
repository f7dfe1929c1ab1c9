import {
  CreateBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys } from '../../../src/demo/store/contents.ts';
import { listEntries } from '../../../src/demo/store/listing.ts';
import { type StoreFixture, startFixture } from './store-fixture.ts';

let fixture: StoreFixture;
const keys = ['a', 'a/1', 'a/2', 'a/b/3', 'b', 'b/1', 'ü', '\u{ffff}', '\u{1f600}', 'with space+plus'];
beforeAll(async () => {
  fixture = await startFixture();
  const s3 = fixture.sdk();
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: Key }));
});
afterAll(() => fixture.store.close());

async function list(input: Partial<ListObjectsV2CommandInput>) {
  const page = await fixture.sdk().send(new ListObjectsV2Command({ Bucket: 'data', ...input }));
  return {
    keys: page.Contents?.map(({ Key }) => Key) ?? [],
    prefixes: page.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
    isTruncated: page.IsTruncated,
    count: page.KeyCount,
    token: page.NextContinuationToken,
  };
}

describe('listing objects', () => {
  it('sorts by UTF-8 bytes, not by UTF-16 units', async () => {
    const { keys: listed } = await list({ EncodingType: 'url' });
    expect(listed.map((key) => decodeURIComponent(key ?? ''))).toEqual([
      'a',
      'a/1',
      'a/2',
      'a/b/3',
      'b',
      'b/1',
      'with space+plus',
      'ü',
      '\u{ffff}',
      '\u{1f600}',
    ]);
    expect(listed).toContain('with%20space%2Bplus');
    expect(listed).toContain('a/b/3');
  });

  it('rolls up keys at the delimiter and counts each prefix once', async () => {
    expect(await list({ Delimiter: '/', Prefix: 'a/' })).toEqual({
      keys: ['a/1', 'a/2'],
      prefixes: ['a/b/'],
      isTruncated: false,
      count: 3,
      token: undefined,
    });
    expect((await list({ Delimiter: '/', EncodingType: 'url' })).prefixes).toEqual(['a/', 'b/']);
  });

  it('pages over keys and prefixes without loss or repetition', async () => {
    const found: (string | undefined)[] = [];
    const pages = paginateListObjectsV2(
      { client: fixture.sdk(), pageSize: 1 },
      { Bucket: 'data', Delimiter: '/', EncodingType: 'url' },
    );
    for await (const page of pages) {
      expect(page.KeyCount).toBe(1);
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      found.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    }
    expect(found).toEqual([
      'a',
      'a/',
      'b',
      'b/',
      'with%20space%2Bplus',
      '%C3%BC',
      '%EF%BF%BF',
      '%F0%9F%98%80',
    ]);
  });

  it('pages the first version by marker', async () => {
    const s3 = fixture.sdk();
    const first = await s3.send(new ListObjectsCommand({ Bucket: 'data', Delimiter: '/', MaxKeys: 2 }));
    expect(first.IsTruncated).toBe(true);
    expect(first.NextMarker).toBe('a/');
    const next = await s3.send(
      new ListObjectsCommand({ Bucket: 'data', Delimiter: '/', MaxKeys: 2, Marker: first.NextMarker }),
    );
    expect(next.Contents?.map(({ Key }) => Key)).toEqual(['b']);
    expect(next.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['b/']);
    const plain = await s3.send(new ListObjectsCommand({ Bucket: 'data', MaxKeys: 1 }));
    expect(plain.NextMarker).toBeUndefined();
  });

  it('starts after a key, and gives the token precedence', async () => {
    expect((await list({ StartAfter: 'a/2', Prefix: 'a' })).keys).toEqual(['a/b/3']);
    const first = await list({ MaxKeys: 1, Prefix: 'a' });
    expect(first).toMatchObject({ keys: ['a'], isTruncated: true });
    const second = await list({ ContinuationToken: first.token, StartAfter: 'z', MaxKeys: 1, Prefix: 'a' });
    expect(second.keys).toEqual(['a/1']);
  });

  it('is not truncated when the page holds exactly what is left', async () => {
    expect(await list({ Prefix: 'a', MaxKeys: 4 })).toMatchObject({ isTruncated: false, count: 4 });
    expect(await list({ MaxKeys: 0 })).toMatchObject({ isTruncated: false, count: 0 });
  });

  it.each([
    ['list-type=1', 'InvalidArgument'],
    ['list-type=2&max-keys=-1', 'InvalidArgument'],
    ['list-type=2&max-keys=x', 'InvalidArgument'],
    ['list-type=2&continuation-token=', 'InvalidArgument'],
    ['list-type=2&continuation-token=made-up', 'InvalidArgument'],
    ['list-type=2&encoding-type=base64', 'InvalidArgument'],
    ['max-keys=1.5', 'InvalidArgument'],
    ['list-type=2&marker=a', 'NotImplemented'],
    ['start-after=a', 'NotImplemented'],
  ])('rejects ?%s', async (query, code) => {
    expect((await fixture.send({ target: `/data?${query}` })).code).toBe(code);
  });

  it('rejects listing a bucket that does not exist', async () => {
    const answer = await fixture.send({ target: '/nowhere?list-type=2' });
    expect([answer.status, answer.code]).toEqual([404, 'NoSuchBucket']);
  });

  it('yields the same items in pages of any size as at once', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{ffff}', '\u{1f600}'), maxLength: 6 });
    fc.assert(
      fc.property(
        fc.uniqueArray(key.filter((text) => text !== '')),
        fc.constantFrom('', 'a', 'a/'),
        fc.constantFrom('', '/', 'b'),
        fc.integer({ min: 1, max: 5 }),
        (names, prefix, delimiter, maxItems) => {
          const sorted = names.map((name) => ({ key: name })).sort((l, r) => compareKeys(l.key, r.key));
          const whole = listEntries(sorted, { prefix, delimiter, after: '', maxItems: 1000 });
          const paged: string[] = [];
          let after = '';
          for (let pages = 0; ; pages += 1) {
            expect(pages).toBeLessThanOrEqual(names.length);
            const left = sorted.filter((entry) => compareKeys(entry.key, after) > 0);
            const page = listEntries(left, { prefix, delimiter, after, maxItems });
            const items = [...page.entries.map((entry) => entry.key), ...page.commonPrefixes];
            expect(items.length).toBeLessThanOrEqual(maxItems);
            paged.push(...items);
            if (!page.isTruncated) break;
            expect(items).toHaveLength(maxItems);
            after = page.last?.name ?? '';
          }
          const expected = [...whole.entries.map((entry) => entry.key), ...whole.commonPrefixes];
          expect(paged.sort()).toEqual(expected.sort());
        },
      ),
    );
  });
});
