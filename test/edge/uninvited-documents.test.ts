import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned } from '../support/signed-socket.ts';

const tooMuch = String(3 * 1024 * 1024);
const batch = '/data?delete=';

describe('a document that a client announces with Expect: 100-continue', () => {
  let sidecar: TestSidecar;
  beforeAll(async () => {
    sidecar = await startSidecar({ directory: openDirectory });
  });
  afterAll(() => sidecar.stop());

  /** The first line of the answer to a request with these headers and without its body. */
  async function firstLine(method: string, path: string, headers: Record<string, string>): Promise<string> {
    const socket = await openSigned(sidecar.url, {
      method,
      path,
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', expect: '100-continue', ...headers },
    });
    try {
      return await new Promise((resolve) => {
        let text = '';
        socket.setEncoding('latin1').on('data', (data: string) => {
          text += data;
          if (text.includes('\r\n')) resolve(text.slice(0, text.indexOf('\r\n')));
        });
        socket.on('close', () => resolve(text));
      });
    } finally {
      socket.destroy();
    }
  }

  it.each([
    ['has no length', 411, 'POST', batch, { 'transfer-encoding': 'chunked' }],
    ['has a malformed length', 400, 'POST', batch, { 'content-length': '1'.repeat(16) }],
    ['is too large', 400, 'POST', batch, { 'content-length': tooMuch }],
    ['is too large as tags', 400, 'PUT', '/data/key?tagging=', { 'content-length': tooMuch }],
    ['has a malformed MD5', 400, 'POST', batch, { 'content-length': '9', 'content-md5': 'x' }],
    ['has a malformed checksum', 400, 'POST', batch, { 'content-length': '9', 'x-amz-checksum-crc32': 'x' }],
  ] as const)('is refused without 100 Continue when it %s', async (_, status, method, path, headers) => {
    expect(await firstLine(method, path, { ...headers })).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('gets 100 Continue otherwise', async () => {
    expect(await firstLine('POST', batch, { 'content-length': '9' })).toBe('HTTP/1.1 100 Continue');
  });
});
