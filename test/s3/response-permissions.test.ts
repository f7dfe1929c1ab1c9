import { describe, expect, it } from 'vitest';
import { namesOf, operationVectors, routed } from './vectors.ts';

/** Operations that find the object missing. Those of uploads find the upload missing, which says nothing of objects. */
const revealing = [
  'CopyObject',
  'DeleteObject',
  'DeleteObjectAnnotation',
  'DeleteObjectTagging',
  'GetObject',
  'GetObjectAcl',
  'GetObjectAnnotation',
  'GetObjectAttributes',
  'GetObjectLegalHold',
  'GetObjectRetention',
  'GetObjectTagging',
  'GetObjectTorrent',
  'HeadObject',
  'ListObjectAnnotations',
  'PutObjectAcl',
  'PutObjectAnnotation',
  'PutObjectLegalHold',
  'PutObjectRetention',
  'PutObjectTagging',
  'RestoreObject',
  'SelectObjectContent',
  'UpdateObjectEncryption',
  'UploadPartCopy',
];
const copies = ['CopyObject', 'UploadPartCopy'];

const seeing = (request: string, headers: Record<string, string> = {}): string[] => {
  const { seesMissing } = routed({ request, headers });
  return namesOf(seesMissing);
};

describe('the permission to learn that an object is missing', () => {
  it.each(
    operationVectors
      .filter(({ routes: [first] }) => first?.refusal === undefined)
      .map(({ name, routes }) => [name, routes] as const),
  )('by %s is that to list the bucket', (name, routes) => {
    const listed = revealing.includes(name)
      ? [`s3:ListBucket arn:aws:s3:::${copies.includes(name) ? 'sources' : 'data-lake'}`]
      : [];
    for (const { request, headers = {} } of routes) expect(seeing(request, headers)).toEqual(listed);
  });

  it.each([
    'PUT /data-lake/key',
    'POST /data-lake/key?uploads',
    'POST /data-lake/key?uploadId=u1',
    'DELETE /data-lake/key',
  ])('by the condition of %s is the same', (request) => {
    expect(seeing(request, { 'if-match': '"e"' })).toEqual(['s3:ListBucket arn:aws:s3:::data-lake']);
  });

  it('by the condition of a copy is that to list both buckets', () => {
    const copy = (source: string, headers: Record<string, string>): string[] =>
      seeing('PUT /data-lake/key', { 'x-amz-copy-source': `/${source}/a`, ...headers });
    const source = 's3:ListBucket arn:aws:s3:::sources';
    const destination = 's3:ListBucket arn:aws:s3:::data-lake';
    expect(copy('sources', {})).toEqual([source]);
    expect(copy('sources', { 'if-none-match': '*' })).toEqual([source]);
    expect(copy('sources', { 'if-match': '"e"' })).toEqual([destination, source]);
    expect(copy('data-lake', { 'if-match': '"e"' })).toEqual([destination]);
  });

  it('is the same when a version or a part of it is asked for', () => {
    for (const request of ['GET /data-lake/key?versionId=v1', 'HEAD /data-lake/key?partNumber=2'])
      expect(seeing(request)).toEqual(['s3:ListBucket arn:aws:s3:::data-lake']);
  });
});

describe('headers of an answer that need a permission of their own', () => {
  const guarded = (request: string): Record<string, string> =>
    Object.fromEntries(
      routed({ request }).guardedHeaders.map(([header, permission]) => [
        header,
        namesOf([permission])[0] ?? '',
      ]),
    );
  const on = 'arn:aws:s3:::data-lake/key';
  const retention = `s3:GetObjectRetention ${on}`;
  const expected = {
    'x-amz-object-lock-event-hold': retention,
    'x-amz-object-lock-event-hold-duration-days': retention,
    'x-amz-object-lock-event-hold-duration-years': retention,
    'x-amz-object-lock-legal-hold': `s3:GetObjectLegalHold ${on}`,
    'x-amz-object-lock-mode': retention,
    'x-amz-object-lock-retain-until-date': retention,
    'x-amz-tagging-count': `s3:GetObjectTagging ${on}`,
  };

  it.each(['GET', 'HEAD'])('are those of tags, retention and holds for %s', (method) => {
    expect(guarded(`${method} /data-lake/key`)).toEqual(expected);
    expect(guarded(`${method} /data-lake/key?versionId=v1`)).toEqual({
      ...expected,
      'x-amz-tagging-count': `s3:GetObjectVersionTagging ${on}`,
    });
  });

  it('exist for what some store sends with the object, and for nothing else', () => {
    const guarding = operationVectors.filter(({ routes: [first] }) => {
      if (first === undefined || first.refusal !== undefined) return false;
      return routed(first).guardedHeaders.length > 0;
    });
    expect(guarding.map(({ name }) => name).sort()).toEqual([
      'GetObject',
      'GetObjectAttributes',
      'GetObjectTorrent',
      'HeadObject',
    ]);
  });
});

describe('the object of a permission', () => {
  it('is named by every permission on an object, and by no other', () => {
    for (const { name, authorizations } of operationVectors) {
      for (const vector of authorizations) {
        if (vector.refusal !== undefined) continue;
        const { permissions, batch } = routed(vector);
        for (const { resource, object } of [
          ...permissions,
          ...(batch?.items.flatMap((item) => item.permissions) ?? []),
        ]) {
          const named = object === undefined ? undefined : `arn:aws:s3:::${object.bucket}/${object.key}`;
          expect(named, name).toBe(/:::[^/]+\//.test(resource) ? resource : undefined);
        }
      }
    }
  });

  it('carries the version of the request, and of the source for a source', () => {
    const [own] = routed({ request: 'GET /data-lake/key?versionId=v1' }).permissions;
    expect(own?.object?.versionId).toBe('v1');
    const [target, source] = routed({
      request: 'PUT /data-lake/key',
      headers: { 'x-amz-copy-source': '/sources/a?versionId=v9' },
    }).permissions;
    expect([target?.object?.versionId, source?.object?.versionId]).toEqual([undefined, 'v9']);
  });
});
