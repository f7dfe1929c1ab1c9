import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { formBody, formType, postForm, signedFields } from '../support/post-form.ts';
import { alice } from '../support/sidecar.ts';
import { summary } from '../support/wire.ts';
import { sidecarBefore, storeAnswer, storeError } from './raw-store.ts';

it.each<[string, string, string]>([
  ['a success', storeAnswer(200, '', 'ETag: "e"\r\n'), '204'],
  ['an error', storeAnswer(404, storeError('NoSuchBucket')), '404 NoSuchBucket'],
  ['an error under status 200', storeAnswer(200, storeError('InternalError')), '503 ServiceUnavailable'],
  // A browser would post its form, with the credentials in it, to the address.
  [
    'a redirect',
    storeAnswer(307, storeError('TemporaryRedirect'), 'Location: http://elsewhere.test/data\r\n'),
    '503 ServiceUnavailable',
  ],
])('a form that the store answers with %s', async (_, fromStore, expected) => {
  const { sidecar } = await sidecarBefore(({ socket }) => socket.write(fromStore));
  const answer = await postForm(sidecar.url, alice);
  expect(summary(answer)).toBe(expected);
  expect(answer).not.toContain('elsewhere');
});

it('a form of which the store has answered early, in a content coding, is told nothing of that answer', async () => {
  const early = storeAnswer(200, 'bytes of the store', 'Content-Encoding: gzip\r\nETag: "e"\r\n');
  const { sidecar, store } = await sidecarBefore(({ socket }) => socket.write(early));
  const fields = [...signedFields({ credentials: alice, conditions: [{ bucket: 'data' }, { key: 'k' }] })];
  const body = formBody({ fields: [['key', 'k'], ...fields], file: Buffer.alloc(300_000) });
  const { host, hostname, port } = new URL(sidecar.url);
  const client = connect(Number(port), hostname);
  let answer = '';
  client.on('data', (bytes) => {
    answer += bytes.toString('latin1');
  });
  client.write(
    `POST /data HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  client.write(body.subarray(0, -2_000));
  await expect.poll(() => store.accepted.length).toBe(1);
  // The answer of the store has come by then; if not, it is an ordinary one.
  await setTimeout(200);
  client.end(body.subarray(-2_000));
  await once(client, 'close');
  expect(summary(answer)).toBe('503 ServiceUnavailable');
  expect(answer).not.toContain('bytes of the store');
});
