import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { recordsIn } from '../support/audit.ts';
import { auditedDirectory, own, recordOf as recordAt, startAudited } from '../support/audited-world.ts';
import { postForm } from '../support/post-form.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, alice, roleArn, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { exchange } from '../support/wire.ts';

const clock = new TestClock();
let sidecar: TestSidecar;
let session: Required<SdkCredentials>;
let s3: S3Client;

beforeAll(async () => {
  sidecar = await startAudited(clock);
  session = await assume(sidecar.url, alice, 'teams/data', {}, clock);
  s3 = s3Client(sidecar.url, session, { clock });
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => sidecar.stop());

const recordOf = (act: () => Promise<unknown>): Promise<AuditRecord> => recordAt(sidecar, act);
const object = (key: string): object => ({ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::data/${key}` });
const bucketResource = { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::data' };
const anonymous = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };

describe('the record of an S3 request', () => {
  it('says which session wrote which object, and what the sidecar decided', async () => {
    const record = await recordOf(() =>
      s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a b/ü', Body: 'four', StorageClass: 'STANDARD' })),
    );
    const roleData = roleArn('teams/data');
    expect(record).toMatchObject({
      eventVersion: '1.11',
      userIdentity: {
        type: 'AssumedRole',
        principalId: expect.stringMatching(/^AROA\w+:test$/),
        arn: `arn:aws:sts::${account}:assumed-role/data/test`,
        accountId: account,
        accessKeyId: session.accessKeyId,
        sessionContext: {
          sessionIssuer: { type: 'Role', arn: roleData, accountId: account, userName: 'data' },
          attributes: { mfaAuthenticated: 'false' },
        },
      },
      eventSource: 's3.amazonaws.com',
      eventName: 'PutObject',
      eventCategory: 'Data',
      managementEvent: false,
      readOnly: false,
      awsRegion: 'us-east-1',
      sourceIPAddress: '127.0.0.1',
      requestParameters: { bucketName: 'data', key: 'a b/ü', 'x-amz-storage-class': 'STANDARD' },
      responseElements: null,
      resources: [object('a b/ü'), bucketResource],
      additionalEventData: {
        SignatureVersion: 'SigV4',
        AuthenticationMethod: 'AuthHeader',
        bytesTransferredIn: 4,
        stsSidecar: {
          decision: 'allow',
          policyType: 'identity',
          matchedPolicy: 'Data',
          matchedSid: 'All',
          enforced: true,
          policyRevision: expect.stringMatching(/^[0-9a-f]{16}$/),
          httpStatus: 200,
        },
      },
    });
    expect(record).not.toHaveProperty('errorCode');
    expect(Math.abs(Date.parse(record.eventTime) - clock.now())).toBeLessThan(60_000);
  });

  it('has the id of the answer, and one of its own', async () => {
    let requestId: string | undefined;
    const record = await recordOf(async () => {
      const { $metadata } = await s3.send(new HeadObjectCommand({ Bucket: 'data', Key: 'a b/ü' }));
      requestId = $metadata.requestId;
    });
    expect(record).toMatchObject({ requestID: requestId, eventName: 'HeadObject', readOnly: true });
    const ids = recordsIn(sidecar.logged).map(({ eventID }) => eventID);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says why a request was denied', async () => {
    const record = await recordOf(() =>
      outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/x', VersionId: 'v-1' }))),
    );
    expect(record).toMatchObject({
      eventName: 'GetObject',
      errorCode: 'AccessDenied',
      errorMessage: `User: arn:aws:sts::${account}:assumed-role/data/test is not authorized to perform: s3:GetObjectVersion on resource: "arn:aws:s3:::data/secret/x" with an explicit deny in an identity-based policy`,
      requestParameters: { key: 'secret/x', versionId: 'v-1' },
      resources: [object('secret/x'), bucketResource],
    });
    expect(own(record)).toMatchObject({ decision: 'deny', matchedSid: 'NoSecrets', httpStatus: 403 });
  });

  it('names the source of a copy', async () => {
    const record = await recordOf(() =>
      s3.send(new CopyObjectCommand({ Bucket: 'data', Key: 'copy', CopySource: 'data/a%20b/%C3%BC' })),
    );
    expect(record.resources).toEqual([object('copy'), bucketResource, object('a b/ü')]);
    expect(record.requestParameters).toMatchObject({ 'x-amz-copy-source': '/data/a%20b/%C3%BC' });
  });

  it('names every object of a deletion, and those that were denied', async () => {
    const Objects = [{ Key: 'copy' }, { Key: 'secret/a' }, { Key: 'b' }];
    const record = await recordOf(() =>
      s3.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } })),
    );
    expect(record).toMatchObject({
      eventName: 'DeleteObjects',
      eventCategory: 'Data',
      resources: [{ type: 'AWS::S3::Object', ARNPrefix: 'arn:aws:s3:::data/' }, bucketResource],
    });
    expect(own(record).batch).toEqual({
      items: 3,
      denied: 1,
      objects: [{ key: 'copy' }, { key: 'secret/a', denied: true }, { key: 'b' }],
    });
  });

  it('calls both kinds of lists ListObjects, and names their prefix', async () => {
    const record = await recordOf(() =>
      s3.send(new ListObjectsV2Command({ Bucket: 'data', Prefix: 'a b/' })),
    );
    expect(record).toMatchObject({
      eventName: 'ListObjects',
      eventCategory: 'Data',
      readOnly: true,
      requestParameters: { 'list-type': '2', prefix: 'a b/', bucketName: 'data' },
      resources: [{ type: 'AWS::S3::Object', ARNPrefix: 'arn:aws:s3:::data/a b/' }, bucketResource],
    });
  });

  it('is a management event when it is about buckets', async () => {
    const record = await recordOf(() => s3.send(new ListBucketsCommand({})));
    expect(record).toMatchObject({
      eventName: 'ListBuckets',
      eventCategory: 'Management',
      managementEvent: true,
      resources: [],
    });
  });

  it('says of a form which object it stored', async () => {
    const record = await recordOf(() =>
      postForm(sidecar.url, session, { key: 'posted', nowMs: clock.now() }),
    );
    expect(record).toMatchObject({
      eventName: 'PostObject',
      eventCategory: 'Data',
      readOnly: false,
      resources: [object('posted'), bucketResource],
      additionalEventData: { AuthenticationMethod: 'HtmlForm' },
    });
  });

  it('says of a preflight what it asks about', async () => {
    const record = await recordOf(() =>
      fetch(`${sidecar.url}/data/k`, {
        method: 'OPTIONS',
        headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
      }),
    );
    expect(record).toMatchObject({ eventName: 'PreflightRequest', userIdentity: anonymous });
  });
});

describe('the record of a request whose caller is not known', () => {
  it('is of nobody when there are no credentials, and says what was asked for', async () => {
    const record = await recordOf(() => fetch(`${sidecar.url}/data/k?versionId=v1`));
    expect(record).toMatchObject({
      userIdentity: anonymous,
      eventName: 'GetObject',
      errorCode: 'AccessDenied',
      requestParameters: { bucketName: 'data', key: 'k', versionId: 'v1' },
      resources: [object('k'), bucketResource],
    });
    expect(own(record).cause).toBe('no_credentials');
  });

  it.each([
    [
      'a bad signature',
      { ...alice, secretAccessKey: 'another-secret' },
      'SignatureDoesNotMatch',
      'signature_mismatch',
    ],
    [
      'an unknown key',
      { ...alice, accessKeyId: 'AKIAUNKNOWNUNKNOWN01' },
      'InvalidAccessKeyId',
      'unknown_access_key',
    ],
  ])('does not believe %s', async (_, credentials, errorCode, cause) => {
    const client = s3Client(sidecar.url, credentials, { clock });
    const record = await recordOf(() =>
      outcome(client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))),
    );
    expect(record).toMatchObject({ errorCode, resources: [object('k'), bucketResource] });
    expect(record.userIdentity).toEqual({
      type: 'Unknown',
      principalId: '',
      accessKeyId: credentials.accessKeyId,
    });
    expect(own(record).cause).toBe(cause);
  });

  it('has no event name for what is no operation', async () => {
    const record = await recordOf(() => fetch(`${sidecar.url}/data/k?nonsense=1`));
    expect(record).toMatchObject({ eventName: 'Unknown', userIdentity: anonymous, requestParameters: {} });
  });

  it('is written for what is no HTTP at all', async () => {
    const record = await recordOf(() => exchange(sidecar.url, 'NONSENSE\r\n\r\n'));
    expect(record).toMatchObject({ eventName: 'Unknown', resources: [], requestParameters: null });
  });
});

describe('the revision of the policies', () => {
  it('changes with them, and only with them', async () => {
    const revision = async (): Promise<string> =>
      own(await recordOf(() => s3.send(new ListBucketsCommand({})))).policyRevision;
    const first = await revision();
    sidecar.reload({ server: '  trustedProxies: [10.0.0.0/8]' });
    expect(await revision()).toBe(first);
    sidecar.reload({ directory: auditedDirectory.replace('Sid: All', 'Sid: Everything') });
    expect(await revision()).not.toBe(first);
  });
});

// Last, because it moves the clock on which the other clients sign.
describe('the record of an expired session', () => {
  it('says that a token has expired', async () => {
    const short = await assume(sidecar.url, alice, 'teams/data', { DurationSeconds: 900 }, clock);
    clock.advance(901_000);
    const client = s3Client(sidecar.url, short, { clock });
    const record = await recordOf(() =>
      outcome(client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))),
    );
    expect(record).toMatchObject({ errorCode: 'ExpiredToken', userIdentity: { type: 'Unknown' } });
    expect(own(record)).toMatchObject({ cause: 'expired_token', authenticationFailure: 'expired_token' });
  });
});
