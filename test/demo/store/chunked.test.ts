import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreFixture, startFixture, type TestResponse } from './store-fixture.ts';

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.send({ method: 'PUT', target: '/data' });
});
afterAll(() => fixture.store.close());

/** The published check values of "123456789". */
const checksums = [
  ['crc32', 'y/Q5Jg=='],
  ['crc32c', '4waSgw=='],
  ['crc64nvme', 'rosUhgp5mIg='],
  ['sha1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
  ['sha256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
] as const;

function send(target: string, body: string, headers: Record<string, string> = {}): Promise<TestResponse> {
  return fixture.send({
    method: 'PUT',
    target,
    body,
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '9',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      ...headers,
    },
  });
}

const right = '9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n';

describe('an upload in unsigned chunks', () => {
  it.each(checksums)('is stored without its framing, with its %s', async (algorithm, value) => {
    const name = `x-amz-checksum-${algorithm}`;
    const body = `9\r\n123456789\r\n0\r\n${name}:${value}\r\n\r\n`;
    expect((await send(`/data/${algorithm}`, body, { 'x-amz-trailer': name })).status).toBe(200);
    const got = await fixture.send({
      target: `/data/${algorithm}`,
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    });
    expect([got.body, got.headers[name], got.headers['content-encoding']]).toEqual([
      '123456789',
      value,
      undefined,
    ]);
  });

  it('keeps another content encoding', async () => {
    await send('/data/gzip', right, { 'content-encoding': 'aws-chunked,gzip' });
    expect((await fixture.send({ target: '/data/gzip' })).headers['content-encoding']).toBe('gzip');
  });

  it('is what the SDK sends for a stream', async () => {
    const pieces = [Buffer.alloc(70_000, 1), Buffer.alloc(5, 2)];
    const strict = fixture.sdk({ requestChecksumCalculation: 'WHEN_SUPPORTED' });
    const sent = { Bucket: 'data', Key: 'stream', Body: Readable.from(pieces), ContentLength: 70_005 };
    await strict.send(new PutObjectCommand(sent));
    const got = await strict.send(new GetObjectCommand({ Bucket: 'data', Key: 'stream' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(pieces));
  });

  it.each([
    ['a wrong checksum', right.replace('y/', 'z/'), {}, 'BadDigest'],
    ['changed data', right.replace('123', '124'), {}, 'BadDigest'],
    ['no trailer', '9\r\n123456789\r\n0\r\n\r\n', {}, 'MalformedTrailerError'],
    ['another trailer', right, { 'x-amz-trailer': 'x-amz-checksum-sha1' }, 'MalformedTrailerError'],
    ['two trailers', right.replace(/(x-amz.*\r\n)/, '$1$1'), {}, 'MalformedTrailerError'],
    ['bytes after the end', `${right}more`, {}, 'MalformedTrailerError'],
    ['no end', '9\r\n123456789\r\n', {}, 'IncompleteBody'],
    ['no framing', '123456789', {}, 'IncompleteBody'],
    ['a size that is too small', right.replace('9\r\n', '8\r\n'), {}, 'IncompleteBody'],
    ['a size that is not a number', right.replace('9\r\n', 'z\r\n'), {}, 'IncompleteBody'],
    ['less than declared', right, { 'x-amz-decoded-content-length': '10' }, 'IncompleteBody'],
    ['more than declared', right, { 'x-amz-decoded-content-length': '8' }, 'IncompleteBody'],
    [
      'small chunks',
      right.replace('9\r\n', '3\r\n123\r\n6\r\n').replace('\n123456789', '\n456789'),
      {},
      'InvalidChunkSizeError',
    ],
    [
      'a length that is not a number',
      right,
      { 'x-amz-decoded-content-length': 'nine' },
      'MissingContentLength',
    ],
    ['a checksum header beside it', right, { 'x-amz-checksum-sha1': 'x' }, 'InvalidRequest'],
  ] as const)('is refused with %s and leaves the old object', async (_, body, headers, code) => {
    await fixture.send({ method: 'PUT', target: '/data/old', body: 'old' });
    expect((await send('/data/old', body, headers)).code).toBe(code);
    expect((await fixture.send({ target: '/data/old' })).body).toBe('old');
  });
});
