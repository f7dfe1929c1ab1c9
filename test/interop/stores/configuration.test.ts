import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import {
  type ConfigurationCall,
  configurationCalls,
  configured,
  locked,
  objectKey,
  retainedUntil,
} from './configuration-calls.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

/** One store's own answers to calls that it does not have. */
type Answers = Readonly<Record<string, string>>;

const same = (answer: string, ...names: readonly string[]): Answers =>
  Object.fromEntries(names.map((name) => [name, answer]));

/**
 * What is no plain success, by store. `unknown`: the store does not know the selector and would do what the request is
 * without it, so the sidecar answers 501 for it. `nothing`: it says that it did, and did nothing.
 */
const special: ReadonlyMap<string, Answers> = new Map([
  [
    'Ceph RGW 16',
    {
      ...same('unknown', 'PutBucketOwnershipControls', 'GetBucketOwnershipControls'),
      ...same('unknown', 'PutBucketEncryption', 'GetBucketEncryption', 'DeleteBucketEncryption'),
      // It wants a topic.
      ...same('MalformedXML 400', 'PutBucketNotificationConfiguration'),
      ...same('MethodNotAllowed 405', 'GetBucketWebsite'),
      ...same('unknown', 'PutBucketWebsite', 'DeleteBucketWebsite'),
    },
  ],
  [
    'versitygw 1.8',
    same(
      'NotImplemented 501',
      'PutBucketLifecycleConfiguration',
      'GetBucketLifecycleConfiguration',
      'DeleteBucketLifecycle',
      'PutObjectAcl',
      'GetObjectAcl',
      'PutBucketEncryption',
      'GetBucketEncryption',
      'DeleteBucketEncryption',
      'PutPublicAccessBlock',
      'GetPublicAccessBlock',
      'DeletePublicAccessBlock',
      'PutBucketNotificationConfiguration',
      'GetBucketNotificationConfiguration',
      'PutBucketRequestPayment',
      'GetBucketRequestPayment',
    ),
  ],
  [
    'MinIO 2026-02',
    {
      ...same('unknown', 'PutBucketOwnershipControls', 'PutPublicAccessBlock', 'DeletePublicAccessBlock'),
      // It reads them as CreateBucket with an unknown body, which changes nothing in an existing bucket.
      ...same('MalformedXML 400', 'PutBucketWebsite', 'PutBucketRequestPayment'),
      ...same('NotImplemented 501', 'PutBucketCors', 'PutBucketAcl', 'PutObjectAcl'),
      ...same('NotImplemented 501', 'GetBucketOwnershipControls', 'GetPublicAccessBlock'),
      // It would need keys of its own.
      ...same('NotImplemented 501', 'PutBucketEncryption'),
      ...same('ServerSideEncryptionConfigurationNotFoundError 404', 'GetBucketEncryption'),
      ...same('NoSuchCORSConfiguration 404', 'GetBucketCors'),
      ...same('NoSuchWebsiteConfiguration 404', 'GetBucketWebsite'),
      ...same('nothing', 'DeleteBucketEncryption', 'DeleteBucketWebsite', 'DeleteBucketCors'),
    },
  ],
]);

const ownAnswers: ReadonlyMap<string, string> = new Map([
  ['nothing', 'allowed'],
  ['unknown', 'NotImplemented 501'],
]);

/** A result without the parts in which two equal answers differ. */
async function said(call: Promise<unknown>): Promise<string> {
  const ended = await outcome(call);
  if (ended !== 'allowed') return ended;
  const { $metadata: _, ...result } = (await call) as Record<string, unknown>;
  return JSON.stringify(result);
}

describe.each(storeKinds)('what is set for buckets and objects of $name', ({ product, trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let atStore: S3Client;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    await atStore.send(new CreateBucketCommand({ Bucket: configured }));
    await atStore.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }));
    for (const Bucket of [configured, locked])
      await atStore.send(new PutObjectCommand({ Bucket, Key: objectKey, Body: 'x' }));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  /** A client of a session that is limited by these statements. */
  async function limited(...Statement: readonly object[]): Promise<S3Client> {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    return s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin', { Policy }));
  }
  const allow = (Action: string | readonly string[]) => ({ Effect: 'Allow', Action, Resource: '*' });
  const deny = (Action: string) => ({ Effect: 'Deny', Action, Resource: '*' });

  const setting = (wanted: string): ConfigurationCall['call'] => {
    const row = configurationCalls.find(({ name: known }) => known === wanted);
    if (row === undefined) throw new Error(`no row is called ${wanted}`);
    return row.call;
  };

  it('passes bucket policies on to the store, and gives them no effect here', async () => {
    await setting('PutBucketPolicy')(await limited(allow('s3:PutBucketPolicy')));
    await atStore.send(new PutObjectCommand({ Bucket: configured, Key: 'public/page', Body: 'a page' }));
    const anonymous = async (url: string): Promise<string> => {
      const response = await fetch(`${url}/${configured}/public/page`);
      return `${response.status} ${await response.text()}`;
    };
    expect(await anonymous(store.endpoint)).toBe('200 a page');
    expect(await anonymous(sidecar.url)).toMatch(/^403 .*<Code>AccessDenied</s);
    const get = new GetObjectCommand({ Bucket: configured, Key: 'public/page' });
    expect(await outcome((await limited(allow('s3:PutObject'))).send(get))).toBe('AccessDenied 403');
    await setting('DeleteBucketPolicy')(await limited(allow('s3:DeleteBucketPolicy')));
    expect(await anonymous(store.endpoint)).toMatch(/^403 /);
  });

  it.each(configurationCalls)(
    '$name needs $action, and nothing else',
    async ({ name: operation, ...row }) => {
      const { action, call, shows = call } = row;
      const before = await said(shows(atStore));
      const everythingElse = await limited(allow('s3:*'), deny(action));
      expect(await outcome(call(everythingElse))).toBe('AccessDenied 403');
      expect(await said(shows(atStore))).toBe(before);

      const answer = special.get(product)?.[operation] ?? 'allowed';
      const ended = ownAnswers.get(answer) ?? answer;
      const result = await said(call(await limited(allow(action))));
      expect(result.startsWith('{') ? 'allowed' : result).toBe(ended);
      const after = await said(shows(atStore));
      if (row.shows !== undefined) expect(after !== before).toBe(answer === 'allowed');
      else if (operation.startsWith('Get') && !ownAnswers.has(answer))
        expect(result).toBe(await said(call(atStore)));
      if (!ownAnswers.has(answer)) expect(await outcome(call(atStore))).toBe(ended);
    },
  );

  if (special.get(product)?.['PutBucketCors'] === undefined) {
    it('answers preflights by the rules that a role set', async () => {
      const put = setting('PutBucketCors');
      expect(await outcome(put(await limited(allow('s3:*'), deny('s3:PutBucketCORS'))))).toBe(
        'AccessDenied 403',
      );
      await put(await limited(allow('s3:PutBucketCORS')));
      const preflight = async (origin: string, method: string): Promise<readonly unknown[]> => {
        const response = await fetch(`${sidecar.url}/${configured}/${objectKey}`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': method,
            'access-control-request-headers': 'authorization,x-amz-date',
          },
        });
        await response.arrayBuffer();
        return [response.ok, response.headers.get('access-control-allow-origin')];
      };
      expect(await preflight('https://app.example.org', 'PUT')).toEqual([true, 'https://app.example.org']);
      expect(await preflight('https://evil.example.org', 'PUT')).toEqual([false, null]);
      expect(await preflight('https://app.example.org', 'DELETE')).toEqual([false, null]);
    });
  }

  it('lets only callers with the bypass permission past a governance retention', async () => {
    const held = { Bucket: locked, Key: 'held' };
    const { VersionId } = await atStore.send(
      new PutObjectCommand({
        ...held,
        Body: 'x',
        ObjectLockMode: 'GOVERNANCE',
        ObjectLockRetainUntilDate: retainedUntil,
      }),
    );
    const remove = (s3: S3Client, BypassGovernanceRetention?: boolean): Promise<string> =>
      outcome(s3.send(new DeleteObjectCommand({ ...held, VersionId, BypassGovernanceRetention })));
    const exists = (): Promise<string> =>
      outcome(atStore.send(new HeadObjectCommand({ ...held, VersionId })));
    const bypass = 's3:BypassGovernanceRetention';
    expect(await remove(await limited(allow('s3:*'), deny(bypass)), true)).toBe('AccessDenied 403');
    expect(await exists()).toBe('allowed');
    expect(await remove(await limited(allow('s3:*')))).not.toBe('allowed');
    expect(await exists()).toBe('allowed');
    expect(await remove(await limited(allow(['s3:DeleteObjectVersion', bypass])), true)).toBe('allowed');
    expect(await exists()).toBe('NotFound 404');
  });
});
