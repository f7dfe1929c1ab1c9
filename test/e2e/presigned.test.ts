import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { presignWithSmithy, type TestCredentials } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
let clock: TestClock;
let session: Required<TestCredentials>;

beforeAll(async () => {
  clock = new TestClock();
  sidecar = await startSidecar({ clock });
  const atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await atStore.send(new CreateBucketCommand({ Bucket: 'data' }));
  session = await assume(sidecar.url, alice, 'data', { DurationSeconds: 900 });
});
afterAll(() => sidecar.stop());

async function send(
  method: string,
  path: string,
  options: {
    expiresIn?: number;
    headers?: Record<string, string>;
    body?: string;
    query?: Record<string, string>;
  } = {},
): Promise<string> {
  const { expiresIn = 900, headers = {}, body = '', query = {} } = options;
  const { host } = new URL(sidecar.url);
  const wire = await presignWithSmithy({ method, path, query, headers: { host, ...headers } }, session, {
    nowMs: clock.now(),
    expiresIn,
  });
  const length: [string, string][] = body === '' ? [] : [['content-length', String(body.length)]];
  return exchange(sidecar.url, toBytes({ ...wire, headers: [...wire.headers, ...length] }, body));
}

describe('a URL presigned with session credentials', () => {
  it('puts and gets an object', async () => {
    expect(summary(await send('PUT', '/data/a%20key', { body: 'hello' }))).toBe('200');
    const answer = await send('GET', '/data/a%20key', { query: { 'response-content-type': 'text/x-test' } });
    expect(answer).toMatch(/\r\n\r\nhello$/);
    expect(answer).toMatch(/content-type: text\/x-test/i);
  });

  it('carries its hoisted headers to the store', async () => {
    await send('PUT', '/data/noted', { body: 'x', headers: { 'x-amz-meta-note': 'kept' } });
    const atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    const { Metadata } = await atStore.send(new GetObjectCommand({ Bucket: 'data', Key: 'noted' }));
    expect(Metadata).toEqual({ note: 'kept' });
    const { target } = sidecar.seen.at(-2) ?? { target: '' };
    expect(target).toBe('/data/noted');
  });

  it('loses none of them to an unsigned Connection header', async () => {
    const { host } = new URL(sidecar.url);
    const signed = { 'x-amz-meta-note': 'kept', 'if-none-match': '*' };
    for (const name of Object.keys(signed)) {
      const wire = await presignWithSmithy(
        { method: 'PUT', path: '/data/written-once', query: {}, headers: { host, ...signed } },
        session,
        { nowMs: clock.now() },
      );
      const headers = [...wire.headers, ['content-length', '1'] as const, ['connection', name] as const];
      const answer = await exchange(sidecar.url, toBytes({ ...wire, headers }, 'x'));
      expect(summary(answer)).toBe('400 InvalidArgument');
    }
  });

  it('may do what the session may do, and nothing else', async () => {
    expect(summary(await send('GET', '/data/secret/plan'))).toBe('403 AccessDenied');
    expect(summary(await send('PUT', '/other/key', { body: 'x' }))).toBe('403 AccessDenied');
  });

  it('cannot be used for an upload without a length', async () => {
    const { host } = new URL(sidecar.url);
    const wire = await presignWithSmithy(
      { method: 'PUT', path: '/data/key', query: {}, headers: { host } },
      session,
      { nowMs: clock.now() },
    );
    const headers = [...wire.headers, ['transfer-encoding', 'chunked'] as const];
    const answer = await exchange(sidecar.url, toBytes({ ...wire, headers }, '1\r\nx\r\n0\r\n\r\n'));
    expect(summary(answer)).toBe('411 MissingContentLength');
  });

  it('writes nothing of itself to the log', async () => {
    await send('GET', '/data/noted');
    const logged = sidecar.logged.join('\n');
    expect(logged).toContain('/noted'.slice(1));
    expect(logged).not.toContain(session.sessionToken);
    expect(logged).not.toMatch(/X-Amz-Signature/i);
  });

  it('expires at its own time, or earlier with its session', async () => {
    const { host } = new URL(sidecar.url);
    const presignFor = (expiresIn: number) =>
      presignWithSmithy({ method: 'GET', path: '/data/noted', query: {}, headers: { host } }, session, {
        nowMs: clock.now(),
        expiresIn,
      });
    const short = toBytes(await presignFor(60));
    const long = toBytes(await presignFor(86_400));
    expect(summary(await exchange(sidecar.url, short))).toBe('200');
    clock.advance(61_000);
    const expired = await exchange(sidecar.url, short);
    expect(summary(expired)).toBe('403 AccessDenied');
    expect(expired).toContain('<Message>Request has expired</Message>');
    expect(expired).toContain('<X-Amz-Expires>60</X-Amz-Expires>');
    expect(summary(await exchange(sidecar.url, long))).toBe('200');
    clock.advance(900_000);
    expect(summary(await exchange(sidecar.url, long))).toBe('400 ExpiredToken');
    session = await assume(sidecar.url, alice, 'data', {}, clock);
  });
});

describe('a presigned STS request', () => {
  const get = async (action: string, expiresIn: number, advanceMs = 0): Promise<string> => {
    const { host } = new URL(sidecar.url);
    const wire = await presignWithSmithy(
      { method: 'GET', path: '/', query: { Action: action, Version: '2011-06-15' }, headers: { host } },
      session,
      { service: 'sts', nowMs: clock.now() - advanceMs, expiresIn },
    );
    return exchange(sidecar.url, toBytes(wire));
  };

  it('says who the caller is', async () => {
    expect(await get('GetCallerIdentity', 60)).toContain(':assumed-role/data/');
  });

  it('lasts 15 minutes, whatever expiry it names', async () => {
    expect(summary(await get('GetCallerIdentity', 60, 61_000))).toBe('200');
    expect(summary(await get('GetCallerIdentity', 60, 901_000))).toBe('403 SignatureDoesNotMatch');
    expect(summary(await get('GetCallerIdentity', 604_800, 901_000))).toBe('403 SignatureDoesNotMatch');
  });

  it('that was changed is refused', async () => {
    const { host } = new URL(sidecar.url);
    const wire = await presignWithSmithy(
      {
        method: 'GET',
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host },
      },
      session,
      { service: 'sts', nowMs: clock.now() },
    );
    const changed = { ...wire, target: `${wire.target}&Extra=1` };
    expect(summary(await exchange(sidecar.url, toBytes(changed)))).toBe('403 SignatureDoesNotMatch');
  });
});
