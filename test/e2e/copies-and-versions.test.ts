import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const role = (name: string, ...statements: string[]): string => `
    - name: ${name}
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statements.join(', ')}] } }`;
const allow = (actions: string, resource: string, further = ''): string =>
  `{ Effect: Allow, Action: [${actions}], Resource: "arn:aws:s3:::${resource}"${further} }`;
const readAndWrite = allow('"s3:GetObject", "s3:PutObject"', 'data/*');
const tagging = '"s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectTagging"';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:${role('copier', readAndWrite, '{ Effect: Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/secret/*" }')}${role(
    'tagger',
    readAndWrite,
    allow(tagging, 'data/*'),
    '{ Effect: Deny, Action: "s3:PutObjectTagging", Resource: "*", Condition: { StringEquals: { "s3:RequestObjectTag/level": "top" } } }',
  )}${role('reader-of-tags', readAndWrite, allow('"s3:GetObjectTagging"', 'data/*'))}${role('writer-of-tags', readAndWrite, allow('"s3:PutObjectTagging"', 'data/*'))}${role('mover', readAndWrite, allow(tagging, 'data/*'))}${role('picky', readAndWrite.replace('"s3:PutObject"', '"s3:DeleteObject"'), allow('"s3:PutObject"', 'data/*', ', Condition: { StringLike: { "s3:x-amz-copy-source": "data/public/*" } }'))}${role(
    'lister',
    allow('"s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:ListBucketMultipartUploads"', 'data'),
    allow('"s3:ListMultipartUploadParts", "s3:GetObjectVersion"', 'data/*'),
  )}${role('curious', readAndWrite, allow('"s3:GetObjectAttributes"', 'data/*'), allow('"s3:ListBucket"', 'data'))}${role('conditional', readAndWrite, '{ Effect: Deny, Action: "s3:GetObject", Resource: "*", Condition: { StringEquals: { "s3:ExistingObjectTag/class": "secret" } } }')}
`;

let sidecar: TestSidecar;
let store: S3Client;
const clients = new Map<string, S3Client>();
const as = (name: string): S3Client => clients.get(name) ?? store;

beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  for (const [Key, Body, Tagging] of [
    ['public/a b+c%', 'shared', undefined],
    ['public/tagged', 'shared', 'team=blue&text=a%26b%3D%C3%A9%2B'],
    ['public/top', 'shared', 'level=top'],
    ['secret/plan', 'hidden', 'team=blue&class=secret'],
  ] as const) {
    await store.send(new PutObjectCommand({ Bucket: 'data', Key, Body, Tagging }));
  }
  for (const name of [
    'copier',
    'tagger',
    'reader-of-tags',
    'writer-of-tags',
    'mover',
    'picky',
    'lister',
    'curious',
    'conditional',
  ]) {
    clients.set(name, s3Client(sidecar.url, await assume(sidecar.url, alice, name)));
  }
});
afterAll(() => sidecar.stop());

const source = `/data/${encodeURIComponent('public/a b+c%')}`;
const copy = (name: string, Key: string, CopySource: string, further: object = {}): Promise<string> =>
  outcome(as(name).send(new CopyObjectCommand({ Bucket: 'data', Key, CopySource, ...further })));
const stored = async (Key: string): Promise<string | undefined> => {
  const result = store.send(new GetObjectCommand({ Bucket: 'data', Key }));
  return result.then(
    ({ Body }) => Body?.transformToString(),
    () => undefined,
  );
};
const tagsOf = async (Key: string): Promise<unknown> =>
  (await store.send(new GetObjectTaggingCommand({ Bucket: 'data', Key }))).TagSet;

describe('a copy', () => {
  it('arrives with its bytes when both sides are allowed', async () => {
    expect(await copy('copier', 'copied', source)).toBe('allowed');
    expect(await stored('copied')).toBe('shared');
    expect(await copy('copier', 'copied-too', source.slice(1))).toBe('allowed');
  });

  it.each([
    ['a source the caller may not read', '/data/secret/plan'],
    ['such a source, encoded', 'data%2Fsecret%2Fplan'],
    ['such a source by its version', '/data/secret/plan?versionId=null'],
    ['a version of a source it may read', `${source}?versionId=null`],
    ['a source in another bucket', '/other/public/a'],
    ['a source that is missing, which it may not list', '/data/public/missing'],
  ])('is refused with %s, and nothing is written', async (_, CopySource) => {
    expect(await copy('copier', 'refused', CopySource)).toBe('AccessDenied 403');
    expect(await stored('refused')).toBeUndefined();
  });

  it('is refused where the caller may not write', async () => {
    expect(await copy('lister', 'refused', source)).toBe('AccessDenied 403');
    expect(await stored('refused')).toBeUndefined();
  });

  it('shows that the source is missing to a caller that may list', async () => {
    expect(await copy('curious', 'refused', '/data/public/missing')).toBe('NoSuchKey 404');
  });

  it('obeys conditions on its source, however it is written', async () => {
    expect(await copy('picky', 'picked', encodeURIComponent('/data/public/a b+c%'))).toBe('allowed');
    expect(await copy('picky', 'unpicked', '/data/secret/plan')).toBe('AccessDenied 403');
  });

  it('obeys conditions on the tags of its source, which are looked up', async () => {
    expect(await copy('conditional', 'from-blue', source)).toBe('allowed');
    expect(await copy('conditional', 'refused', '/data/secret/plan')).toBe('AccessDenied 403');
    expect(await stored('refused')).toBeUndefined();
  });

  it('obeys the conditions it sends for its source', async () => {
    expect(await copy('copier', 'refused', source, { CopySourceIfMatch: '"other"' })).toBe(
      'PreconditionFailed 412',
    );
  });

  it.each([['leaves them open', {}] as const, ['demands them', { TaggingDirective: 'COPY' }] as const])(
    'needs permissions for tags only where its source has any, when it %s',
    async (_, directive) => {
      expect(await copy('copier', 'untagged', source, directive)).toBe('allowed');
      expect(await tagsOf('untagged')).toEqual([]);
      expect(await copy('copier', 'refused', '/data/public/tagged', directive)).toBe('AccessDenied 403');
      expect(await copy('reader-of-tags', 'refused', '/data/public/tagged', directive)).toBe(
        'AccessDenied 403',
      );
      expect(await copy('writer-of-tags', 'refused', '/data/public/tagged', directive)).toBe(
        'AccessDenied 403',
      );
      expect(await stored('refused')).toBeUndefined();
      expect(await copy('mover', 'tagged', '/data/public/tagged', directive)).toBe('allowed');
      expect(await tagsOf('tagged')).toEqual(await tagsOf('public/tagged'));
    },
  );

  it('obeys conditions on the tags that it would set', async () => {
    expect(await copy('tagger', 'blue', '/data/public/tagged')).toBe('allowed');
    expect(await tagsOf('blue')).toEqual([
      { Key: 'team', Value: 'blue' },
      { Key: 'text', Value: 'a&b=é+' },
    ]);
    expect(await copy('tagger', 'refused', '/data/public/top')).toBe('AccessDenied 403');
    expect(await stored('refused')).toBeUndefined();
    expect(await copy('mover', 'top', '/data/public/top')).toBe('allowed');
  });

  it('sets tags only for a caller that may', async () => {
    const replace = { Tagging: 'a=b', TaggingDirective: 'REPLACE' };
    expect(await copy('copier', 'refused', source, replace)).toBe('AccessDenied 403');
    expect(await copy('mover', 'replaced', source, replace)).toBe('allowed');
    expect(await tagsOf('replaced')).toEqual([{ Key: 'a', Value: 'b' }]);
  });
});

describe('an upload made of parts of other objects', () => {
  it('is put together, listed, and refused for sources that may not be read', async () => {
    const target = { Bucket: 'data', Key: 'parts' };
    const { UploadId } = await as('copier').send(new CreateMultipartUploadCommand(target));
    const part = { ...target, UploadId, PartNumber: 1 };
    const copyPart = (CopySource: string) =>
      as('copier').send(new UploadPartCopyCommand({ ...part, CopySource, CopySourceRange: 'bytes=1-3' }));
    expect(await outcome(copyPart('/data/secret/plan'))).toBe('AccessDenied 403');
    const listParts = () => as('lister').send(new ListPartsCommand({ ...target, UploadId }));
    expect((await listParts()).Parts).toBeUndefined();
    const { CopyPartResult } = await copyPart(source);
    expect((await listParts()).Parts?.map(({ Size }) => Size)).toEqual([3]);
    const listUploads = (name: string) => as(name).send(new ListMultipartUploadsCommand({ Bucket: 'data' }));
    expect((await listUploads('lister')).Uploads?.map(({ Key }) => Key)).toEqual(['parts']);
    expect(await outcome(listUploads('copier'))).toBe('AccessDenied 403');
    expect(await outcome(as('copier').send(new ListPartsCommand({ ...target, UploadId })))).toBe(
      'AccessDenied 403',
    );
    const { ETag } = CopyPartResult ?? {};
    await as('copier').send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );
    expect(await stored('parts')).toBe('har');
  });

  it('still takes plain parts, and names a missing upload', async () => {
    const part = { Bucket: 'data', Key: 'x', UploadId: 'none', PartNumber: 1 };
    expect(await outcome(as('copier').send(new UploadPartCommand({ ...part, Body: 'x' })))).toBe(
      'NoSuchUpload 404',
    );
    const copied = new UploadPartCopyCommand({ ...part, CopySource: source });
    expect(await outcome(as('copier').send(copied))).toBe('NoSuchUpload 404');
  });
});

describe('tags', () => {
  const object = { Bucket: 'data', Key: 'labelled' };
  const put = (name: string, TagSet: { Key: string; Value: string }[]): Promise<string> =>
    outcome(as(name).send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet } })));

  it('are set, read and removed', async () => {
    await store.send(new PutObjectCommand({ ...object, Body: 'x' }));
    const tags = [{ Key: 'étage @1', Value: 'a+b=c/д' }];
    expect(await put('mover', tags)).toBe('allowed');
    expect((await as('mover').send(new GetObjectTaggingCommand(object))).TagSet).toEqual(tags);
    expect((await as('mover').send(new HeadObjectCommand(object))).TagCount).toBe(1);
    expect((await as('copier').send(new HeadObjectCommand(object))).TagCount).toBeUndefined();
    await as('mover').send(new DeleteObjectTaggingCommand(object));
    expect(await tagsOf('labelled')).toEqual([]);
  });

  it('are refused without permission, with forbidden values, and when they are invalid', async () => {
    const before = await tagsOf('labelled');
    expect(await put('copier', [{ Key: 'a', Value: 'b' }])).toBe('AccessDenied 403');
    expect(await put('tagger', [{ Key: 'level', Value: 'top' }])).toBe('AccessDenied 403');
    expect(await put('tagger', [{ Key: 'Level', Value: 'top' }])).toBe('AccessDenied 403');
    expect(
      await put('mover', [
        { Key: 'a', Value: 'b' },
        { Key: 'a', Value: 'c' },
      ]),
    ).toBe('InvalidTag 400');
    expect(await put('mover', [{ Key: 'a', Value: '<c>' }])).toBe('InvalidTag 400');
    expect(await outcome(as('copier').send(new GetObjectTaggingCommand(object)))).toBe('AccessDenied 403');
    expect(await tagsOf('labelled')).toEqual(before);
    expect(await put('tagger', [{ Key: 'level', Value: 'low' }])).toBe('allowed');
  });
});

describe('versions', () => {
  const object = { Bucket: 'data', Key: 'secret/plan' };

  it('are listed and read with permissions of their own', async () => {
    const list = (name: string) =>
      as(name).send(new ListObjectVersionsCommand({ Bucket: 'data', Prefix: 'secret/' }));
    expect((await list('lister')).Versions?.map(({ VersionId }) => VersionId)).toEqual(['null']);
    expect(await outcome(list('copier'))).toBe('AccessDenied 403');
    const get = (name: string, VersionId?: string) =>
      outcome(as(name).send(new GetObjectCommand({ ...object, VersionId })));
    expect(await get('lister', 'null')).toBe('allowed');
    expect(await get('lister')).toBe('AccessDenied 403');
    expect(await get('mover', 'null')).toBe('AccessDenied 403');
  });

  it('of a bucket are shown, and switched on only by a caller that may', async () => {
    const show = (name: string) => outcome(as(name).send(new GetBucketVersioningCommand({ Bucket: 'data' })));
    expect([await show('lister'), await show('copier')]).toEqual(['allowed', 'AccessDenied 403']);
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    const change = new PutBucketVersioningCommand({ Bucket: 'data', VersioningConfiguration });
    expect(await outcome(as('lister').send(change))).toBe('AccessDenied 403');
  });
});

describe('attributes', () => {
  const ask = (name: string, Key = 'public/a b+c%') =>
    as(name).send(
      new GetObjectAttributesCommand({ Bucket: 'data', Key, ObjectAttributes: ['ETag', 'ObjectSize'] }),
    );

  it('need both to read the object and to read its attributes', async () => {
    expect((await ask('curious')).ObjectSize).toBe(6);
    expect(await outcome(ask('copier'))).toBe('AccessDenied 403');
    expect(await outcome(ask('copier', 'missing'))).toBe('AccessDenied 403');
    expect(await outcome(ask('curious', 'missing'))).toBe('NoSuchKey 404');
  });
});
