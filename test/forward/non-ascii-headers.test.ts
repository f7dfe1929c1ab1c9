import { describe, expect, it } from 'vitest';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { sidecarBefore, storeAnswer } from './raw-store.ts';

/** The characters that the bytes of a text in UTF-8 are on the wire. */
const onTheWire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('a file name that is not ASCII', () => {
  it.each(
    ['日.txt', 'é.txt', 'plain.txt'].flatMap((name) => ['GET', 'HEAD'].map((method) => ({ method, name }))),
  )(
    'arrives byte for byte although the length came before it: $method of $name',
    async ({ method, name }) => {
      const header = `content-disposition: attachment; filename="${onTheWire(name)}"\r\n`;
      const { sidecar } = await sidecarBefore(({ socket }) => {
        const answer = storeAnswer(200, 'hello', header);
        socket.write(method === 'HEAD' ? answer.slice(0, -'hello'.length) : answer, 'latin1');
      });
      const headers = { connection: 'close' };
      const answer = await readAll(await openSigned(sidecar.url, { method, path: '/data/key', headers }));
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer.toLowerCase()).toContain(header.toLowerCase());
      expect(answer).toMatch(method === 'HEAD' ? /content-length: 5\r/i : /hello$/);
    },
  );
});
