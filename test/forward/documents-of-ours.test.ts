import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { sidecarBefore, storeError } from './raw-store.ts';

const page = 'content-type: text/html\r\ncontent-language: de\r\ncontent-encoding: gzip\r\n';
const list = '<ListBucketResult><Name>data</Name><Contents><Key>secret</Key></Contents></ListBucketResult>';

/** What a client gets from a store, or a proxy in front of it, that gives this answer. */
async function answerTo(
  { method = 'GET', path = '/data/key', headers = {} },
  status: number,
  storeHeaders: string,
  body: Buffer,
): Promise<{ head: string; body: string }> {
  const { sidecar } = await sidecarBefore(({ socket }) => {
    socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\n${storeHeaders}\r\n`);
    socket.write(body);
  });
  const request = { method, path, headers: { connection: 'close', ...headers } };
  const [head = '', ...rest] = (await readAll(await openSigned(sidecar.url, request))).split('\r\n\r\n');
  return { head: head.toLowerCase(), body: rest.join('\r\n\r\n') };
}

const copy = { method: 'PUT', headers: { 'x-amz-copy-source': '/data/other' } };

describe('an error that replaces what the store sent', () => {
  it('is XML without a content coding, whatever a proxy sent', async () => {
    const { head, body } = await answerTo({}, 503, page, gzipSync('<html>no store</html>'));
    expect(head).toMatch(/^http\/1\.1 503 .*\r\ncontent-type: application\/xml(\r\n|$)/s);
    expect(head).not.toMatch(/content-encoding|content-language|text\/html/);
    expect(body).toMatch(/^<\?xml.*<Error><Code>InternalError</s);
  });

  it('has neither type nor coding when the store sent no body', async () => {
    const { head, body } = await answerTo({}, 503, page, Buffer.alloc(0));
    expect(head).not.toMatch(/content-encoding|content-language|content-type/);
    expect(body).toBe('');
  });

  it('is XML when the store reported it under a 200', async () => {
    const late = await answerTo(
      copy,
      200,
      'content-type: text/plain\r\n',
      Buffer.from(storeError('SlowDown')),
    );
    expect(late.head).toMatch(/^http\/1\.1 503 .*\r\ncontent-type: application\/xml(\r\n|$)/s);
  });
});

describe('a document in a content coding, which cannot be checked,', () => {
  it('does not prove that the store knows a selector; one that ignores it would delete the bucket', async () => {
    const removal = { method: 'DELETE', path: '/data?website=' };
    const { head } = await answerTo(removal, 200, 'content-encoding: gzip\r\n', gzipSync(list));
    expect(head).toMatch(/^http\/1\.1 503 /);
  });

  it('is refused as a configuration; it could be a list of objects', async () => {
    const website = { path: '/data?website=' };
    const { head, body } = await answerTo(website, 200, 'content-encoding: gzip\r\n', gzipSync(list));
    expect(head).toMatch(/^http\/1\.1 503 /);
    expect(body).toMatch(/<Code>ServiceUnavailable</);
  });

  it('is refused as the result of a copy; it could be an error', async () => {
    const error = gzipSync(storeError('SignatureDoesNotMatch'));
    const { head, body } = await answerTo(copy, 200, 'content-encoding: gzip\r\n', error);
    expect(head).toMatch(/^http\/1\.1 503 /);
    expect(body).toMatch(/<Code>ServiceUnavailable</);
  });

  it('is relayed when it is an object', async () => {
    const object = gzipSync('an object');
    const { head, body } = await answerTo({}, 200, 'content-encoding: gzip\r\n', object);
    expect(head).toContain('content-encoding: gzip');
    expect(body).toBe(object.toString('latin1'));
  });

  it.each(['identity', 'aws-chunked'])('does not include one with the coding %s', async (coding) => {
    const result = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>';
    const { body } = await answerTo(copy, 200, `content-encoding: ${coding}\r\n`, Buffer.from(result));
    expect(body).toBe(result);
  });
});
