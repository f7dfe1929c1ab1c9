import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChunkDecoder } from '../../src/sigv4/chunk-decoder.ts';
import { type CapturedUpload, type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { anySeed, cutInto, type SignedPart, seedOf } from '../support/signed-chunks.ts';
import { readAll, sendHead, signHead } from '../support/signed-socket.ts';
import {
  algorithms,
  checksumOf,
  modes,
  type Shape,
  type SignedUpload,
  send,
  upload,
} from '../support/signed-upload.ts';
import { summary } from '../support/wire.ts';

const cases = modes.flatMap((mode) =>
  (['reframe', 'decode'] as const).map((trailers) => ({ mode, trailers })),
);

describe.each(cases)('an upload in signed $mode ($trailers)', ({ mode, trailers }) => {
  let store: CapturingStore;
  let sidecar: TestSidecar;
  const isReframed = mode === 'chunks with a trailer' && trailers === 'reframe';

  beforeAll(async () => {
    store = await startCapturingStore();
    sidecar = await startSidecar({
      directory: openDirectory,
      trailers,
      backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    store.close();
  });

  let keys = 0;
  let path = '';

  /** Sends it under a key of its own. */
  function put(sent: SignedUpload): Promise<string> {
    keys += 1;
    path = `/data/key-${keys}`;
    return send(sidecar.url, path, sent);
  }

  /** What the store has of the last upload, once nothing more can come. */
  async function received(): Promise<readonly CapturedUpload[]> {
    const seen = (): CapturedUpload[] => store.uploads.filter(({ target }) => target === path);
    const open = (): number => store.arrived.filter((target) => target === path).length - seen().length;
    await expect.poll(open).toBe(0);
    return seen();
  }

  async function receivedWhole(): Promise<CapturedUpload> {
    await expect.poll(() => store.uploads.at(-1)?.target).toBe(path);
    const [only, ...others] = await received();
    if (only === undefined || others.length > 0) throw new Error('not one upload has arrived');
    expect(only.isComplete).toBe(true);
    return only;
  }

  async function expectNothingWhole(): Promise<void> {
    for (const { isComplete } of await received()) expect(isComplete).toBe(false);
  }

  it.each([0, 1, 8192, 65_535, 65_536, 65_537, 1_000_000])('of %i bytes arrives whole', async (size) => {
    const data = randomBytes(size);
    expect(await put(upload(mode, data))).toBe('200');
    const { body, headers } = await receivedWhole();
    expect(headers['content-length']).toBe(String(body.length));
    if (isReframed) {
      const decoder = new ChunkDecoder(size);
      expect(Buffer.concat(decoder.push(body)).equals(data)).toBe(true);
      expect([...decoder.end()]).toEqual([['x-amz-checksum-crc32', checksumOf(data)]]);
      expect(headers['x-amz-content-sha256']).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      expect(headers['content-encoding']).toBe('aws-chunked');
      expect(headers['x-amz-decoded-content-length']).toBe(String(size));
    } else {
      expect(body.equals(data)).toBe(true);
      expect(headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
      for (const name of ['content-encoding', 'x-amz-trailer', 'x-amz-decoded-content-length'])
        expect(Object.keys(headers)).not.toContain(name);
    }
  });

  it.each([8192, 10_000, 131_072, 1_000_000])('in chunks of %i bytes arrives whole', async (chunkBytes) => {
    const data = randomBytes(700_000);
    expect(await put(upload(mode, data, { chunkBytes }))).toBe('200');
    await receivedWhole();
  });

  it('keeps its other content encodings', async () => {
    const headers = { 'content-encoding': 'aws-chunked, gzip' };
    expect(await put(upload(mode, randomBytes(10), { headers }))).toBe('200');
    expect((await receivedWhole()).headers['content-encoding']).toBe(
      isReframed ? 'aws-chunked,gzip' : 'gzip',
    );
  });

  const small = randomBytes(20_000);
  const large = randomBytes(300_000);
  describe.each([
    ['small', small, 8192],
    ['large', large, 65_536],
  ])('that is %s and invalid', (_size, data, chunkBytes) => {
    const positions = [...Array(Math.ceil(data.length / chunkBytes) + modes.indexOf(mode) + 1).keys()];

    async function refuses(shape: Shape, expected: string): Promise<void> {
      expect(await put(upload(mode, data, { chunkBytes, ...shape }))).toBe(expected);
      await expectNothingWhole();
      if (data === small) expect(await received()).toEqual([]);
    }

    /** Changes one part. */
    const at =
      (index: number, change: (part: SignedPart) => Partial<SignedPart>) =>
      (parts: SignedPart[]): SignedPart[] =>
        parts.map((part, position) => (position === index ? { ...part, ...change(part) } : part));

    it.each(positions)('in its signature %i is never complete at the store', async (index) => {
      const signature = 'f'.repeat(64);
      await refuses({ change: at(index, () => ({ signature })) }, '403 SignatureDoesNotMatch');
    });

    it.each(positions.slice(0, Math.ceil(data.length / chunkBytes)))(
      'in the data of chunk %i is never complete at the store',
      async (index) => {
        const change = at(index, ({ after }) => {
          const other = Buffer.from(after);
          other[2] = (other[2] ?? 0) ^ 1;
          return { after: other };
        });
        await refuses({ change }, '403 SignatureDoesNotMatch');
      },
    );

    it('because it is shorter than declared is never complete at the store', async () => {
      const headers = { 'x-amz-decoded-content-length': String(data.length + 1) };
      await refuses({ headers }, '400 IncompleteBody');
    });

    it('because it is longer than declared is never complete at the store', async () => {
      const headers = { 'x-amz-decoded-content-length': String(data.length - 1) };
      await refuses({ headers }, '400 IncompleteBody');
    });

    it('because its last chunk is missing is never complete at the store', async () => {
      const change = (parts: SignedPart[]): SignedPart[] =>
        parts.slice(0, Math.ceil(data.length / chunkBytes));
      await refuses({ change }, '400 IncompleteBody');
    });

    it('because of a checksum in a header is never complete at the store', async () => {
      const md5 = createHash('md5').update('other').digest('base64');
      await refuses({ headers: { 'content-md5': md5 } }, '400 BadDigest');
      if (mode === 'chunks') {
        const headers = { 'x-amz-checksum-crc32': checksumOf(Buffer.from('other')) };
        await refuses({ headers }, '400 BadDigest');
      }
    });

    it('and whose client leaves is never complete at the store, at any stage', async () => {
      const { headers, wire } = upload(mode, data, { chunkBytes });
      const { length } = wire(anySeed);
      const ends = [
        0,
        1,
        50,
        90,
        chunkBytes,
        chunkBytes + 100,
        data.length,
        length - 90,
        length - 5,
        length - 1,
      ];
      for (const end of ends.filter((at) => at < length)) {
        path = `/data/left-${end}-${data.length}`;
        const fields = { 'content-length': String(length), ...headers };
        const head = await signHead(sidecar.url, { method: 'PUT', path, headers: fields });
        const socket = sendHead(sidecar.url, head);
        socket.write(wire(seedOf(head, alice.secretAccessKey)).subarray(0, end));
        if (data === large) await expect.poll(() => store.arrived).toContain(path);
        socket.destroy();
        if (data === large)
          await expect.poll(() => store.uploads.map(({ target }) => target)).toContain(path);
        await expectNothingWhole();
      }
    });
  });

  it('with a small chunk in the middle is refused', async () => {
    expect(await put(upload(mode, small, { chunkBytes: 8191 }))).toBe('403 InvalidChunkSizeError');
  });

  it('inside HTTP chunks, without a length, arrives whole', async () => {
    const { headers, wire } = upload(mode, large);
    path = '/data/in-http-chunks';
    const fields = { connection: 'close', 'transfer-encoding': 'chunked', ...headers };
    const head = await signHead(sidecar.url, { method: 'PUT', path, headers: fields });
    const socket = sendHead(sidecar.url, head);
    for (const piece of cutInto(wire(seedOf(head, alice.secretAccessKey)), 50_001)) {
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
    expect(summary(await readAll(socket))).toBe('200');
    expect((await receivedWhole()).body.length).toBeGreaterThanOrEqual(large.length);
  });

  it('without a declared length is refused', async () => {
    const { headers, wire } = upload(mode, small);
    const { 'x-amz-decoded-content-length': _, ...rest } = headers;
    expect(await put({ headers: rest, wire })).toBe('411 MissingContentLength');
  });

  it('of more than 5 GiB is refused', async () => {
    const headers = { 'x-amz-decoded-content-length': '5368709121' };
    expect(await put(upload(mode, small, { headers }))).toBe('400 EntityTooLarge');
  });

  it('is accepted for objects and parts only', async () => {
    expect(await send(sidecar.url, '/data', upload(mode, Buffer.alloc(0)))).toBe('400 InvalidRequest');
    expect(await send(sidecar.url, '/data/key?tagging', upload(mode, small))).toBe('400 InvalidRequest');
  });

  if (mode === 'chunks') {
    it('that announces a trailer is refused', async () => {
      const headers = { 'x-amz-trailer': 'x-amz-checksum-crc32' };
      expect(await put(upload(mode, small, { headers }))).toBe('400 InvalidRequest');
    });

    it('that has a trailer is refused, even a signed one', async () => {
      const { headers } = upload('chunks', large);
      const { wire } = upload('chunks with a trailer', large);
      expect(await put({ headers, wire })).toBe('400 MalformedTrailerError');
      await expectNothingWhole();
    });
  } else {
    it.each(algorithms)('may have %s as its checksum', async (algorithm) => {
      expect(await put(upload(mode, large, { algorithm }))).toBe('200');
      await receivedWhole();
      const wrong = { algorithm, checksum: checksumOf(small, algorithm) };
      expect(await put(upload(mode, large, wrong))).toBe('400 BadDigest');
      await expectNothingWhole();
    });

    it.each<[string, Shape, string]>([
      ['is missing', { change: withoutTrailer }, '400 MalformedTrailerError'],
      ['is not signed', { change: withUnsignedTrailer }, '400 MalformedTrailerError'],
      ['is no checksum', { checksum: 'AAAA' }, '400 MalformedTrailerError'],
      [
        'is not the one that was announced',
        { headers: { 'x-amz-trailer': 'x-amz-checksum-sha1' } },
        '400 MalformedTrailerError',
      ],
      ['was not announced', { headers: { 'x-amz-trailer': '' } }, '400 MalformedTrailerError'],
    ])('whose trailer %s is never complete at the store', async (_, shape, expected) => {
      expect(await put(upload(mode, large, shape))).toBe(expected);
      await expectNothingWhole();
    });
  }
});

function withoutTrailer(parts: SignedPart[]): SignedPart[] {
  const kept = parts.slice(0, -1);
  const last = kept.at(-1);
  return last === undefined ? [] : [...kept.slice(0, -1), { ...last, after: Buffer.from('\r\n\r\n') }];
}

function withUnsignedTrailer(parts: SignedPart[]): SignedPart[] {
  const trailer = parts.at(-1);
  if (trailer === undefined) return [];
  const line = trailer.before.toString().replace('x-amz-trailer-signature:', '\r\n');
  return [...parts.slice(0, -1), { before: Buffer.from(line), signature: '', after: Buffer.alloc(0) }];
}
