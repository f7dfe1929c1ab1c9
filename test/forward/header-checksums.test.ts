import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChecksumAlgorithm, startChecksum } from '../../src/sigv4/checksum.ts';
import { type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';

let store: CapturingStore;
let sidecar: TestSidecar;

beforeAll(async () => {
  store = await startCapturingStore();
  sidecar = await startSidecar({
    directory: openDirectory,
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
});
afterAll(async () => {
  await sidecar.stop();
  store.close();
});

async function send(path: string, body: Buffer, headers: Record<string, string>): Promise<string> {
  store.uploads.length = 0;
  const method = path.includes('?uploadId') || path.endsWith('?delete') ? 'POST' : 'PUT';
  const socket = await openSigned(sidecar.url, {
    method,
    path,
    headers: {
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'content-length': String(body.length),
      connection: 'close',
      ...headers,
    },
  });
  socket.write(body);
  return summary(await readAll(socket));
}

function checksum(algorithm: ChecksumAlgorithm, data: Buffer): string {
  const running = startChecksum(algorithm);
  running.update(data);
  return running.digest().toString('base64');
}

const algorithms: readonly ChecksumAlgorithm[] = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'];
const md5 = (data: Buffer): string => createHash('md5').update(data).digest('base64');
const values: [string, (data: Buffer) => string][] = [
  ['content-md5', md5],
  ...algorithms.map((algorithm): [string, (data: Buffer) => string] => [
    `x-amz-checksum-${algorithm}`,
    (data) => checksum(algorithm, data),
  ]),
  ['x-amz-checksum-md5', md5],
  ['x-amz-checksum-sha512', (data) => createHash('sha512').update(data).digest('base64')],
];

describe.each(values)('%s', (name, written) => {
  describe.each([1000, 300_000])('of an upload of %i bytes', (size) => {
    const body = randomBytes(size);

    it('passes when it matches', async () => {
      expect(await send('/data/key', body, { [name]: written(body) })).toBe('200');
      expect(store.uploads.map(({ isComplete }) => isComplete)).toEqual([true]);
    });

    it('never lets an invalid upload become complete at the store', async () => {
      expect(await send('/data/key', body, { [name]: written(randomBytes(size)) })).toBe('400 BadDigest');
      for (const upload of store.uploads) expect(upload.isComplete).toBe(false);
    });
  });

  it('of a part is verified', async () => {
    const body = randomBytes(100);
    const path = '/data/key?partNumber=1&uploadId=u';
    expect(await send(path, body, { [name]: written(randomBytes(100)) })).toBe('400 BadDigest');
    expect(store.uploads.filter(({ isComplete }) => isComplete)).toEqual([]);
  });

  it('of a document is verified', async () => {
    const body = Buffer.from('<Delete><Object><Key>a</Key></Object></Delete>');
    expect(await send('/data?delete', body, { [name]: written(randomBytes(100)) })).toBe('400 BadDigest');
    expect(store.uploads.filter(({ isComplete }) => isComplete)).toEqual([]);
  });

  it.each(['', 'no base64', 'AAAA', 'AAAAAAAAAAAAAAAAAAAAAA'])('is refused as “%s”', async (value) => {
    const expected = name === 'content-md5' ? '400 InvalidDigest' : '400 InvalidRequest';
    expect(await send('/data/key', randomBytes(100), { [name]: value })).toBe(expected);
    expect(store.uploads.filter(({ isComplete }) => isComplete)).toEqual([]);
  });
});

it.each(['xxhash64', 'xxhash3', 'xxhash128'])(
  '%s, which cannot be verified here, is refused',
  async (name) => {
    const headers = { [`x-amz-checksum-${name}`]: 'AAAAAAAAAAA=' };
    const paths = ['/data/key', '/data/key?partNumber=1&uploadId=u', '/data?delete'];
    for (const path of paths) expect(await send(path, randomBytes(100), headers)).toBe('501 NotImplemented');
    expect(store.uploads.filter(({ isComplete }) => isComplete)).toEqual([]);
  },
);

it('a checksum of the whole object is passed on with the list of its parts', async () => {
  const body = Buffer.from(
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>',
  );
  const headers = { 'x-amz-checksum-crc32': checksum('crc32', Buffer.from('the object')) };
  await send('/data/key?uploadId=u', body, headers);
  expect(store.uploads.at(-1)?.headers['x-amz-checksum-crc32']).toBe(headers['x-amz-checksum-crc32']);
});
