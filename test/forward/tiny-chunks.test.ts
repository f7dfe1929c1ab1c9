import { describe, expect, it, vi } from 'vitest';
import { startChecksum } from '../../src/sigv4/checksum.ts';
import type { TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';
import { sidecarBefore, storeAnswer } from './raw-store.ts';

function crc32Of(data: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(data);
  return checksum.digest().toString('base64');
}

describe('an upload in HTTP chunks', () => {
  const size = 100_000;
  const wire = `${size.toString(16)}\r\n${'\0'.repeat(size)}\r\n0\r\nx-amz-checksum-crc32:${crc32Of(Buffer.alloc(size))}\r\n\r\n`;

  /** Uploads in chunks of that length, behind a first one of another length. */
  async function uploadInChunks(sidecar: TestSidecar, chunkBytes: number, firstBytes = 0): Promise<string> {
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/key',
      headers: {
        connection: 'close',
        'transfer-encoding': 'chunked',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': String(size),
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    });
    const answer = readAll(socket);
    let chunk = wire.slice(0, firstBytes || chunkBytes);
    for (let start = 0; start < wire.length; start += chunk.length) {
      if (start > 0) chunk = wire.slice(start, start + chunkBytes);
      socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`, 'latin1');
    }
    socket.write('0\r\n\r\n');
    return answer;
  }

  it('of 300 bytes arrives in pieces of kilobytes', async () => {
    const { sidecar, store } = await sidecarBefore(({ socket, received }) => {
      void vi
        .waitFor(() => expect(received()).toMatch(/crc32:.{8}\r\n\r\n$/), 20_000)
        .then(() => socket.write(storeAnswer(200)));
    });
    expect(summary(await uploadInChunks(sidecar, 300))).toBe('200');
    expect(store.accepted[0]?.received()).toContain(`10000\r\n${'\0'.repeat(65_536)}\r\n`);
  });

  it('of one byte is refused behind a long chunk as well', async () => {
    const { sidecar, store } = await sidecarBefore(() => undefined);
    expect(summary(await uploadInChunks(sidecar, 1, 95_000))).toBe('400 InvalidRequest');
    expect(store.accepted.map(({ received }) => received()).join('')).not.toContain('crc32:');
  });

  // A read of 64 KiB holds 11,000 of them, and parsing one takes as long as hundreds of bytes.
  it('of one byte is refused after a thousand of them, and is never complete at the store', async () => {
    const { sidecar, store } = await sidecarBefore(() => undefined);
    expect(summary(await uploadInChunks(sidecar, 1))).toBe('400 InvalidRequest');
    await expect.poll(() => store.accepted.map(({ ending }) => ending())).not.toContain(undefined);
    expect(store.accepted.map(({ received }) => received()).join('')).not.toContain('crc32:');
  });
});
