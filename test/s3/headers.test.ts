import { describe, expect, it } from 'vitest';
import { operations } from '../../src/s3/operations/index.ts';
import { operationVectors, refusalOf, routed, type WrittenRequest } from './vectors.ts';

const objectAcl = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write-acp',
];
const acl = [...objectAcl, 'x-amz-grant-write'];
const newObject = [
  ...objectAcl,
  'x-amz-object-lock-event-hold',
  'x-amz-object-lock-event-hold-duration-days',
  'x-amz-object-lock-event-hold-duration-years',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
];
const copying = [
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
  'x-amz-copy-source-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
];
const listing = ['x-amz-optional-object-attributes'];

/** The `x-amz-*` headers that belong to some operations only. Source: AWS API Reference, each operation's headers. */
const own: Readonly<Record<string, readonly string[]>> = {
  AbortMultipartUpload: ['x-amz-if-match-initiated-time'],
  CompleteMultipartUpload: ['x-amz-mp-object-size'],
  CopyObject: [
    ...newObject,
    ...copying,
    'x-amz-metadata-directive',
    'x-amz-object-annotation-directive',
    'x-amz-tagging-directive',
  ],
  CreateBucket: [
    ...acl,
    'x-amz-bucket-namespace',
    'x-amz-bucket-object-lock-enabled',
    'x-amz-object-ownership',
  ],
  CreateMultipartUpload: newObject,
  DeleteObject: [
    'x-amz-bypass-governance-retention',
    'x-amz-if-match-last-modified-time',
    'x-amz-if-match-size',
  ],
  DeleteObjectAnnotation: ['x-amz-object-if-match'],
  DeleteObjects: ['x-amz-bypass-governance-retention'],
  GetObjectAttributes: ['x-amz-max-parts', 'x-amz-object-attributes', 'x-amz-part-number-marker'],
  ListObjectVersions: listing,
  ListObjects: listing,
  ListObjectsV2: listing,
  PutBucketAcl: acl,
  PutBucketLifecycleConfiguration: ['x-amz-transition-default-minimum-object-size'],
  PutBucketNotificationConfiguration: ['x-amz-skip-destination-validation'],
  PutBucketPolicy: ['x-amz-confirm-remove-self-bucket-access'],
  PutBucketReplication: ['x-amz-bucket-object-lock-token'],
  PutObject: newObject,
  PutObjectAcl: acl,
  PutObjectAnnotation: ['x-amz-object-if-match'],
  PutObjectLockConfiguration: ['x-amz-bucket-object-lock-token'],
  PutObjectRetention: ['x-amz-bypass-governance-retention'],
  UploadPartCopy: [...copying, 'x-amz-copy-source-range'],
};

/** What every operation forwards. */
const common = [
  ...['algorithm', 'crc32', 'crc32c', 'crc64nvme', 'md5', 'mode', 'sha1', 'sha256', 'sha512', 'type'].map(
    (name) => `x-amz-checksum-${name}`,
  ),
  'x-amz-meta-a',
  'x-amz-request-payer',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
];

/** Checksums that nothing here can compute. They are forwarded where they are not about the request's own body. */
const unverifiable = ['128', '3', '64'].map((name) => `x-amz-checksum-xxhash${name}`);

/** What ends at the sidecar. */
const consumed = [
  'x-amz-api-version',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-security-token',
  'x-amz-source-expected-bucket-owner',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
];

const samples: ReadonlyMap<string, string> = new Map([
  ['x-amz-api-version', '2006-03-01'],
  ['x-amz-bucket-object-lock-enabled', 'true'],
  ['x-amz-bypass-governance-retention', 'true'],
  ['x-amz-confirm-remove-self-bucket-access', 'true'],
  ['x-amz-copy-source', '/sources/in/a.csv'],
  ['x-amz-copy-source-range', 'bytes=0-1'],
  ['x-amz-expected-bucket-owner', '123456789012'],
  ['x-amz-metadata-directive', 'REPLACE'],
  ['x-amz-object-annotation-directive', 'COPY'],
  ['x-amz-object-lock-event-hold', 'ON'],
  ['x-amz-object-lock-legal-hold', 'OFF'],
  ['x-amz-object-lock-mode', 'GOVERNANCE'],
  ['x-amz-object-lock-retain-until-date', '2030-01-02T03:04:05Z'],
  ['x-amz-skip-destination-validation', 'true'],
  ['x-amz-source-expected-bucket-owner', '123456789012'],
  ['x-amz-tagging', 'a=b'],
  ['x-amz-tagging-directive', 'REPLACE'],
]);
const sample = (name: string): string => samples.get(name) ?? '1';

const answering: readonly (readonly [string, WrittenRequest])[] = operationVectors.flatMap(
  ({ name, routes: [first] }) =>
    first === undefined || first.refusal !== undefined ? [] : [[name, first] as const],
);
const asking = answering.filter(([name]) => name !== 'CorsPreflight');

function withHeader(
  { headers, ...written }: WrittenRequest,
  name: string,
  value = sample(name),
): WrittenRequest {
  // Tags may only come with a copy that replaces those of its source.
  const replacing = name === 'x-amz-tagging' && headers?.['x-amz-copy-source'] !== undefined;
  const directive = replacing ? { 'x-amz-tagging-directive': 'REPLACE' } : {};
  return { ...written, headers: { ...headers, ...directive, [name]: value } };
}

/** `forwarded`, `consumed`, or the code of the refusal. */
function fateOf(written: WrittenRequest, name: string, value = sample(name)): string {
  let fate = '';
  const refusal = refusalOf(() => {
    const request = routed(withHeader(written, name, value));
    fate =
      request.headers.get(name) === value ? 'forwarded' : request.headers.has(name) ? 'changed' : 'consumed';
    return request;
  });
  return fate === '' ? refusal : fate;
}

const allOwn = [...new Set(Object.values(own).flat())];

describe('the headers of one operation', () => {
  it('are those of the table, for operations that exist', () => {
    for (const { name, headers } of operations)
      expect([...headers].sort(), name).toEqual([...(own[name] ?? [])].sort());
    expect(Object.keys(own).filter((name) => !operations.some((row) => row.name === name))).toEqual([]);
  });

  it.each(asking)('%s are forwarded, and those of others refused', (name, written) => {
    const fates = allOwn.map((header) => `${header} ${fateOf(written, header)}`);
    const isPart = name === 'UploadPart' || name === 'PutObject';
    const expected = allOwn.map((header) => {
      // It makes another operation of the request, which is another test.
      if (isPart && header === 'x-amz-copy-source') return `${header} forwarded`;
      return `${header} ${own[name]?.includes(header) === true ? 'forwarded' : 'NotImplemented'}`;
    });
    expect(fates).toEqual(expected);
  });

  it.each(asking)('%s come beside those of all operations, and of this hop', (name, written) => {
    const hasBody = operations.some((row) => row.name === name && row.body !== 'none');
    const isForwarded = !hasBody || name === 'CompleteMultipartUpload';
    const fate = isForwarded ? 'forwarded' : 'NotImplemented';
    expect(unverifiable.filter((header) => fateOf(written, header) !== fate)).toEqual([]);
    expect(common.filter((header) => fateOf(written, header) !== 'forwarded')).toEqual([]);
    expect(consumed.filter((header) => fateOf(written, header) !== 'consumed')).toEqual([]);
  });
});

it.each(asking)('another version of the API is refused for %s', (_, written) => {
  const others = ['2006-03-02', '2011-06-15', '2006-03-01,2006-03-01', 'latest', '1', ''];
  const fates = others.map((version) => fateOf(written, 'x-amz-api-version', version));
  expect(fates).toEqual(others.map(() => 'NotImplemented'));
});

describe('a value that could be read in two ways', () => {
  it.each([
    ['x-amz-bypass-governance-retention', 'DELETE /data-lake/key', ['1', 'yes', 'true,true', '']],
    ['x-amz-bucket-object-lock-enabled', 'PUT /data-lake', ['1', 'on', 'true;', '']],
    ['x-amz-confirm-remove-self-bucket-access', 'PUT /data-lake?policy', ['1', '']],
    ['x-amz-skip-destination-validation', 'PUT /data-lake?notification', ['no', '']],
    ['x-amz-object-lock-mode', 'PUT /data-lake/key', ['governance', 'NONE', '']],
    ['x-amz-object-lock-legal-hold', 'PUT /data-lake/key', ['on', 'TRUE', '']],
    ['x-amz-object-lock-event-hold', 'PUT /data-lake/key', ['on', 'TRUE', '']],
    [
      'x-amz-object-lock-event-hold-duration-days',
      'PUT /data-lake/key',
      ['-1', '1.5', '01', '1e3', '9999999', ''],
    ],
    ['x-amz-object-lock-event-hold-duration-years', 'PUT /data-lake/key', ['-1', '0x1', '']],
    [
      'x-amz-object-lock-retain-until-date',
      'PUT /data-lake/key',
      [
        'tomorrow',
        '2030-01-02',
        '2030-02-30T00:00:00Z',
        '2030-01-02T03:04:05',
        '2030-13-01T00:00:00Z',
        '1893553445',
        '+010000-01-01T00:00:00Z',
        '2030-01-02T24:00:00Z',
        '',
      ],
    ],
    ['x-amz-tagging', 'PUT /data-lake/key', ['a=%zz', 'a=b&a=c', 'a=%FF']],
  ])('of %s is refused', (header, request, values) => {
    const kept = values.filter((value) => fateOf({ request }, header, value) !== 'InvalidArgument');
    expect(kept).toEqual([]);
  });

  it('that is false is not sent, and one that is true is sent in one spelling', () => {
    const sent = (value: string) =>
      routed({ request: 'DELETE /data-lake/key', headers: { 'x-amz-bypass-governance-retention': value } })
        .headers;
    expect(sent('False').has('x-amz-bypass-governance-retention')).toBe(false);
    expect(sent('True').get('x-amz-bypass-governance-retention')).toBe('true');
  });

  it.each([
    ['2030-01-02T03:04:05.000Z', '2030-01-02T03:04:05Z'],
    ['2030-01-02T03:04:05.1239Z', '2030-01-02T03:04:05.123Z'],
    ['2030-01-02T03:04:05+05:00', '2030-01-01T22:04:05Z'],
    ['2030-01-02T03:04:05-00:30', '2030-01-02T03:34:05Z'],
  ])('of a date, %s, is forwarded and given to policies as %s', (sent, written) => {
    const { headers, conditionKeys } = routed({
      request: 'PUT /data-lake/key',
      headers: { 'x-amz-object-lock-retain-until-date': sent },
    });
    expect(headers.get('x-amz-object-lock-retain-until-date')).toBe(written);
    expect(new Map(conditionKeys).get('s3:object-lock-retain-until-date')).toEqual([written]);
  });

  it('of a hold in days and years at once is refused', () => {
    const headers = {
      'x-amz-object-lock-event-hold-duration-days': '1',
      'x-amz-object-lock-event-hold-duration-years': '1',
    };
    expect(refusalOf(() => routed({ request: 'PUT /data-lake/key', headers }))).toBe('InvalidArgument');
  });

  it('for a context key is refused when it is longer than any needs to be', () => {
    const headers = { 'x-amz-storage-class': 'A'.repeat(2049) };
    expect(refusalOf(() => routed({ request: 'PUT /data-lake/key', headers }))).toBe('InvalidArgument');
  });
});

describe('conditions and ranges', () => {
  const etag = '"9b2cf535f27731c974343645a3985328"';
  const date = 'Sun, 22 Nov 2026 12:00:00 GMT';
  const objectWrites = [
    'CompleteMultipartUpload',
    'CopyObject',
    'CreateMultipartUpload',
    'PutObject',
    'UploadPart',
    'UploadPartCopy',
  ];
  const reads = asking.filter(([, { request }]) => /^(?:GET|HEAD) /.test(request));
  const writes = asking.filter(([, { request }]) => !/^(?:GET|HEAD) /.test(request));

  it.each(reads)('of %s, a read, are forwarded, ranges where there is an object', (name, written) => {
    const said = {
      'if-match': etag,
      'if-none-match': etag,
      'if-modified-since': date,
      'if-unmodified-since': date,
    };
    const kept = Object.entries(said).map(([header, value]) => fateOf(written, header, value));
    expect(new Set(kept)).toEqual(new Set(['forwarded']));
    const ranges = [fateOf(written, 'range', 'bytes=0-1'), fateOf(written, 'if-range', etag)];
    const fate = name === 'GetObject' || name === 'HeadObject' ? 'forwarded' : 'consumed';
    expect(ranges).toEqual([fate, fate]);
  });

  it.each(writes)('of %s, a write, are those that AWS knows', (name, written) => {
    const isWrite = objectWrites.includes(name);
    const ifMatch = isWrite || name === 'DeleteObject' ? 'forwarded' : 'NotImplemented';
    expect({
      range: fateOf(written, 'range', 'bytes=0-1'),
      ifRange: fateOf(written, 'if-range', etag),
      ifMatch: fateOf(written, 'if-match', etag),
      ifThere: fateOf(written, 'if-match', '*'),
      ifMissing: fateOf(written, 'if-none-match', '*'),
      ifOther: fateOf(written, 'if-none-match', etag),
      ifAny: fateOf(written, 'if-none-match', `*, ${etag}`),
      ifNewer: fateOf(written, 'if-modified-since', date),
      ifOlder: fateOf(written, 'if-unmodified-since', date),
    }).toEqual({
      range: 'consumed',
      ifRange: 'consumed',
      ifMatch,
      ifThere: ifMatch,
      ifMissing: isWrite ? 'forwarded' : 'NotImplemented',
      ifOther: 'NotImplemented',
      ifAny: 'NotImplemented',
      ifNewer: 'NotImplemented',
      ifOlder: 'NotImplemented',
    });
  });
});
