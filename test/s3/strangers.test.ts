import { describe, expect, it } from 'vitest';
import { operations } from '../../src/s3/operations/index.ts';
import { operationVectors, refusalOf, routed, type WrittenRequest } from './vectors.ts';

const canonical: readonly (readonly [string, WrittenRequest])[] = operationVectors.flatMap(
  ({ name, routes: [first] }) => (first === undefined ? [] : [[name, first] as const]),
);
const isRefused = (name: string): boolean =>
  operations.some((operation) => operation.name === name && operation.action === undefined);
const answering = canonical.filter(([name]) => !isRefused(name));

function withParameter(written: WrittenRequest, parameter: string): WrittenRequest {
  const mark = written.request.includes('?') ? '&' : '?';
  return { ...written, request: `${written.request}${mark}${parameter}` };
}

function withHeader(written: WrittenRequest, header: string, value = '1'): WrittenRequest {
  return { ...written, headers: { ...written.headers, [header]: value } };
}

const refusals = (requests: readonly WrittenRequest[]): string[] =>
  requests.map((written) => refusalOf(() => routed(written)));

const selectors = [
  ...new Set(
    operations.flatMap((row) => row.selectors.map((selector) => selector.split('=')[0] ?? selector)),
  ),
];
const otherCases = selectors
  .flatMap((name) => [
    name.toUpperCase(),
    name.charAt(0).toUpperCase() + name.slice(1),
    `${name}%20`,
    `%20${name}`,
  ])
  .filter((name) => !selectors.includes(name));

describe.each(canonical)('%s', (_, written) => {
  it.each([
    'surprise=1',
    'surprise',
    'position=0',
    'append',
    'rgwx-uid=a',
    'replication-metrics',
    'lambdaArn=a',
    '%20',
    '__proto__',
    'constructor=1',
  ])('is refused with the unknown parameter %s', (parameter) => {
    expect(refusalOf(() => routed(withParameter(written, parameter)))).toBe('InvalidArgument');
  });

  it('is refused with a selector in another letter case or with something around it', () => {
    expect(otherCases.length).toBeGreaterThan(120);
    const outcomes = refusals(otherCases.map((parameter) => withParameter(written, parameter)));
    expect([...new Set(outcomes)]).toEqual(['InvalidArgument']);
  });

  it('is refused with its own selectors in another letter case', () => {
    const [path = '', query] = written.request.split('?');
    if (query === undefined) return;
    const capital = { ...written, request: `${path}?${query.toUpperCase()}` };
    expect(refusalOf(() => routed(capital))).toMatch(/^(?:InvalidArgument|MethodNotAllowed)$/);
  });

  it('is refused with a repeated parameter, however it is written', () => {
    const query = written.request.split('?')[1] ?? 'versionId=v1';
    const once = written.request.includes('?') ? written : withParameter(written, query);
    const encoded = query.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`);
    const outcomes = refusals([withParameter(once, query), withParameter(once, encoded)]);
    expect(outcomes).toEqual(['InvalidArgument', 'InvalidArgument']);
  });
});

const vendorHeaders = [
  'x-minio-source-mtime',
  'x-minio-source-etag',
  'X-Minio-Replication-Request',
  'x-rgw-object-append',
  'x-rgwx-uid',
  'seaweed-header',
  'x-seaweedfs-ttl',
  'x-vgw-owner',
  'x-garage-x',
  'x-ceph-x',
  'x-swift-x',
];
const unknownHeaders = [
  'x-amz-surprise',
  'x-amz-write-offset-bytes',
  'x-amz-mfa',
  'x-amz-fwd-status',
  'x-amz-rename-source',
  'x-amz-replication-status',
  'x-amz-delete-if-unmodified-since',
  'X-Amz-Grant-Everything',
  'x-amz-acl-',
  'x-amz-',
];

describe.each(answering)('%s', (name, written) => {
  it.each(vendorHeaders)('is refused with the header %s of a store', (header) => {
    expect(refusalOf(() => routed(withHeader(written, header)))).toBe('InvalidArgument');
  });

  it.each(unknownHeaders)('is refused with %s, which it does not know', (header) => {
    expect(refusalOf(() => routed(withHeader(written, header)))).toBe('NotImplemented');
  });

  it('is refused with an archive to unpack, and with another owner', () => {
    expect(
      refusals([
        withHeader(written, 'X-Amz-Meta-Snowball-Auto-Extract', 'true'),
        withHeader(written, 'x-amz-expected-bucket-owner', '999999999999'),
      ]),
    ).toEqual(['InvalidArgument', 'AccessDenied']);
  });

  it('forwards no header of one hop, none without a meaning, and none that stores ignore', () => {
    const plain = routed(written);
    const more = [
      ['connection', 'close'],
      ['x-forwarded-for', '10.0.0.1'],
      ['x_amz_acl', 'public-read'],
      ['x-amzn-trace-id', 'Root=1'],
      ['amz-sdk-request', 'attempt=1'],
      ['authorization', 'AWS4-HMAC-SHA256 x'],
      ['x-amz-date', '20261122T120000Z'],
      ['x-amz-security-token', 'token'],
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['x-amz-expected-bucket-owner', '123456789012'],
      ['cookie', 'a=b'],
      ['expect', '100-continue'],
    ] as const;
    const request = routed(withParameter(written, `x-id=${name}`), more);
    expect(request.headers).toEqual(plain.headers);
    expect(request.parameters).toEqual(plain.parameters);
    expect(request.permissions).toEqual(plain.permissions);
    expect(request.conditionKeys).toEqual(plain.conditionKeys);
  });
});

describe('a preflight', () => {
  it('passes on the three headers of CORS and nothing that came beside them', () => {
    const preflight = canonical.find(([name]) => name === 'CorsPreflight')?.[1];
    if (preflight === undefined) throw new Error('no preflight');
    const names = ['authorization', 'x-amz-acl', 'x-amz-meta-a', ...vendorHeaders, ...unknownHeaders];
    const more = names.map((name) => [name, '1'] as const);
    expect([...routed(preflight, more).headers.keys()]).toEqual(['origin', 'access-control-request-method']);
  });

  it.each([
    [{ 'access-control-request-method': 'PUT' }, 'BadRequest'],
    [{ origin: '', 'access-control-request-method': 'PUT' }, 'BadRequest'],
    [{ origin: 'https://a.example' }, 'BadRequest'],
    [{ origin: 'https://a.example', 'access-control-request-method': 'put' }, 'BadRequest'],
    [{ origin: 'https://a.example', 'access-control-request-method': 'PATCH' }, 'BadRequest'],
    [
      { origin: 'https://a.example', 'access-control-request-method': 'PUT', Origin: 'https://b.example' },
      'InvalidArgument',
    ],
  ])('with %j is refused', (headers: Record<string, string>, code) => {
    expect(refusalOf(() => routed({ request: 'OPTIONS /data-lake/key', headers }))).toBe(code);
  });

  it('without a bucket is refused', () => {
    const headers = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };
    expect(refusalOf(() => routed({ request: 'OPTIONS /', headers }))).toBe('MethodNotAllowed');
  });
});
