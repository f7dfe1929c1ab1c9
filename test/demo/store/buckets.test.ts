import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreFixture, startFixture } from './store-fixture.ts';

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.store.close());

describe('buckets', () => {
  it('creates, describes, lists and deletes a bucket', async () => {
    const s3 = fixture.sdk();
    await s3.send(new CreateBucketCommand({ Bucket: 'second' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'first' }));
    const listed = await s3.send(new ListBucketsCommand({}));
    expect(listed.Buckets?.map(({ Name }) => Name)).toEqual(['first', 'second']);
    expect((await s3.send(new HeadBucketCommand({ Bucket: 'first' }))).BucketRegion).toBe('us-east-1');
    const location = await s3.send(new GetBucketLocationCommand({ Bucket: 'first' }));
    expect(location.LocationConstraint ?? '').toBe('');
    await s3.send(new DeleteBucketCommand({ Bucket: 'second' }));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'second' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('rejects a bucket that exists', async () => {
    const s3 = fixture.sdk();
    await s3.send(new CreateBucketCommand({ Bucket: 'taken' }));
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'taken' }))).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('rejects deleting a bucket that holds an object, and keeps both', async () => {
    const s3 = fixture.sdk();
    await s3.send(new CreateBucketCommand({ Bucket: 'full-bucket' }));
    await s3.send(new PutObjectCommand({ Bucket: 'full-bucket', Key: 'a', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'full-bucket' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
    expect((await fixture.send({ target: '/full-bucket/a' })).body).toBe('x');
  });

  const badNames = ['ab', 'Upper', 'under_score', '-dash', 'dot..dot', '192.168.1.1', `a${'b'.repeat(63)}`];
  it.each([...badNames, 'a%2Fb', '%2F', ''])('rejects the bucket name "%s"', async (name) => {
    const answer = await fixture.send({ method: 'PUT', target: `//${name}`.slice(name === '' ? 0 : 1) });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidBucketName']);
  });

  it.each(['/bad%', '/bucket/bad%zz', '/bucket/%ff', '/bucket/nul%00'])(
    'rejects the path %s',
    async (target) => {
      const answer = await fixture.send({ target });
      expect(answer.status).not.toBe(200);
      expect(['InvalidURI', 'SignatureDoesNotMatch']).toContain(answer.code);
    },
  );

  it('rejects a location other than its own, and a body that is not the document', async () => {
    const body = (location: string): string =>
      `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`;
    const elsewhere = await fixture.send({ method: 'PUT', target: '/elsewhere', body: body('eu-west-1') });
    expect(elsewhere.code).toBe('IllegalLocationConstraintException');
    const malformed = await fixture.send({ method: 'PUT', target: '/elsewhere', body: '<Other/>' });
    expect(malformed.code).toBe('MalformedXML');
    expect((await fixture.send({ target: '/elsewhere' })).code).toBe('NoSuchBucket');
    expect(
      (await fixture.send({ method: 'PUT', target: '/elsewhere', body: body('us-east-1') })).status,
    ).toBe(200);
  });

  it.each([
    ['GET', '/first?acl'],
    ['PUT', '/first?versioning'],
    ['GET', '/first?location&acl'],
    ['GET', '/first?prefix=a&unknown=b'],
    ['POST', '/first'],
    ['PATCH', '/first'],
    ['GET', '/?Action=ListUsers'],
    ['POST', '/'],
    ['PUT', '/first/key?versionId=null'],
    ['GET', '/first/key?partNumber=1'],
    ['PUT', '/first?tagging'],
    ['PUT', '/first/key?uploadId=a'],
    ['POST', '/first/key?restore'],
  ])('rejects %s %s as not implemented', async (method, target) => {
    const answer = await fixture.send({ method, target });
    expect([answer.status, answer.code]).toEqual([501, 'NotImplemented']);
  });

  it('rejects a repeated query parameter', async () => {
    const answer = await fixture.send({ target: '/first?prefix=a&prefix=b' });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument']);
  });

  it('accepts any x-id', async () => {
    expect((await fixture.send({ target: '/first?x-id=HeadBucket' })).status).toBe(200);
  });
});
