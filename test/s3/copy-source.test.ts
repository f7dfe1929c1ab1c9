import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { parseCopySource, writeCopySource } from '../../src/s3/copy-source.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { allFeatures } from './vectors.ts';

const settings = { virtualHosts: [], accountId: '123456789012', partition: 'aws', supports: allFeatures };

function routed(target: string, headers: Record<string, string>, method = 'PUT'): S3Request {
  const raw = toRawRequest({ method, target, headers: Object.entries({ host: 'localhost', ...headers }) });
  if (raw === undefined) throw new Error('unreadable');
  return route(raw, settings);
}

function refusal(action: () => object): string {
  try {
    const result: { refusal?: ServiceError | undefined } = action();
    return result.refusal?.code ?? 'accepted';
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

const copy = (source: string, headers: Record<string, string> = {}): S3Request =>
  routed('/bucket/key', { 'x-amz-copy-source': source, ...headers });
const needed = ({ permissions }: S3Request): string[] =>
  permissions.map(({ action, resource }) => `${action} ${resource.slice('arn:aws:s3:::'.length)}`);

describe('a copy source', () => {
  it.each([
    ['other/a', 'other', 'a', undefined],
    ['/other/a', 'other', 'a', undefined],
    ['/other/a/b', 'other', 'a/b', undefined],
    ['other%2Fa%2Fb', 'other', 'a/b', undefined],
    ['%2Fother%2Fa', 'other', 'a', undefined],
    ['other//a', 'other', '/a', undefined],
    ['other/a+b', 'other', 'a+b', undefined],
    ['other/a%20b', 'other', 'a b', undefined],
    ['other/a b', 'other', 'a b', undefined],
    ['other/caf\u00c3\u00a9', 'other', 'caf\u00e9', undefined],
    ['other/100%2525', 'other', '100%25', undefined],
    ['other/a%3Fversion=v', 'other', 'a?version=v', undefined],
    ['other/a%2541', 'other', 'a%41', undefined],
    ['other/a?versionId=v%2B1', 'other', 'a', 'v+1'],
    ['other/a?versionId=null', 'other', 'a', 'null'],
    ['other/a?versionId=4_z27_f10', 'other', 'a', '4_z27_f10'],
  ])('%s is read once', (header, bucket, key, versionId) => {
    expect(parseCopySource(header)).toEqual({
      bucket,
      key,
      ...(versionId === undefined ? {} : { versionId }),
    });
  });

  it.each([
    ['', 'InvalidArgument'],
    ['other', 'InvalidArgument'],
    ['other/a?versionId=v%2F1', 'InvalidArgument'],
    ['other/a?versionId=..', 'InvalidArgument'],
    ['other/a?versionId=%20', 'InvalidArgument'],
    // Ceph RGW would copy the version `v` of the key `b_a`.
    ['other/a?versionId=v_b', 'InvalidArgument'],
    ['other/a?versionId=v%5Fb', 'InvalidArgument'],
    ['other/a\\..\\..\\b', 'InvalidURI'],
    ['/other', 'InvalidArgument'],
    ['other/', 'InvalidArgument'],
    ['other%2F', 'InvalidArgument'],
    ['//other/a', 'InvalidArgument'],
    ['other%252Fa', 'InvalidArgument'],
    ['other/%zz', 'InvalidArgument'],
    ['other/%FF', 'InvalidArgument'],
    ['other/a%00b', 'InvalidArgument'],
    ['other/a?versionId=', 'InvalidArgument'],
    ['other/a?versionid=v', 'InvalidArgument'],
    ['other/a?acl', 'InvalidArgument'],
    ['other/a?versionId=v&acl', 'InvalidArgument'],
    ['other/a?versionId=v?versionId=w', 'InvalidArgument'],
    ['other/a?x=1&versionId=v', 'InvalidArgument'],
    // versitygw and Ceph RGW look for the version after they have decoded the source.
    ['other/a%3FversionId=v', 'InvalidArgument'],
    ['other/a%3FversionId%3D', 'InvalidArgument'],
    ['other/a%3FversionId%3Dv?versionId=w', 'InvalidArgument'],
    ['other/a%253FversionId%253D', 'InvalidArgument'],
    ['other/%252e%252e/%252e%252e/secret/a', 'InvalidURI'],
    ['other/a%252F.sgwtmp', 'InvalidURI'],
    ['other/../secret/a', 'InvalidURI'],
    ['other/%2e%2e/secret/a', 'InvalidURI'],
    ['../secret/a', 'InvalidArgument'],
    ['minio/admin', 'InvalidArgument'],
    ['.minio.sys/config/config.json', 'InvalidArgument'],
    ['ot%20her/a', 'InvalidArgument'],
    [`other/${'a'.repeat(1025)}`, 'KeyTooLongError'],
    ['arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/a', 'NotImplemented'],
    ['/arn%3Aaws:s3:us-east-1:123456789012:accesspoint/ap/object/a', 'NotImplemented'],
  ])('%s is refused', (header, code) => {
    expect(refusal(() => parseCopySource(header))).toBe(code);
  });

  it('is written in a form that reads as the same object again', () => {
    for (const header of ['other/a%2520b?versionId=v%2B', '/other/100%25', 'other/a+%3F%2F..%2Fx']) {
      const source = parseCopySource(header);
      expect(parseCopySource(writeCopySource(source))).toEqual(source);
    }
  });
});

describe('a copy', () => {
  it('needs to read the source and to write the target', () => {
    expect(needed(copy('other/a'))).toEqual(['s3:PutObject bucket/key', 's3:GetObject other/a']);
    const part = routed('/bucket/key?partNumber=1&uploadId=u', {
      'x-amz-copy-source': '/other/a?versionId=v',
      'x-amz-copy-source-range': 'bytes=0-1',
    });
    expect(part.operation.name).toBe('UploadPartCopy');
    expect(needed(part)).toEqual(['s3:PutObject bucket/key', 's3:GetObjectVersion other/a']);
    expect(part.permissions[1]?.conditionKeys).toEqual([['s3:versionid', ['v']]]);
    expect(new Map(part.conditionKeys).has('s3:versionid')).toBe(false);
  });

  it('needs what the headers of the new object need', () => {
    const headers = { 'x-amz-acl': 'private', 'x-amz-tagging': 'a=b', 'x-amz-tagging-directive': 'REPLACE' };
    expect(needed(copy('other/a', headers))).toEqual([
      's3:PutObject bucket/key',
      's3:PutObjectAcl bucket/key',
      's3:PutObjectTagging bucket/key',
      's3:GetObject other/a',
    ]);
  });

  it('forwards the source as it was parsed, and gives it to policies in that form', () => {
    const request = copy('other%2Fa%2520b?versionId=v');
    expect(request.headers.get('x-amz-copy-source')).toBe('/other/a%2520b?versionId=v');
    expect(new Map(request.conditionKeys).get('s3:x-amz-copy-source')).toEqual(['other/a%20b']);
  });

  it('takes tags along only with the permissions of both sides', () => {
    const { tagCopy } = copy('other/a?versionId=v');
    expect(tagCopy?.directive).toBeUndefined();
    expect(tagCopy?.reads).toEqual({
      action: 's3:GetObjectVersionTagging',
      resource: 'arn:aws:s3:::other/a',
      object: { bucket: 'other', key: 'a', versionId: 'v', aliases: [] },
      conditionKeys: [['s3:versionid', ['v']]],
    });
    const [setting, writing] = tagCopy?.sets([['Team', 'a b']]) ?? [];
    const { action, resource, object, conditionKeys } = setting ?? {};
    expect(writing).toEqual({ ...setting, action: 's3:PutObject' });
    expect({ action, resource, object }).toEqual({
      action: 's3:PutObjectTagging',
      resource: 'arn:aws:s3:::bucket/key',
      object: { bucket: 'bucket', key: 'key', versionId: undefined },
    });
    expect(conditionKeys).toEqual([
      ['s3:RequestObjectTag/Team', ['a b']],
      ['s3:RequestObjectTagKeys', ['Team']],
    ]);
    expect(tagCopy?.sets(undefined).map(({ unknownKeys }) => unknownKeys)).toEqual([
      ['s3:requestobjecttag/', 's3:requestobjecttagkeys'],
      ['s3:requestobjecttag/', 's3:requestobjecttagkeys'],
    ]);
  });

  it('sets the tags that were decided on, or none', () => {
    const { tagCopy } = copy('other/a', { 'x-amz-tagging-directive': 'COPY' });
    expect(tagCopy?.directive).toBe('COPY');
    const tagged = tagCopy?.withTags([
      ['team', 'a&b=c+ é'],
      ['x', ''],
    ]);
    expect(tagged?.get('x-amz-tagging-directive')).toBe('REPLACE');
    expect(tagged?.get('x-amz-tagging')).toBe('team=a%26b%3Dc%2B%20%C3%A9&x=');
    expect(tagged?.get('x-amz-copy-source')).toBe('/other/a');
    const untagged = tagCopy?.withTags([]);
    expect(untagged?.get('x-amz-tagging-directive')).toBe('REPLACE');
    expect(untagged?.has('x-amz-tagging')).toBe(false);
  });

  it('needs nothing for the tags of its source when it replaces them and the metadata, or copies a part', () => {
    const replace = { 'x-amz-tagging-directive': 'REPLACE' };
    expect(copy('other/a', { ...replace, 'x-amz-metadata-directive': 'REPLACE' }).tagCopy).toBeUndefined();
    expect(copy('other/a', { 'x-amz-tagging-directive': 'COPY' }).permissions).toHaveLength(2);
    const headers = { 'x-amz-copy-source': 'other/a' };
    expect(routed('/bucket/key?partNumber=1&uploadId=u', headers).tagCopy).toBeUndefined();
  });

  it('might keep the tags of its source when it replaces them alone', () => {
    const { tagCopy } = copy('other/a', { 'x-amz-tagging-directive': 'REPLACE' });
    expect(tagCopy?.directive).toBe('REPLACE');
    expect(tagCopy?.sets([]).map(({ action }) => action)).toEqual(['s3:PutObject']);
  });

  it.each([
    ['an unknown directive', { 'x-amz-metadata-directive': 'replace' }, 'InvalidArgument'],
    ['tags beside those of the source', { 'x-amz-tagging': 'a=b' }, 'InvalidArgument'],
    ['a range', { 'x-amz-copy-source-range': 'bytes=0-1' }, 'NotImplemented'],
    ['another owner of the source', { 'x-amz-source-expected-bucket-owner': '1' }, 'AccessDenied'],
    ['a second source', { 'X-Amz-Copy-Source': 'other/b' }, 'InvalidArgument'],
  ])('is refused with %s', (_, headers, code) => {
    expect(refusal(() => copy('other/a', headers))).toBe(code);
  });

  it.each([
    'bytes=1-',
    'bytes=-1',
    'bytes=2-1',
    'bytes=0-1,3-4',
    'bytes = 0-1',
    'Bytes=0-1',
    '0-1',
    'bytes=0-+1',
    '',
  ])('of a part is refused with the range %j, which a store might read differently', (range) => {
    const headers = { 'x-amz-copy-source': 'other/a', 'x-amz-copy-source-range': range };
    expect(refusal(() => routed('/bucket/key?partNumber=1&uploadId=u', headers))).toBe('InvalidArgument');
  });

  it.each([
    ['GET', '/bucket/key', 'NotImplemented'],
    ['HEAD', '/bucket/key', 'NotImplemented'],
    ['DELETE', '/bucket/key', 'NotImplemented'],
    ['PUT', '/bucket', 'NotImplemented'],
    ['PUT', '/bucket/key?tagging', 'NotImplemented'],
    ['PUT', '/bucket/key?retention', 'NotImplemented'],
    ['PUT', '/bucket/key?versionId=v', 'InvalidArgument'],
    ['POST', '/bucket/key?uploads', 'NotImplemented'],
    ['POST', '/bucket/key?uploadId=u', 'NotImplemented'],
  ])('source is refused on %s %s', (method, target, code) => {
    expect(refusal(() => routed(target, { 'x-amz-copy-source': 'other/a' }, method))).toBe(code);
  });
});
