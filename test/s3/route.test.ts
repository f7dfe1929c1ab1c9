import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { allFeatures } from './vectors.ts';

const settings = {
  virtualHosts: ['s3.example.internal'],
  accountId: '123456789012',
  partition: 'aws',
  supports: allFeatures,
};

function routed(method: string, target: string, headers: Record<string, string> = {}): S3Request {
  const all = { host: 'localhost:9000', ...headers };
  const raw = toRawRequest({ method, target, headers: Object.entries(all) });
  if (raw === undefined) throw new Error('unreadable');
  return route(raw, settings);
}

function refusal(method: string, target: string, headers: Record<string, string> = {}): string {
  try {
    const { operation, refusal: later } = routed(method, target, headers);
    return later?.code ?? `accepted as ${operation.name}`;
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

describe('classification', () => {
  it.each([
    ['GET', '/', 'ListBuckets'],
    ['PUT', '/bucket', 'CreateBucket'],
    ['PUT', '/bucket/', 'CreateBucket'],
    ['HEAD', '/bucket', 'HeadBucket'],
    ['DELETE', '/bucket', 'DeleteBucket'],
    ['GET', '/bucket?location', 'GetBucketLocation'],
    ['GET', '/bucket', 'ListObjects'],
    ['GET', '/bucket?prefix=a&marker=b&x-id=ListObjects', 'ListObjects'],
    ['GET', '/bucket?list-type=2&prefix=a%2Fb', 'ListObjectsV2'],
    ['POST', '/bucket?delete', 'DeleteObjects'],
    ['GET', '/bucket/key?x-id=GetObject', 'GetObject'],
    ['GET', '/bucket/key?versionId=1&partNumber=2', 'GetObject'],
    ['HEAD', '/bucket/key', 'HeadObject'],
    ['PUT', '/bucket/key', 'PutObject'],
    ['DELETE', '/bucket/key?versionId=1', 'DeleteObject'],
    ['GET', '/bucket?versions&prefix=a&max-keys=2&key-marker=b&version-id-marker=c', 'ListObjectVersions'],
    ['GET', '/bucket?versioning', 'GetBucketVersioning'],
    ['PUT', '/bucket?versioning', 'PutBucketVersioning'],
    ['GET', '/bucket?uploads&prefix=a&max-uploads=2', 'ListMultipartUploads'],
    ['GET', '/bucket/key?uploadId=u&max-parts=2&part-number-marker=1', 'ListParts'],
    ['GET', '/bucket/key?tagging&versionId=v', 'GetObjectTagging'],
    ['PUT', '/bucket/key?tagging&versionId=v', 'PutObjectTagging'],
    ['DELETE', '/bucket/key?tagging&versionId=v', 'DeleteObjectTagging'],
    ['POST', '/bucket/key?uploads', 'CreateMultipartUpload'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=u', 'UploadPart'],
    ['POST', '/bucket/key?uploadId=u', 'CompleteMultipartUpload'],
    ['DELETE', '/bucket/key?uploadId=u', 'AbortMultipartUpload'],
  ])('classifies %s %s as %s', (method, target, name) => {
    expect(routed(method, target).operation.name).toBe(name);
  });

  it('reads the same bucket and key from path style and virtual-host style', () => {
    const byPath = routed('GET', '/bucket/a%2Fb/c');
    const byHost = routed('GET', '/a%2Fb/c', { host: 'Bucket.S3.example.internal:9000'.toLowerCase() });
    for (const request of [byPath, byHost])
      expect([request.bucket, request.key]).toEqual(['bucket', 'a/b/c']);
  });

  it.each([[['test.local', 'store.test.local']], [['store.test.local', 'test.local']]])(
    'takes the longest base host, whatever their order: %j',
    (virtualHosts) => {
      const place = (host: string): string => {
        const raw = toRawRequest({ method: 'GET', target: '/name/key', headers: [['host', host]] });
        if (raw === undefined) throw new Error('unreadable');
        const { bucket, key } = route(raw, { ...settings, virtualHosts });
        return `${bucket} ${key}`;
      };
      expect(place('store.test.local')).toBe('name key');
      expect(place('STORE.test.local:9000')).toBe('name key');
      expect(place('test.local.')).toBe('name key');
      expect(place('data.store.test.local')).toBe('data name/key');
      expect(place('data.test.local')).toBe('data name/key');
      expect(place('data.test.local.:9000')).toBe('data name/key');
      expect(place('store.data.test.local')).toBe('store.data name/key');
      expect(place('data.elsewhere.local')).toBe('name key');
    },
  );

  it('names no bucket where nothing stands before the base host', () => {
    expect(refusal('GET', '/key', { host: '.s3.example.internal' })).toBe('InvalidBucketName');
  });

  it('decodes a key exactly once', () => {
    expect(routed('GET', '/bucket/100%2525').key).toBe('100%25');
    expect(routed('GET', '/bucket//a//').key).toBe('/a//');
    expect(routed('GET', '/bucket/a+b').key).toBe('a+b');
  });

  it('keeps every row reachable by its own selectors', () => {
    for (const row of operations) {
      const { name, method, scope, selectors, selectingHeader, requiredHeaders = [] } = row;
      const path = { service: '/', bucket: '/bucket', object: '/bucket/key' }[scope];
      const query = selectors.map((one) => one.replace('Id=*', 'Id=a').replace('=*', '=1')).join('&');
      const headers: Record<string, string> =
        selectingHeader === undefined ? {} : { [selectingHeader]: '/other/key' };
      if (row.isPreflight === true) {
        headers['origin'] = 'https://app.example';
        headers['access-control-request-method'] = 'PUT';
      }
      for (const name of requiredHeaders) headers[name] = 'ETag';
      const outcome = refusal(method, query === '' ? path : `${path}?${query}`, headers);
      expect(`${name}: ${outcome}`).toMatch(new RegExp(`^${name}: (accepted as ${name}|NotImplemented)$`));
    }
  });
});

describe('requests that could mean something else to the store', () => {
  it.each([
    ['two subresources', 'GET', '/bucket?acl&location', 'InvalidArgument'],
    ['a selector of uploads on a read', 'GET', '/bucket/key?uploads', 'InvalidArgument'],
    ['an upload id beside acl', 'GET', '/bucket/key?acl&uploadId=u', 'InvalidArgument'],
    ['a prefix on an object', 'GET', '/bucket/secret?prefix=x', 'InvalidArgument'],
    ['an unknown parameter', 'GET', '/bucket?surprise=1', 'InvalidArgument'],
    ['a selector in other capitals', 'GET', '/bucket?LOCATION', 'InvalidArgument'],
    ['a repeated parameter', 'GET', '/bucket?prefix=ok&prefix=secret', 'InvalidArgument'],
    ['a repeated parameter, encoded', 'GET', '/bucket?prefix=ok&pre%66ix=secret', 'InvalidArgument'],
    [
      'an x-amz parameter with header credentials',
      'PUT',
      '/bucket/key?x-amz-acl=public-read',
      'InvalidArgument',
    ],
    ['a selector with a value', 'GET', '/bucket?location=x', 'InvalidArgument'],
    ['another list type', 'GET', '/bucket?list-type=1', 'InvalidArgument'],
    ['a part number without an upload', 'PUT', '/bucket/key?partNumber=1', 'InvalidArgument'],
    ['an empty upload id', 'DELETE', '/bucket/key?uploadId=', 'NoSuchUpload'],
    ['part number zero', 'PUT', '/bucket/key?partNumber=0&uploadId=u', 'InvalidArgument'],
    ['max-keys that is not a number', 'GET', '/bucket?max-keys=abc', 'InvalidArgument'],
    ['max-keys written in another way', 'GET', '/bucket?max-keys=01000', 'InvalidArgument'],
    ['a prefix longer than any key', 'GET', `/bucket?prefix=${'a'.repeat(2049)}`, 'InvalidArgument'],
    ['an encoded slash in the bucket', 'GET', '/bucket%2Fkey', 'InvalidURI'],
    ['malformed percent-encoding', 'GET', '/bucket/%zz', 'InvalidURI'],
    ['a key that is not UTF-8', 'GET', '/bucket/%FF', 'InvalidURI'],
    ['NUL in a key', 'GET', '/bucket/a%00b', 'InvalidURI'],
    ['a key that climbs out of the bucket', 'GET', '/bucket/../other/secret', 'InvalidURI'],
    ['a key that climbs out, encoded', 'GET', '/bucket/a/%2e%2e/%2e%2e/other', 'InvalidURI'],
    ['a dot bucket', 'GET', '/../secret', 'InvalidBucketName'],
    ['an empty bucket', 'GET', '//key', 'InvalidBucketName'],
    ['the admin API of RGW', 'GET', '/admin/user', 'InvalidBucketName'],
    ['the admin API of MinIO', 'GET', '/minio/admin/v3/info', 'InvalidBucketName'],
    ['the admin API of MinIO, encoded', 'GET', '/%6dinio/admin/v3/info', 'InvalidBucketName'],
    ['a key over 1,024 bytes', 'GET', `/bucket/${'a'.repeat(1025)}`, 'KeyTooLongError'],
    ['a long key that leaves the bucket', 'GET', `/bucket/${'../'.repeat(342)}`, 'KeyTooLongError'],
    ['a method S3 does not have', 'PATCH', '/bucket/key', 'MethodNotAllowed'],
    ['a POST without a selector', 'POST', '/bucket/key', 'MethodNotAllowed'],
    ['a form of a browser', 'POST', '/bucket', 'NotImplemented'],
    ['asking for credentials of the store', 'GET', '/bucket?session', 'NotImplemented'],
    ['asking for credentials of the store beside more', 'GET', '/bucket?session&acl', 'InvalidArgument'],
    ['tagging beside an upload id', 'GET', '/bucket/key?tagging&uploadId=u', 'InvalidArgument'],
    ['tagging beside acl', 'PUT', '/bucket/key?acl&tagging', 'InvalidArgument'],
    ['tagging with a value', 'GET', '/bucket/key?tagging=1', 'InvalidArgument'],
    ['a version of an upload', 'PUT', '/bucket/key?versionId=v', 'InvalidArgument'],
    ['a version of a part', 'GET', '/bucket/key?uploadId=u&versionId=v', 'InvalidArgument'],
    ['a version of a bucket', 'GET', '/bucket?versioning&versionId=v', 'InvalidArgument'],
    ['an empty version', 'GET', '/bucket/key?tagging&versionId=', 'InvalidArgument'],
    ['a version of white space', 'DELETE', '/bucket/key?versionId=%20', 'InvalidArgument'],
    ['a prefix that climbs out', 'GET', '/bucket?prefix=..%2Fother%2F', 'InvalidArgument'],
    [
      'a prefix that climbs out further on',
      'GET',
      '/bucket?list-type=2&prefix=a%2F..%2F..%2Fother',
      'InvalidArgument',
    ],
    ['versions beside uploads', 'GET', '/bucket?versions&uploads', 'InvalidArgument'],
    ['versions beside a list type', 'GET', '/bucket?versions&list-type=2', 'InvalidArgument'],
    ['attributes without a list of them', 'GET', '/bucket/key?attributes', 'InvalidArgument'],
    ['attributes beside tagging', 'GET', '/bucket/key?attributes&tagging', 'InvalidArgument'],
    ['max-parts that is not a number', 'GET', '/bucket/key?uploadId=u&max-parts=x', 'InvalidArgument'],
  ])('rejects %s', (_, method, target, code) => {
    expect(refusal(method, target)).toBe(code);
  });

  it.each([
    ['an unknown x-amz header', { 'x-amz-surprise': '1' }, 'NotImplemented'],
    ['a MinIO header', { 'x-minio-source-mtime': '1' }, 'InvalidArgument'],
    ['an RGW header', { 'x-rgw-object-type': '1' }, 'InvalidArgument'],
    ['a SeaweedFS header', { 'seaweed-x': '1' }, 'InvalidArgument'],
    ['a versitygw header', { 'x-vgw-x': '1' }, 'InvalidArgument'],
    ['eleven tags', { 'x-amz-tagging': 'a&b&c&d&e&f&g&h&i&j&k' }, 'BadRequest'],
    ['a tag with a long key', { 'x-amz-tagging': `${'a'.repeat(129)}=b` }, 'InvalidTag'],
    ['a tag with a long value', { 'x-amz-tagging': `a=${'b'.repeat(257)}` }, 'InvalidTag'],
    ['a tag without a key', { 'x-amz-tagging': '=b' }, 'InvalidTag'],
    ['a tag whose key XML cannot express', { 'x-amz-tagging': 'a%01=b' }, 'InvalidTag'],
    ['a tag whose value XML cannot express', { 'x-amz-tagging': 'a=%EF%BF%BE' }, 'InvalidTag'],
    ['a tag with a line break', { 'x-amz-tagging': 'a=b%0A' }, 'InvalidTag'],
    ['a tag with a sign that AWS refuses', { 'x-amz-tagging': 'a%2A=b' }, 'InvalidTag'],
    ['a tag of the service', { 'x-amz-tagging': 'aws%3Ax=b' }, 'InvalidTag'],
    ['an empty Content-MD5', { 'content-md5': '' }, 'InvalidDigest'],
    ['a Content-MD5 in hex', { 'content-md5': '9b2cf535f27731c974343645a3985328' }, 'InvalidDigest'],
    ['a short Content-MD5', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA' }, 'InvalidDigest'],
    ['a Content-MD5 with spare bits', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAB==' }, 'InvalidDigest'],
    ['a decoded length of words', { 'x-amz-decoded-content-length': 'abc' }, 'MissingContentLength'],
    ['an empty decoded length', { 'x-amz-decoded-content-length': '' }, 'MissingContentLength'],
    ['an archive to unpack', { 'x-amz-meta-snowball-auto-extract': 'true' }, 'InvalidArgument'],
    ['another account as the owner', { 'x-amz-expected-bucket-owner': '999999999999' }, 'AccessDenied'],
    ['tags that repeat a key', { 'x-amz-tagging': 'team=a&team=b' }, 'InvalidArgument'],
  ])('rejects %s', (_, headers, code) => {
    expect(refusal('PUT', '/bucket/key', headers)).toBe(code);
  });

  it('takes tags of every script, and the signs that AWS allows', () => {
    const tags = [
      ['ключ ', 'a+-=._:/@\u3000'],
      ['हिन्दी', '１٣'],
      ['e\u0301', ''],
    ] as const;
    const header = tags
      .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
      .join('&');
    const keys = new Map(routed('PUT', '/bucket/key', { 'x-amz-tagging': header }).conditionKeys);
    for (const [key, value] of tags) expect(keys.get(`s3:RequestObjectTag/${key}`)).toEqual([value]);
  });

  it.each([
    ['aws-chunked', undefined],
    ['AWS-Chunked', undefined],
    ['aws-chunked, gzip', 'gzip'],
    ['gzip,aws-chunked', 'gzip'],
    ['aws-chunked,', undefined],
    [', aws-chunked ,,gzip', 'gzip'],
    ['br, aws-chunked, gzip, aws-chunked', 'br, gzip'],
    ['gzip', 'gzip'],
  ])('forwards Content-Encoding %s as %s', (sent, forwarded) => {
    expect(routed('PUT', '/bucket/key', { 'content-encoding': sent }).headers.get('content-encoding')).toBe(
      forwarded,
    );
  });

  it('forwards a header that is repeated only where joining keeps its meaning', () => {
    expect(
      routed('PUT', '/bucket/key', { 'x-amz-meta-a': '1', 'X-Amz-Meta-A': '2' }).headers.get('x-amz-meta-a'),
    ).toBe('1,2');
    expect(refusal('PUT', '/bucket/key', { 'x-amz-acl': 'private', 'X-Amz-Acl': 'public-read' })).toBe(
      'InvalidArgument',
    );
    expect(refusal('GET', '/bucket/key', { range: 'bytes=0-1', Range: 'bytes=5-6' })).toBe('InvalidArgument');
  });

  it.each([
    ['GET', '/bucket/key?attributes', 'x-amz-object-attributes'],
    ['GET', '/bucket?list-type=2', 'x-amz-optional-object-attributes'],
  ])('joins the lines of a list, as they were signed: %s %s %s', (method, target, name) => {
    const raw = toRawRequest({
      method,
      target,
      headers: [
        ['host', 'localhost'],
        [name, 'ETag'],
        [name, 'ObjectSize'],
      ],
    });
    if (raw === undefined) throw new Error('unreadable');
    expect(route(raw, settings).headers.get(name)).toBe('ETag,ObjectSize');
  });

  it('forwards and decides on values as they were signed, every run of white space one space', () => {
    const request = routed('PUT', '/bucket/key', {
      'x-amz-copy-source': '/other/a  b',
      'x-amz-meta-a': 'b \t c',
      'x-amz-storage-class': 'A\tB',
      'content-type': 'text/plain;  charset=utf-8',
    });
    expect(request.headers.get('x-amz-copy-source')).toBe('/other/a%20b');
    expect(request.headers.get('x-amz-meta-a')).toBe('b c');
    expect(request.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(new Map(request.conditionKeys).get('s3:x-amz-storage-class')).toEqual(['A B']);
    expect(request.permissions.map(({ object }) => object?.key)).toEqual(['key', 'a b']);
  });

  it('treats a payload hash in the query as the header of that name, or refuses it', () => {
    const named = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const target = '/bucket/key?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD';
    expect([...routed('GET', target, named).parameters]).toEqual([]);
    expect(refusal('GET', '/bucket/key?X-Amz-Content-Sha256=x', named)).toBe('InvalidArgument');
    expect(refusal('GET', `${target}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD`, named)).toBe('InvalidArgument');
    expect(refusal('GET', `${target}&x-amz-content-sha256=x`, named)).toBe('InvalidArgument');
    expect(refusal('GET', target)).toBe('InvalidArgument');
  });

  it('drops hop-by-hop fields and fields without a meaning', () => {
    const headers = routed('GET', '/bucket/key', {
      connection: 'close',
      te: 'trailers',
      expect: '100-continue',
      'x-forwarded-for': '10.0.0.1',
      x_amz_acl: 'public-read',
      cookie: 'a=b',
      'amz-sdk-request': 'attempt=1',
      accept: 'application/json',
      'accept-encoding': 'gzip',
      range: 'bytes=0-1',
    }).headers;
    expect([...headers]).toEqual([['range', 'bytes=0-1']]);
  });

  it.each([
    ['connection', 'close, X-Amz-Meta-A'],
    ['Connection', 'if-none-match,te'],
  ])('refuses a %s header that names what is for the store, because it is not signed', (name, value) => {
    const headers = { 'x-amz-meta-a': '1', 'if-none-match': '*' };
    expect([...routed('PUT', '/bucket/key', headers).headers.keys()].sort()).toEqual(
      Object.keys(headers).sort(),
    );
    expect(refusal('PUT', '/bucket/key', { ...headers, [name]: value })).toBe('InvalidArgument');
    expect(refusal('PUT', '/bucket/key', { ...headers, connection: 'close', [name]: value })).toBe(
      'InvalidArgument',
    );
  });

  it('ignores what a Connection header says about other fields', () => {
    const { headers } = routed('GET', '/bucket/key', { connection: 'Keep-Alive, X-Hop,TE', 'x-hop': '1' });
    expect([...headers]).toEqual([]);
  });

  it('rejects an ACL on a read', () => {
    expect(refusal('GET', '/bucket/key', { 'x-amz-acl': 'public-read' })).toBe('NotImplemented');
  });
});

describe('permissions', () => {
  const actions = (method: string, target: string, headers: Record<string, string> = {}): string[] =>
    routed(method, target, headers).permissions.map(({ action, resource }) => `${action} ${resource}`);

  it.each([
    ['GET', '/bucket/key', {}, ['s3:GetObject arn:aws:s3:::bucket/key']],
    ['GET', '/bucket/key?versionId=1', {}, ['s3:GetObjectVersion arn:aws:s3:::bucket/key']],
    ['HEAD', '/bucket', {}, ['s3:ListBucket arn:aws:s3:::bucket']],
    ['GET', '/', {}, ['s3:ListAllMyBuckets arn:aws:s3:::*']],
    ['PUT', '/bucket', { 'x-amz-acl': 'private' }, ['s3:CreateBucket arn:aws:s3:::bucket']],
    [
      'PUT',
      '/bucket',
      { 'x-amz-acl': 'public-read' },
      ['s3:CreateBucket arn:aws:s3:::bucket', 's3:PutBucketAcl arn:aws:s3:::bucket'],
    ],
    [
      'PUT',
      '/bucket/key',
      { 'if-match': '"etag"' },
      ['s3:PutObject arn:aws:s3:::bucket/key', 's3:GetObject arn:aws:s3:::bucket/key'],
    ],
    ['PUT', '/bucket/key', { 'if-none-match': '*' }, ['s3:PutObject arn:aws:s3:::bucket/key']],
    [
      'PUT',
      '/bucket/key',
      {
        'x-amz-acl': 'public-read',
        'x-amz-tagging': 'a=b',
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-legal-hold': 'ON',
      },
      [
        's3:PutObject arn:aws:s3:::bucket/key',
        's3:PutObjectAcl arn:aws:s3:::bucket/key',
        's3:PutObjectTagging arn:aws:s3:::bucket/key',
        's3:PutObjectRetention arn:aws:s3:::bucket/key',
        's3:PutObjectLegalHold arn:aws:s3:::bucket/key',
      ],
    ],
    [
      'DELETE',
      '/bucket/key',
      { 'x-amz-bypass-governance-retention': 'true' },
      ['s3:DeleteObject arn:aws:s3:::bucket/key', 's3:BypassGovernanceRetention arn:aws:s3:::bucket/key'],
    ],
    [
      'POST',
      '/bucket/key?uploads',
      { 'x-amz-grant-read': 'id=1' },
      ['s3:PutObject arn:aws:s3:::bucket/key', 's3:PutObjectAcl arn:aws:s3:::bucket/key'],
    ],
    ['DELETE', '/bucket/key?uploadId=u', {}, ['s3:AbortMultipartUpload arn:aws:s3:::bucket/key']],
  ])('of %s %s %j', (method, target, headers: Record<string, string>, expected) => {
    expect(actions(method, target, headers)).toEqual(expected);
  });

  it('say s3:prefix only when it was sent, and s3:max-keys always', () => {
    const keys = (target: string): Map<string, readonly string[]> =>
      new Map(routed('GET', target).conditionKeys);
    expect(keys('/bucket').get('s3:max-keys')).toEqual(['1000']);
    expect(keys('/bucket').has('s3:prefix')).toBe(false);
    expect(keys('/bucket?prefix=').get('s3:prefix')).toEqual(['']);
    expect(keys('/bucket?list-type=2&prefix=a%2Fb&max-keys=7').get('s3:prefix')).toEqual(['a/b']);
    expect(keys('/bucket?list-type=2&prefix=a%2Fb&max-keys=7').get('s3:max-keys')).toEqual(['7']);
  });
});
