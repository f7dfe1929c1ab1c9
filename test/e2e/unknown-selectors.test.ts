import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DeleteBucketEncryptionCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  ListBucketMetricsConfigurationsCommand,
  PutBucketAccelerateConfigurationCommand,
  PutBucketAclCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
`;
const object = { Bucket: 'data', Key: 'k' };
const listing =
  '<?xml version="1.0"?><ListBucketResult><Contents><Key>hidden</Key></Contents></ListBucketResult>';
const configuration = '<ServerSideEncryptionConfiguration></ServerSideEncryptionConfiguration>';
const error = (code: string): string => `<Error><Code>${code}</Code><Message>m</Message></Error>`;

let server: Server;
let sidecar: TestSidecar;
let s3: S3Client;
const seen: string[] = [];
let read: [status: number, body: string] = [200, configuration];

beforeAll(async () => {
  server = createServer((message, response) => {
    seen.push(`${message.method} ${message.url}`);
    const [status, body] = message.method === 'GET' ? read : [200, ''];
    message
      .resume()
      .on('end', () => response.writeHead(status, { 'content-type': 'application/xml' }).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sidecar = await startSidecar({
    directory,
    backend: { endpoint, accessKeyId: 'STORE', secretAccessKey: 'secret-of-store' },
  });
  s3 = s3Client(sidecar.url, alice);
});
afterAll(async () => {
  await sidecar.stop();
  server.close();
});
afterEach(() => void seen.splice(0));

const remove = (): Promise<string> => outcome(s3.send(new DeleteBucketEncryptionCommand({ Bucket: 'data' })));
const change = (): Promise<string> =>
  outcome(
    s3.send(
      new PutBucketAccelerateConfigurationCommand({
        Bucket: 'data',
        AccelerateConfiguration: { Status: 'Enabled' },
      }),
    ),
  );

describe('a store that ignores a selector', () => {
  it('does not answer another question with a list of objects', async () => {
    read = [200, listing];
    const call = s3.send(new GetBucketEncryptionCommand({ Bucket: 'data' }));
    expect(await outcome(call)).toBe('NotImplemented 501');
    const metrics = s3.send(new ListBucketMetricsConfigurationsCommand({ Bucket: 'data' }));
    expect(await outcome(metrics)).toBe('NotImplemented 501');
  });

  it.each([
    ['GetBucketLocation', new GetBucketLocationCommand({ Bucket: 'data' })],
    ['GetBucketVersioning', new GetBucketVersioningCommand({ Bucket: 'data' })],
    ['GetBucketAcl', new GetBucketAclCommand({ Bucket: 'data' })],
    ['GetObjectAcl', new GetObjectAclCommand({ Bucket: 'data', Key: 'k' })],
    ['GetObjectTagging', new GetObjectTaggingCommand({ Bucket: 'data', Key: 'k' })],
    ['GetObjectRetention', new GetObjectRetentionCommand({ Bucket: 'data', Key: 'k' })],
    ['GetObjectLegalHold', new GetObjectLegalHoldCommand({ Bucket: 'data', Key: 'k' })],
  ])('shows neither a list nor an object in its answer to %s', async (_, command) => {
    for (const body of [listing, 'the content of the object', '', '<Retentio/>']) {
      read = [200, body];
      expect(await outcome(s3.send(command as GetObjectAclCommand))).toBe('NotImplemented 501');
    }
  });

  it('keeps the object where a lock would be put into its place', async () => {
    for (const answer of [
      [200, listing],
      [501, error('NotImplemented')],
    ] as const) {
      read = [...answer];
      const hold = new PutObjectLegalHoldCommand({ ...object, LegalHold: { Status: 'ON' } });
      expect(await outcome(s3.send(hold))).toBe('NotImplemented 501');
      const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date('2030-01-01') } as const;
      const retain = new PutObjectRetentionCommand({ ...object, Retention });
      expect(await outcome(s3.send(retain))).toBe('NotImplemented 501');
    }
    expect(seen.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });

  it.each([
    [
      'PutBucketVersioning',
      () =>
        new PutBucketVersioningCommand({ Bucket: 'data', VersioningConfiguration: { Status: 'Enabled' } }),
    ],
    ['PutBucketAcl', () => new PutBucketAclCommand({ Bucket: 'data', ACL: 'private' })],
    ['PutObjectAcl', () => new PutObjectAclCommand({ ...object, ACL: 'private' })],
    ['PutObjectTagging', () => new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })],
    ['DeleteObjectTagging', () => new DeleteObjectTaggingCommand(object)],
  ])('makes, replaces and deletes nothing for %s', async (_, make) => {
    for (const body of [listing, 'the content of the object', '', '<Taggin/>']) {
      read = [200, body];
      expect(await outcome(s3.send(make() as PutBucketAclCommand))).toBe('NotImplemented 501');
    }
    expect(seen.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  it('is not asked to change or delete anything', async () => {
    read = [200, listing];
    expect(await change()).toBe('NotImplemented 501');
    expect(await remove()).toBe('NotImplemented 501');
    expect(seen).toEqual(['GET /data?accelerate=', 'GET /data?encryption=']);
  });

  it.each([
    [501, error('NotImplemented'), 'NotImplemented 501'],
    [405, error('MethodNotAllowed'), 'NotImplemented 501'],
    [404, error('NoSuchBucket'), 'NoSuchBucket 404'],
    [403, error('SignatureDoesNotMatch'), 'ServiceUnavailable 503'],
    [503, error('SlowDown'), 'ServiceUnavailable 503'],
    [500, 'nonsense', 'ServiceUnavailable 503'],
  ])('and answers %i %s is not asked either', async (status, body, expected) => {
    read = [status, body];
    expect(await change()).toBe(expected);
    expect(seen.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });
});

describe('a store that knows a selector', () => {
  it('is sent the request after one lookup', async () => {
    read = [200, configuration];
    expect(await change()).toBe('allowed');
    expect(await remove()).toBe('allowed');
    expect(seen).toEqual([
      'GET /data?accelerate=',
      'PUT /data?accelerate=',
      'GET /data?encryption=',
      'DELETE /data?encryption=',
    ]);
  });

  it('has nothing to delete where there is nothing', async () => {
    read = [404, error('ServerSideEncryptionConfigurationNotFoundError')];
    expect(await remove()).toBe('allowed');
    expect(await change()).toBe('allowed');
    expect(seen).toEqual(['GET /data?encryption=', 'GET /data?accelerate=', 'PUT /data?accelerate=']);
  });

  it('is asked for the tags of the very version before they change', async () => {
    read = [200, '<?xml version="1.0"?><Tagging><TagSet/></Tagging>'];
    const version = { ...object, VersionId: 'v1' };
    expect(await outcome(s3.send(new PutObjectTaggingCommand({ ...version, Tagging: { TagSet: [] } })))).toBe(
      'allowed',
    );
    expect(await outcome(s3.send(new DeleteObjectTaggingCommand(object)))).toBe('allowed');
    expect(seen).toEqual([
      'GET /data/k?tagging=&versionId=v1',
      'PUT /data/k?tagging=&versionId=v1',
      'GET /data/k?tagging=',
      'DELETE /data/k?tagging=',
    ]);
  });

  it('has no tags of an object to delete where there are none', async () => {
    read = [404, error('NoSuchTagSet')];
    expect(await outcome(s3.send(new DeleteObjectTaggingCommand(object)))).toBe('allowed');
    expect(seen).toEqual(['GET /data/k?tagging=']);
    expect(await outcome(s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })))).toBe(
      'allowed',
    );
  });

  // What it would do with the change is then unknown: one that ignores the selector makes the object.
  it.each([
    [404, error('NoSuchKey'), 'NoSuchKey 404'],
    [404, error('NoSuchVersion'), 'NoSuchVersion 404'],
    [404, error('NoSuchBucket'), 'NoSuchBucket 404'],
    [404, '', 'ServiceUnavailable 503'],
    [403, error('AccessDenied'), 'ServiceUnavailable 503'],
    [405, error('MethodNotAllowed'), 'MethodNotAllowed 405'],
    [400, error('InvalidArgument'), 'InvalidArgument 400'],
    [405, '', 'NotImplemented 501'],
    [501, error('NotImplemented'), 'NotImplemented 501'],
    [500, '', 'ServiceUnavailable 503'],
  ])('but answers %i %s changes no tags', async (status, body, expected) => {
    read = [status, body];
    expect(await outcome(s3.send(new DeleteObjectTaggingCommand(object)))).toBe(expected);
    expect(await outcome(s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })))).toBe(
      expected,
    );
    expect(seen.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  it('is asked nothing before a request that every store knows', async () => {
    expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe('allowed');
    expect(seen).toHaveLength(1);
  });
});
