import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestsInFlight } from '../support/in-flight.ts';
import {
  type FormShape,
  formFile as file,
  formBody,
  formBoundary,
  formType,
  postForm,
  signedFields,
} from '../support/post-form.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { exchange, summary } from '../support/wire.ts';

let sidecar: TestSidecar;
let session: Required<SdkCredentials>;
let atStore: S3Client;

beforeAll(async () => {
  sidecar = await startSidecar();
  session = await assume(sidecar.url, alice, 'data');
  atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await atStore.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => sidecar.stop());

const post = (shape: FormShape = {}): Promise<string> => postForm(sidecar.url, session, shape);

async function stored(Key: string): Promise<string> {
  const reading = atStore.send(new GetObjectCommand({ Bucket: 'data', Key }));
  const failed = await outcome(reading);
  return failed === 'allowed' ? ((await (await reading).Body?.transformToString('latin1')) ?? '') : failed;
}

describe('a form is refused', () => {
  beforeEach(async () => {
    await atStore.send(new PutObjectCommand({ Bucket: 'data', Key: 'posted', Body: 'before' }));
    sidecar.seen.length = 0;
  });

  const without =
    (name: string) =>
    (fields: [string, string][]): [string, string][] =>
      fields.filter(([field]) => field !== name);
  const replaced =
    (name: string, value: string) =>
    (fields: [string, string][]): [string, string][] =>
      fields.map(([field, old]) => [field, field === name ? value : old]);

  const bucket = { bucket: 'data' };
  const key = ['eq', '$key', 'posted'];
  it.each<[string, FormShape, string]>([
    ['without a policy', { change: without('policy') }, '400 InvalidArgument'],
    [
      'without anything that signs it',
      { change: (fields) => fields.filter(([name]) => name === 'key' || name === 'policy') },
      '403 AccessDenied',
    ],
    ['without a signature', { change: without('x-amz-signature') }, '400 InvalidArgument'],
    ['without an algorithm', { change: without('x-amz-algorithm') }, '400 InvalidArgument'],
    ['without a credential', { change: without('x-amz-credential') }, '400 InvalidArgument'],
    ['without a date', { change: without('x-amz-date') }, '400 InvalidArgument'],
    ['without its session token', { change: without('x-amz-security-token') }, '403 InvalidAccessKeyId'],
    ['without a key', { change: without('key') }, '400 InvalidArgument'],
    ['with another session token', { change: replaced('x-amz-security-token', 'x') }, '400 InvalidToken'],
    [
      'with another policy',
      { change: replaced('policy', Buffer.from('{}').toString('base64')) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'with another signature',
      { change: replaced('x-amz-signature', '0'.repeat(64)) },
      '403 SignatureDoesNotMatch',
    ],
    ['with a short signature', { change: replaced('x-amz-signature', '0') }, '400 InvalidArgument'],
    [
      'with another algorithm',
      { change: replaced('x-amz-algorithm', 'AWS4-HMAC-SHA1') },
      '400 InvalidArgument',
    ],
    [
      'with Signature V4A',
      { change: replaced('x-amz-algorithm', 'AWS4-ECDSA-P256-SHA256') },
      '501 NotImplemented',
    ],
    ['with Signature V2', { change: (fields) => [...fields, ['AWSAccessKeyId', 'x']] }, '400 InvalidRequest'],
    ['for another service', { service: 'sts' }, '400 InvalidArgument'],
    [
      'signed by an unknown key',
      { credentials: { accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: 'x' } },
      '403 InvalidAccessKeyId',
    ],
    ['whose policy does not name the bucket', { conditions: [key] }, '403 AccessDenied'],
    [
      'whose key is another one where keys are paths',
      { key: 'user/../posted', conditions: [bucket, ['starts-with', '$key', 'user/']] },
      '403 AccessDenied',
    ],
    [
      'whose key is another one where backslashes are slashes',
      { key: 'user/..\\posted', conditions: [bucket, ['starts-with', '$key', 'user/']] },
      '403 AccessDenied',
    ],
    [
      'with too many types',
      {
        conditions: [bucket, key, ['starts-with', '$Content-Type', '']],
        further: [['Content-Type', Array.from({ length: 17 }, () => 'a/b').join(',')]],
      },
      '403 AccessDenied',
    ],
    [
      'with too many conditions',
      { conditions: [bucket, key, ...Array.from({ length: 130 }, () => key)] },
      '400 InvalidPolicyDocument',
    ],
    ['signed more than 15 minutes ahead', { nowMs: Date.now() + 3_600_000 }, '403 AccessDenied'],
    ['signed more than a week ago', { nowMs: Date.now() - 8 * 86_400_000 }, '403 AccessDenied'],
    [
      'whose policy has expired',
      { expiration: new Date(Date.now() - 1000).toISOString() },
      '403 AccessDenied',
    ],
    ['whose policy has no expiration', { document: '{"conditions":[]}' }, '400 InvalidPolicyDocument'],
    ['whose policy is not JSON', { document: 'x' }, '400 InvalidPolicyDocument'],
    [
      'whose policy says something else',
      { document: '{"expiration":"2100-01-01T00:00:00Z","conditions":[],"x":1}' },
      '400 InvalidPolicyDocument',
    ],
    [
      'whose policy repeats a member',
      {
        document: '{"expiration":"2100-01-01T00:00:00Z","expiration":"2101-01-01T00:00:00Z","conditions":[]}',
      },
      '400 InvalidPolicyDocument',
    ],
    [
      'with an unknown condition',
      { conditions: [bucket, key, ['ends-with', '$key', 'd']] },
      '400 InvalidPolicyDocument',
    ],
    [
      'with a condition on no field',
      { conditions: [bucket, key, ['eq', 'key', 'posted']] },
      '403 AccessDenied',
    ],
    [
      'whose policy expires in another zone',
      { expiration: '2100-01-01T00:00:00+00:00' },
      '400 InvalidPolicyDocument',
    ],
    [
      'with a condition that does not hold',
      { conditions: [bucket, ['eq', '$key', 'other']] },
      '403 AccessDenied',
    ],
    [
      'with a prefix that does not hold',
      { conditions: [bucket, ['starts-with', '$key', 'other/']] },
      '403 AccessDenied',
    ],
    [
      'with a key that leaves its prefix',
      { key: 'posted/../other', conditions: [bucket, ['starts-with', '$key', 'posted/']] },
      '403 AccessDenied',
    ],
    [
      'with a prefix that holds after a space only',
      { key: ' posted', conditions: [bucket, ['starts-with', '$key', 'posted']] },
      '403 AccessDenied',
    ],
    [
      'with a condition on a field that is not there',
      { conditions: [bucket, key, ['starts-with', '$acl', '']] },
      '403 AccessDenied',
    ],
    ['for another bucket', { conditions: [{ bucket: 'other' }, key] }, '403 AccessDenied'],
    ['whose key no condition names', { conditions: [bucket] }, '403 AccessDenied'],
    [
      'with a field that no condition names',
      { change: (fields) => [...fields, ['x-amz-meta-a', 'b']] },
      '403 AccessDenied',
    ],
    [
      'with a field that is ignored but not named',
      { change: (fields) => [...fields, ['submit', 'now']] },
      '403 AccessDenied',
    ],
    ['with a field twice', { change: (fields) => [...fields, ['KEY', 'other']] }, '400 InvalidArgument'],
    [
      'with a field of a copy',
      { further: [['x-amz-copy-source', '/data/secret/plan']] },
      '400 InvalidArgument',
    ],
    ['with an unknown x-amz field', { further: [['x-amz-unknown', 'a']] }, '501 NotImplemented'],
    ['with a field of a store', { further: [['x-minio-extract', 'true']] }, '400 InvalidArgument'],
    ['with a condition of a write', { further: [['if-none-match', '*']] }, '501 NotImplemented'],
    [
      'with a digest that it does not have',
      { further: [['x-amz-content-sha256', '0'.repeat(64)]] },
      '501 NotImplemented',
    ],
    ['with a length of its own', { further: [['x-amz-decoded-content-length', '3']] }, '400 InvalidRequest'],
    [
      'with a line break in a header',
      { further: [['x-amz-meta-a', 'b\r\nx-amz-acl: public-read']] },
      '400 InvalidArgument',
    ],
    ['with a wrong checksum', { further: [['x-amz-checksum-crc32', 'AAAAAA==']] }, '400 BadDigest'],
    [
      'with a wrong Content-MD5',
      { further: [['content-md5', createHash('md5').digest('base64')]] },
      '400 BadDigest',
    ],
    [
      'smaller than it may be',
      { conditions: [bucket, key, ['content-length-range', 20, 100]] },
      '400 EntityTooSmall',
    ],
    [
      'larger than it may be',
      { conditions: [bucket, key, ['content-length-range', 0, 18]] },
      '400 EntityTooLarge',
    ],
    [
      'with a malformed range',
      { conditions: [bucket, key, ['content-length-range', -1, 18]] },
      '400 InvalidPolicyDocument',
    ],
    ['with a key of a store', { key: '.sgwtmp/x' }, '400 InvalidURI'],
    ['with a key that climbs out', { key: '../other/key' }, '400 InvalidURI'],
    [
      'with more than 20 KB before its file',
      { further: [['x-ignore-long', 'a'.repeat(20_480)]] },
      '400 MaxPostPreDataLengthExceeded',
    ],
    [
      'whose fields become too long',
      { further: [['x-ignore-a', '$'.concat('{filename}').repeat(500)]], fileName: 'n'.repeat(5_000) },
      '400 MaxPostPreDataLengthExceeded',
    ],
    ['of another type', { headers: { 'content-type': 'text/plain' } }, '412 PreconditionFailed'],
    [
      'without a boundary',
      { headers: { 'content-type': 'multipart/form-data' } },
      '400 MalformedPOSTRequest',
    ],
    [
      'with another boundary',
      { headers: { 'content-type': 'multipart/form-data; boundary=other' } },
      '400 MalformedPOSTRequest',
    ],
    ['with an x-amz header', { headers: { 'x-amz-acl': 'public-read' } }, '403 AccessDenied'],
    [
      'with two credentials',
      { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } },
      '400 InvalidArgument',
    ],
    ['with credentials in its query', { path: '/data?X-Amz-Signature=x' }, '400 InvalidArgument'],
    ['at a key', { path: '/data/key' }, '405 MethodNotAllowed'],
    ['at no bucket', { path: '/' }, '405 MethodNotAllowed'],
    ['with the name of no bucket', { path: '/.minio.sys' }, '400 InvalidBucketName'],
  ])('%s', async (_, shape, expected) => {
    expect(summary(await post(shape))).toBe(expected);
    expect(sidecar.seen).toEqual([]);
    expect(await stored('posted')).toBe('before');
  });

  const crlf = '\r\n';
  const last = `${crlf}--${formBoundary}--${crlf}`;
  const afterFile =
    (text: string) =>
    (body: Buffer): Buffer =>
      Buffer.concat([body.subarray(0, -last.length), Buffer.from(text)]);
  it.each<[string, (body: Buffer) => Buffer, string]>([
    [
      'that does not begin with its boundary',
      (body) => Buffer.concat([Buffer.from(crlf), body]),
      '400 MalformedPOSTRequest',
    ],
    [
      'without a file',
      () =>
        Buffer.from(
          `--${formBoundary}${crlf}Content-Disposition: form-data; name="key"${crlf}${crlf}x${last}`,
        ),
      '400 InvalidArgument',
    ],
    [
      'without a name of a field',
      () => Buffer.from(`--${formBoundary}${crlf}Content-Type: text/plain${crlf}${crlf}x${last}`),
      '400 MalformedPOSTRequest',
    ],
    [
      'with an encoded field',
      () =>
        Buffer.from(
          `--${formBoundary}${crlf}Content-Disposition: form-data; name="key"${crlf}Content-Transfer-Encoding: base64${crlf}${crlf}eA==${last}`,
        ),
      '400 MalformedPOSTRequest',
    ],
    [
      'with a field after its file',
      afterFile(
        `${crlf}--${formBoundary}${crlf}Content-Disposition: form-data; name="acl"${crlf}${crlf}public-read${last}`,
      ),
      '400 InvalidArgument',
    ],
    [
      'with a second file',
      afterFile(
        `${crlf}--${formBoundary}${crlf}Content-Disposition: form-data; name="file"${crlf}${crlf}other${last}`,
      ),
      '400 InvalidArgument',
    ],
    [
      'whose file begins with its boundary',
      (body) => {
        const start = body.lastIndexOf('\r\n\r\n') + 4;
        const inside = Buffer.from(`--${formBoundary}`);
        return Buffer.concat([body.subarray(0, start), inside, body.subarray(start)]);
      },
      '400 InvalidArgument',
    ],
    ['with something after its end', afterFile(`${last}more`), '400 InvalidArgument'],
    [
      'that does not end with its boundary',
      afterFile(`${crlf}--${formBoundary}x-${crlf}`),
      '400 InvalidArgument',
    ],
    ['that ends without its boundary', afterFile(''), '400 InvalidArgument'],
    ['that is cut inside of its fields', (body) => body.subarray(0, 300), '400 IncompleteBody'],
    ['of nothing', () => Buffer.alloc(0), '400 IncompleteBody'],
  ])('%s', async (_, changeBody, expected) => {
    for (const size of [20, 200_000]) {
      expect(summary(await post({ changeBody, file: Buffer.alloc(size, 'a') }))).toBe(expected);
      expect(await stored('posted')).toBe('before');
    }
  });

  it('without a length', async () => {
    const body = formBody({ fields: [['key', 'posted']], file });
    const { host } = new URL(sidecar.url);
    const head = `POST /data HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ${formType}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await exchange(sidecar.url, `${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    expect(summary(answer)).toBe('411 MissingContentLength');
  });

  /** The bytes of a form for a key that the session may not write. */
  function denied(size: number): Buffer {
    const conditions = [bucket, { key: 'secret/plan' }];
    const fields = [['key', 'secret/plan'] as const, ...signedFields({ credentials: session, conditions })];
    const body = formBody({ fields, file: Buffer.alloc(size, 'a') });
    const { host } = new URL(sidecar.url);
    const head = `POST /data HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  }

  it('to a client that writes all of it first, 10 times out of 10', async () => {
    const { hostname, port } = new URL(sidecar.url);
    const bytes = denied(20_000_000);
    for (let round = 0; round < 10; round += 1) {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      socket.pause();
      await new Promise((resolve) => socket.write(bytes, resolve));
      const answer = readAll(socket);
      socket.resume();
      expect(summary(await answer)).toBe('403 AccessDenied');
    }
  });

  it('when its client leaves, at any stage', async () => {
    const own: [string, string][] = [['key', 'posted']];
    const signed = signedFields({ credentials: session, conditions: [bucket, key] });
    const body = formBody({ fields: [...own, ...signed], file: Buffer.alloc(300_000, 'a') });
    const { host, hostname, port } = new URL(sidecar.url);
    const head = `POST /data HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (const end of [0, 100, 1000, 3000, 100_000, body.length - 40, body.length - 1]) {
      const socket = connect({ host: hostname, port: Number(port) });
      const closed = readAll(socket);
      await new Promise((resolve) =>
        socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, end)]), resolve),
      );
      socket.destroy();
      await closed;
    }
    await expect.poll(() => requestsInFlight(sidecar)).toBe(0);
    expect(await stored('posted')).toBe('before');
  });
});
