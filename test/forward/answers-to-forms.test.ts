import { expect, it } from 'vitest';
import { postForm } from '../support/post-form.ts';
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
