import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { CompleteMultipartUploadCommand, CopyObjectCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import { readXml } from '../../src/core/xml.ts';
import { CompleteResult } from '../../src/forward/complete-result.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A sidecar in front of a store that answers everything with 200 and these pieces. */
function answering(...pieces: string[]): Promise<string> {
  return answeringWith((response) => {
    for (const piece of pieces) response.write(piece);
    response.end();
  });
}

async function answeringWith(
  write: (response: ServerResponse) => void,
  directory = openDirectory,
  status = 200,
): Promise<string> {
  return (await sidecarAnsweringWith(write, directory, status)).url;
}

async function sidecarAnsweringWith(
  write: (response: ServerResponse) => void,
  directory = openDirectory,
  status = 200,
): Promise<TestSidecar> {
  const store = createServer((message, response) => {
    message.resume().on('end', () => {
      // The lookups beforehand: the source of a copy exists, and so does an upload.
      if (message.method === 'HEAD' || message.url?.includes('max-parts=1') === true) {
        response.end();
        return;
      }
      response.writeHead(status, { 'content-type': 'application/xml' });
      write(response);
    });
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const backend = { endpoint, accessKeyId: 'KEY', secretAccessKey: 'store-secret' };
  const sidecar = await startSidecar({ directory, backend });
  stops.push(
    () => void store.close(),
    () => sidecar.stop(),
  );
  return sidecar;
}

const readsAndWrites = openDirectory.replace('"s3:*"', '["s3:GetObject*", "s3:PutObject*"]');

const object = { Bucket: 'data', Key: 'key' };
const copy = new CopyObjectCommand({ ...object, CopySource: '/data/other' });
const complete = new CompleteMultipartUploadCommand({
  ...object,
  UploadId: 'u',
  MultipartUpload: { Parts: [{ PartNumber: 1, ETag: 'e' }] },
});
const copyHead = {
  method: 'PUT',
  path: '/data/key',
  headers: { 'x-amz-copy-source': '/data/other', connection: 'close' },
};
const error = (code: string): string =>
  `<Error><Code>${code}</Code><Message>told late</Message><RequestId>of-the-store</RequestId></Error>`;

/** What Ceph RGW 16 sends at first, and then again and again, while it copies a large object. */
const copying = {
  start:
    '<?xml version="1.0" encoding="UTF-8"?><CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
  again: '<Progress>4194304</Progress>',
};

/** The answer to a copy, and its log line, when the store sends the rest after ten seconds of white space. */
async function answeredLate(
  rest: string,
  directory = openDirectory,
  { start, again } = { start: '<?xml version="1.0"?>\n', again: ' ' },
): Promise<{ body: string; isWhole: boolean; logged: string; sidecar: TestSidecar }> {
  let offsetMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + offsetMs);
  stops.push(() => clock.mockRestore());
  let store: ServerResponse | undefined;
  const sidecar = await sidecarAnsweringWith((response) => {
    response.write(start);
    store = response;
  }, directory);
  const client = await openSigned(sidecar.url, copyHead);
  const answer = readAll(client);
  await vi.waitFor(() => expect(store).toBeDefined(), { timeout: 10_000, interval: 10 });
  await vi.waitFor(() => {
    // The ten seconds begin when the head has arrived, which nothing outside shows.
    offsetMs += 1000;
    store?.write(again);
    expect(client.bytesRead).toBeGreaterThan(0);
  }, 20_000);
  const before = client.bytesRead;
  await vi.waitFor(() => {
    store?.write(again);
    expect(client.bytesRead).toBeGreaterThan(before);
  }, 20_000);
  store?.end(rest);
  const text = await answer;
  const body = text.split('\r\n\r\n').slice(1).join('\r\n\r\n');
  await vi.waitFor(() => expect(sidecar.logged.join('\n')).toContain('CopyObject'), 10_000);
  const logged = sidecar.logged.find((line) => line.includes('CopyObject')) ?? '';
  return { body, isWhole: text.endsWith('\r\n0\r\n\r\n'), logged, sidecar };
}

describe('an error under a 200 of the store', () => {
  it('about a missing object stays hidden after white space from a caller who may not list', async () => {
    const { body, isWhole, logged } = await answeredLate(error('NoSuchKey'), readsAndWrites);
    expect(body).toMatch(/\s<Error><Code>AccessDenied<\/Code>/);
    expect(body).not.toContain('NoSuchKey');
    expect(isWhole).toBe(true);
    expect(JSON.parse(logged)).toMatchObject({ status: 403, error_code: 'AccessDenied' });
  });

  it('about a missing object is shown after white space to a caller who may list', async () => {
    const { body, logged } = await answeredLate(error('NoSuchKey'));
    expect(body).toMatch(/\s<Error><Code>NoSuchKey<\/Code>/);
    expect(JSON.parse(logged)).toMatchObject({ error_code: 'NoSuchKey' });
  });

  it("that refuses the sidecar's own key is ServiceUnavailable after white space, and counted", async () => {
    const { body, isWhole, logged, sidecar } = await answeredLate(error('InvalidAccessKeyId'));
    expect(body).toMatch(/\s<Error><Code>ServiceUnavailable<\/Code>/);
    expect(body).not.toMatch(/InvalidAccessKeyId|told late/);
    expect(isWhole).toBe(true);
    expect(JSON.parse(logged)).toMatchObject({ status: 503, error_code: 'ServiceUnavailable' });
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^sts_sidecar_upstream_errors_total\{reason="store_authentication"\} 1$/m);
  });

  it.each([
    ['InternalError', 'InternalError 500'],
    ['SlowDown', 'SlowDown 503'],
    ['NoSuchUpload', 'NoSuchUpload 404'],
    ['PreconditionFailed', 'PreconditionFailed 412'],
    ['InvalidPart', 'InvalidPart 400'],
    ['QuotaExceeded', 'QuotaExceeded 403'],
    ['MethodNotAllowed', 'MethodNotAllowed 405'],
    ['NotImplemented', 'NotImplemented 501'],
    // From one store only; SDKs retry a 500.
    ['SlowDownWrite', 'SlowDownWrite 500'],
    ['XMinioServerNotInitialized', 'XMinioServerNotInitialized 500'],
    ['SignatureDoesNotMatch', 'ServiceUnavailable 503'],
  ])('%s is answered with its own status', async (code, expected) => {
    const url = await answering('<?xml version="1.0" encoding="UTF-8"?>\n', ' \n ', error(code));
    const client = s3Client(url, alice);
    const part = { ...object, UploadId: 'u', PartNumber: 1, CopySource: '/data/other' };
    expect(await outcome(client.send(copy))).toBe(expected);
    expect(await outcome(client.send(new UploadPartCopyCommand(part)))).toBe(expected);
    expect(await outcome(client.send(complete))).toBe(expected);
  });

  it('is recognised wherever white space stands', async () => {
    const url = await answering(' \n', '<?xml version="1.0"?>', '\n ', error('SlowDown'));
    expect(await outcome(s3Client(url, alice).send(copy))).toBe('SlowDown 503');
  });

  it('does not show the ids of the store after white space that was passed on', async () => {
    const { body: document } = await answeredLate(error('InternalError'));
    expect(document).toMatch(/<\?xml version="1.0"\?>\s+[\s\da-f]*<Error><Code>InternalError</);
    expect(document).not.toMatch(/of-the-store/);
    expect(document.match(/<\?xml/g)).toHaveLength(1);
  });

  it('does not show the ids of the store', async () => {
    const url = await answering(error('InternalError'));
    const answer = await readAll(await openSigned(url, copyHead));
    expect(answer).toMatch(/^HTTP\/1.1 500 /);
    expect(answer).not.toMatch(/of-the-store/);
  });
});

describe('a 200 of the store', () => {
  const result = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>';

  it.each([
    ['a copy that Ceph RGW gives up half-way', copying.start + copying.again],
    ['an error inside a result', `<CopyObjectResult>${error('InternalError')}</CopyObjectResult>`],
    ['an error that is not well-formed', error('InternalError').replace('</Message>', '')],
    ['a result that is cut off', result.slice(0, -1)],
    ['a result that something follows', `${result}<CopyObjectResult>`],
    ['another document', '<ListBucketResult></ListBucketResult>'],
    ['the page of a proxy', '<html><body>Bad gateway</body></html>'],
    ['nothing', ' '],
  ])('with %s is a failure, before and after white space', async (_, document) => {
    const url = await answering(document);
    expect(await outcome(s3Client(url, alice).send(copy))).toBe('ServiceUnavailable 503');
    expect(await outcome(s3Client(url, alice).send(complete))).toBe('ServiceUnavailable 503');
    const { body, isWhole, logged } = await answeredLate(document);
    expect(body).toMatch(/\s<Error><Code>ServiceUnavailable<\/Code>/);
    expect(body).not.toMatch(/Progress|told late|ListBucketResult|gateway|ETag/);
    expect(isWhole).toBe(true);
    expect(JSON.parse(logged)).toMatchObject({ status: 503, error_code: 'ServiceUnavailable' });
  });

  it.each([
    ['progress', `${copying.start}${copying.again}<ETag>"e"</ETag></CopyObjectResult>\n`],
    ['nothing else', '<CopyObjectResult/>'],
    ['a prefix', '<a:CopyPartResult xmlns:a="x"><a:ETag>"e"</a:ETag></a:CopyPartResult>'],
    [
      'a control character',
      '<CompleteMultipartUploadResult><Key>&#x01;</Key></CompleteMultipartUploadResult>',
    ],
  ])('with a whole result that holds %s is a success', async (_, document) => {
    const answer = await readAll(await openSigned(await answering(document), copyHead));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.endsWith(`\r\n\r\n${document}`)).toBe(true);
  });
});

it.each([201, 202, 204])('a %i of the store without a result is a failure', async (status) => {
  const url = await answeringWith((response) => response.end(), openDirectory, status);
  expect(await outcome(s3Client(url, alice).send(copy))).toBe('ServiceUnavailable 503');
  expect(await outcome(s3Client(url, alice).send(complete))).toBe('ServiceUnavailable 503');
});

describe('the progress of a copy', () => {
  const end = '<ETag>"e"</ETag></CopyObjectResult>';

  it('keeps the client waiting with white space in front of the result', async () => {
    const { body, isWhole } = await answeredLate(end, openDirectory, copying);
    expect(isWhole).toBe(true);
    const document = body.replace(/^[\da-f]+\r\n|\r\n[\da-f]+\r\n/g, '').replace(/\r\n$/, '');
    expect(document).toMatch(
      /^<\?xml[^>]*\?> +<CopyObjectResult [^>]*>(<Progress>4194304<\/Progress>)+<ETag>/,
    );
    expect(readXml(Buffer.from(document), { maxBytes: 65_536, maxDepth: 4 })).toMatchObject({
      name: 'CopyObjectResult',
    });
  });

  it('is followed by an error when the store gives up', async () => {
    const { body, isWhole, logged } = await answeredLate('', openDirectory, copying);
    expect(body).toMatch(/\s<Error><Code>ServiceUnavailable<\/Code>/);
    expect(body).not.toContain('CopyObjectResult');
    expect(isWhole).toBe(true);
    expect(JSON.parse(logged)).toMatchObject({ status: 503 });
  });
});

describe('a result', () => {
  it('passes unchanged, with its length', async () => {
    const result = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>';
    const answer = await readAll(await openSigned(await answering(' ', result), copyHead));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.endsWith(`\r\n\r\n ${result}`)).toBe(true);
  });

  it('that is larger than any result is refused', async () => {
    const url = await answering(`<CopyObjectResult>${'x'.repeat(1024 * 1024)}</CopyObjectResult>`);
    expect(await outcome(s3Client(url, alice).send(copy))).toBe('ServiceUnavailable 503');
  });
});

const held = (): CompleteResult =>
  new CompleteResult('http://client/data/key', new ByteBudget(10_000_000).reserve('test'));

/** What is passed on when more of the document arrives. */
function relayed(result: CompleteResult, text: string, waitedMs: number): Buffer {
  expect(result.push(Buffer.from(text))).toBe(true);
  return result.takeSpace(waitedMs);
}

describe('white space that keeps a connection alive', () => {
  it('is passed on once the client has waited, and never the document', () => {
    const result = held();
    expect(relayed(result, '<?xml version="1.0"?>\n ', 100).toString()).toBe('');
    expect(relayed(result, '  ', 10_000).toString()).toBe('<?xml version="1.0"?>\n   ');
    expect(relayed(result, ' <CopyObject', 20_000).toString()).toBe(' ');
    const rest = 'Result><Location>http://store/x</Location></CopyObjectResult>';
    expect(relayed(result, rest, 20_000).toString()).toBe(' ');
    const { body, error: late } = result.end();
    expect(body.toString()).toBe(
      '<CopyObjectResult><Location>http://client/data/key</Location></CopyObjectResult>',
    );
    expect(late).toBeUndefined();
  });

  it('is not searched again from the start, however small the pieces are', () => {
    const pieces = 4096;
    const convert = vi.spyOn(Buffer.prototype, 'toString');
    stops.push(() => convert.mockRestore());
    const result = held();
    // A declaration that never ends.
    relayed(result, '<?xml ', 10_000);
    const before = convert.mock.contexts.length;
    for (let piece = 0; piece < pieces; piece += 1)
      expect(relayed(result, 'a'.repeat(64), 20_000)).toHaveLength(0);
    let converted = 0;
    for (const bytes of convert.mock.contexts.slice(before)) converted += (bytes as Buffer).length;
    expect(converted).toBeLessThan(pieces * 64);
  });

  it('does not hide an error after it', () => {
    const result = held();
    relayed(result, `\n ${error('InternalError')}`, 20_000);
    const document = Buffer.from(error('InternalError'));
    expect(result.end()).toMatchObject({ body: document, error: { code: 'InternalError', status: 500 } });
  });
});
