import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import type { StoreFeature } from '../../src/core/store-feature.ts';
import { withDocument } from '../../src/s3/document.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { allFeatures, vectorSettings, type WrittenRequest } from './vectors.ts';

const etag = '"9b2cf535f27731c974343645a3985328"';
const date = 'Sun, 22 Nov 2026 12:00:00 GMT';
const copying = { 'x-amz-copy-source': 'other/a' };

/** Conditions that some store ignores, and the feature that must be named for them. */
const ignored: readonly (readonly [feature: StoreFeature, written: WrittenRequest])[] = [
  ['conditionalCopy', { request: 'PUT /bucket/key', headers: { ...copying, 'if-match': etag } }],
  ['conditionalCopy', { request: 'PUT /bucket/key', headers: { ...copying, 'if-match': '*' } }],
  ['conditionalCopy', { request: 'PUT /bucket/key', headers: { ...copying, 'if-none-match': '*' } }],
  ['conditionalComplete', { request: 'POST /bucket/key?uploadId=u', headers: { 'if-match': etag } }],
  ['conditionalComplete', { request: 'POST /bucket/key?uploadId=u', headers: { 'if-none-match': '*' } }],
  ['conditionalDelete', { request: 'DELETE /bucket/key', headers: { 'if-match': etag } }],
  ['conditionalDelete', { request: 'DELETE /bucket/key?versionId=v', headers: { 'if-match': '*' } }],
  ['sizeAndTimeConditions', { request: 'DELETE /bucket/key', headers: { 'x-amz-if-match-size': '1' } }],
  [
    'sizeAndTimeConditions',
    { request: 'DELETE /bucket/key', headers: { 'x-amz-if-match-last-modified-time': date } },
  ],
  [
    'sizeAndTimeConditions',
    { request: 'DELETE /bucket/key?uploadId=u', headers: { 'x-amz-if-match-initiated-time': date } },
  ],
  [
    'conditionalBatchDelete',
    {
      request: 'POST /bucket?delete',
      body: `<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><ETag>${etag}</ETag></Object></Delete>`,
    },
  ],
  [
    'conditionalBatchDelete',
    { request: 'POST /bucket?delete', body: '<Delete><Object><Key>a</Key><ETag>*</ETag></Object></Delete>' },
  ],
];

/** Values of If-Match that name no ETag. MinIO or versitygw would write without a condition. */
const emptyETags = ['', ' ', '""', ' "" ', 'W/""', '"","", W/""', '","', '" "'];
const onlyIfMatching = ['PUT /bucket/key', 'POST /bucket/key?uploadId=u', 'DELETE /bucket/key'];

it.each(onlyIfMatching.flatMap((request) => emptyETags.map((value) => [request, value] as const)))(
  '%s on the condition of an empty ETag is refused: If-Match: %s',
  (request, value) => {
    for (const copied of request.startsWith('PUT') ? [{}, copying] : [{}])
      expect(refusal(allFeatures, { request, headers: { ...copied, 'if-match': value } })).toMatch(
        /^400 InvalidArgument/,
      );
  },
);

it.each(['', '<![CDATA[""]]>', ' '])('an entry of a multi-delete with the ETag %j is refused', (eTag) => {
  const body = `<Delete><Object><Key>a</Key><ETag>${eTag}</ETag></Object></Delete>`;
  expect(refusal(allFeatures, { request: 'POST /bucket?delete', body })).toMatch(/^400 MalformedXML/);
});

it.each([
  ['PUT /bucket/key', 'x-amz-copy-source-if-match', copying],
  ['PUT /bucket/key', 'x-amz-copy-source-if-unmodified-since', copying],
  ['DELETE /bucket/key', 'x-amz-if-match-size', {}],
  ['DELETE /bucket/key', 'x-amz-if-match-last-modified-time', {}],
])('%s with an empty condition in %s is refused', (request, name, further) => {
  expect(refusal(allFeatures, { request, headers: { ...further, [name]: '' } })).toMatch(
    /^400 InvalidArgument/,
  );
});

it.each([
  ['x-amz-server-side-encryption', {}],
  ['x-amz-server-side-encryption-context', {}],
  ['x-amz-server-side-encryption-customer-algorithm', {}],
  ['x-amz-server-side-encryption-customer-key', {}],
  ['x-amz-copy-source-server-side-encryption-customer-key', copying],
])('an empty %s is refused: its sender believes that the object is encrypted', (name, further) => {
  const written = { request: 'PUT /bucket/key', headers: { ...further, [name]: '' } };
  expect(refusal(allFeatures, written)).toMatch(/^400 InvalidArgument/);
});

it.each([
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-acl',
  'x-amz-storage-class',
  'x-amz-grant-read',
])('an empty %s is not sent, and no policy takes it for one', (name) => {
  const request = understoodBy(allFeatures, { request: 'PUT /bucket/key', headers: { [name]: ' ' } });
  expect([...request.headers.keys()]).toEqual([]);
  expect(request.conditionKeys.map(([key]) => key)).not.toContain(`s3:${name}`);
});

function understoodBy(supports: ReadonlySet<StoreFeature>, written: WrittenRequest): S3Request {
  const [method = '', target = ''] = written.request.split(' ');
  const headers = Object.entries({ host: 'localhost', ...written.headers });
  const raw = toRawRequest({ method, target, headers });
  if (raw === undefined) throw new Error('unreadable');
  const request = route(raw, { ...vectorSettings, supports });
  const isRead = written.body !== undefined;
  return isRead ? withDocument(request, Buffer.from(written.body ?? ''), 'aws') : request;
}

function refusal(supports: ReadonlySet<StoreFeature>, written: WrittenRequest): string {
  try {
    return understoodBy(supports, written).operation.name;
  } catch (error) {
    if (error instanceof ServiceError) return `${error.status} ${error.code} ${error.message}`;
    throw error;
  }
}

describe('a condition that a store might ignore', () => {
  it.each(ignored)('is sent only where `backend.supports` names %s: %j', (feature, written) => {
    const others = new Set([...allFeatures].filter((one) => one !== feature));
    expect(refusal(others, written)).toMatch(/^501 NotImplemented /);
    expect(refusal(others, written)).toContain(`backend.supports names for it (${feature})`);
    expect(refusal(new Set([feature]), written)).not.toMatch(/^\d/);
  });

  it('is forwarded unchanged where the store obeys it', () => {
    const [, copy] = ignored[0] ?? [];
    if (copy === undefined) throw new Error('no copy');
    expect(understoodBy(allFeatures, copy).headers.get('if-match')).toBe(etag);
  });
});

describe('a condition that every store obeys', () => {
  it.each<WrittenRequest>([
    { request: 'PUT /bucket/key', headers: { 'if-match': etag } },
    { request: 'PUT /bucket/key', headers: { 'if-none-match': '*' } },
    { request: 'PUT /bucket/key', headers: { ...copying, 'x-amz-copy-source-if-match': etag } },
    { request: 'GET /bucket/key', headers: { 'if-none-match': etag } },
    { request: 'DELETE /bucket/key' },
    { request: 'POST /bucket?delete', body: '<Delete><Object><Key>a</Key></Object></Delete>' },
  ])('is sent to every store: %j', (written) => {
    expect(refusal(new Set(), written)).not.toMatch(/^\d/);
  });
});
