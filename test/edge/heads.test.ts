import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { exchange as converse, readAnswer, summary } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({
    directory: openDirectory,
    server: '  limits: { headersTimeoutSeconds: 1, maxHeaderBytes: 8192 }\n  virtualHosts: [s3.test]',
  });
});
afterAll(() => sidecar.stop());

/** Waits for one answer only, not for the silence after it. */
const exchange = (url: string, bytes: string): Promise<string> => converse(url, bytes, 1);
const form = 'Content-Type: application/x-www-form-urlencoded\r\n';

describe('a head that cannot be served is refused in the form of STS', () => {
  it.each([
    [
      'a bad escape in the query',
      'GET /?Action=GetCallerIdentity&x=%zz HTTP/1.1\r\nHost: a\r\n\r\n',
      '404 MalformedQueryString',
    ],
    [
      'two Host headers',
      `POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${form}Content-Length: 0\r\n\r\n`,
      '400 ValidationError',
    ],
    [
      'a User-Agent that is too long',
      `POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: ${'a'.repeat(3000)}\r\n${form}Content-Length: 0\r\n\r\n`,
      '400 ValidationError',
    ],
    [
      'headers that are too long',
      `POST / HTTP/1.1\r\nHost: a\r\n${form}x: ${'a'.repeat(9000)}\r\n\r\n`,
      '400 ValidationError',
    ],
    [
      'a transfer coding beside chunked',
      `POST / HTTP/1.1\r\nHost: a\r\n${form}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n`,
      '400 ValidationError',
    ],
    [
      'an unknown expectation',
      `POST / HTTP/1.1\r\nHost: a\r\n${form}Expect: tea\r\nContent-Length: 0\r\n\r\n`,
      '417 ExpectationFailed',
    ],
    [
      'a form that is too long',
      `POST / HTTP/1.1\r\nHost: a\r\n${form}Expect: 100-continue\r\nContent-Length: 262145\r\n\r\n`,
      '413 RequestEntityTooLarge',
    ],
    [
      'broken HTTP chunks',
      `POST / HTTP/1.1\r\nHost: a\r\n${form}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      '404 MalformedQueryString',
    ],
  ])('%s', async (_, bytes, expected) => {
    const answer = await exchange(sidecar.url, bytes);
    expect(summary(answer)).toBe(expected);
    expect(answer).toMatch(/<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">/);
    expect(answer).toMatch(/^x-amzn-requestid: [0-9A-F]{16}\r$/im);
  });

  it('as JSON where the client asks for it', async () => {
    const head =
      'GET /?Action=GetCallerIdentity&x=%zz HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n';
    const answer = await exchange(sidecar.url, head);
    expect(answer).toMatch(/\r\n\r\n\{"Error":\{"Type":"Sender","Code":"MalformedQueryString"/);
  });

  it('but as S3 on the host of a bucket', async () => {
    const head = 'GET /?Action=GetCallerIdentity&x=%zz HTTP/1.1\r\nHost: bucket.s3.test\r\n\r\n';
    expect(await exchange(sidecar.url, head)).toMatch(/<Error><Code>InvalidURI</);
  });
});

describe('a head that cannot be served is refused in the form of S3', () => {
  it.each([
    [
      'a transfer coding beside chunked',
      'PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n',
      '501 NotImplemented',
    ],
    [
      'chunks in HTTP/1.0',
      'PUT /b/k HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '501 NotImplemented',
    ],
    [
      'two transfer codings',
      'PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 BadRequest',
    ],
    [
      'an unknown expectation',
      'PUT /b/k HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n',
      '417 ExpectationFailed',
    ],
    [
      'an empty expectation',
      'PUT /b/k HTTP/1.1\r\nHost: a\r\nExpect: \r\nContent-Length: 0\r\n\r\n',
      '417 ExpectationFailed',
    ],
    ['an absolute target', 'GET http://a/b/k HTTP/1.1\r\nHost: a\r\n\r\n', '400 InvalidURI'],
    ['no Host', 'GET /b/k HTTP/1.1\r\n\r\n', '400 InvalidRequest'],
    [
      'a length beside chunks',
      'PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 BadRequest',
    ],
    [
      'headers that are too long',
      `GET /b/k HTTP/1.1\r\nHost: a\r\nx: ${'a'.repeat(9000)}\r\n\r\n`,
      '400 RequestHeaderSectionTooLarge',
    ],
    ['garbage', 'hello\r\n\r\n', '400 BadRequest'],
  ])('%s', async (_, bytes, expected) => {
    sidecar.logged.length = 0;
    const answer = await exchange(sidecar.url, bytes);
    expect(summary(answer)).toBe(expected);
    const id = /^x-amz-request-id: ([0-9A-F]{16})\r$/im.exec(answer)?.[1];
    expect(sidecar.logged.join('')).toContain(`"request_id":"${id}"`);
  });
});

describe('the headers of a request', () => {
  const headers = (count: number): string =>
    `GET /b/k HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(count - 1)}\r\n`;

  it('are limited to 256', async () => {
    expect(summary(await exchange(sidecar.url, headers(256)))).toBe('403 AccessDenied');
    expect(summary(await exchange(sidecar.url, headers(257)))).toBe('400 RequestHeaderSectionTooLarge');
  });

  it('cannot hide the length of a body behind many others: the connection ends', async () => {
    const head = `PUT /b/k HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(1_200)}Content-Length: 100\r\n\r\n`;
    const answer = await exchange(sidecar.url, head);
    expect(summary(answer)).toBe('400 RequestHeaderSectionTooLarge');
    expect(answer).toMatch(/^connection: close\r$/im);
  });
});

describe('broken HTTP chunks of a body', () => {
  it('of a document are answered', async () => {
    const socket = await openSigned(sidecar.url, {
      method: 'POST',
      path: '/data?delete=',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'transfer-encoding': 'chunked' },
    });
    socket.write('5\r\nhello\r\nzz\r\n');
    expect(summary(await readAnswer(socket))).toBe('411 MissingContentLength');
  });

  it.each(['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'])(
    'of an upload are answered: %s',
    async (digest) => {
      const socket = await openSigned(sidecar.url, {
        method: 'PUT',
        path: '/data/k',
        headers: {
          'x-amz-content-sha256': digest,
          'x-amz-decoded-content-length': '5',
          'x-amz-trailer': 'x-amz-checksum-crc32',
          'transfer-encoding': 'chunked',
        },
      });
      socket.write('5\r\nhello\r\nzz\r\n');
      expect(summary(await readAnswer(socket))).toMatch(/^400 /);
    },
  );
});

it('a head that does not end is closed after headersTimeoutSeconds', async () => {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const answer = readAll(socket);
  socket.write('GET /data/k HTTP/1.1\r\nHost: a\r\n');
  // Node by itself would look after 30 s, which is this test's limit.
  expect(await answer).toMatch(/<Code>RequestTimeout</);
}, 30_000);
