import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { sidecarBefore, storeAnswer } from '../forward/raw-store.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { alice } from '../support/sidecar.ts';

it('a client that asks on and on is told to go while the sidecar drains, and loses no answer', {
  timeout: 20_000,
}, async () => {
  const { sidecar, store } = await sidecarBefore(({ socket }) => {
    setTimeout(() => socket.write(storeAnswer(200, 'x')), 20);
  });
  const get = await signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
  const client = connect({ host: '127.0.0.1', port: Number(new URL(sidecar.url).port) });
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => undefined);
  let text = '';
  let stopped: Promise<void> | undefined;
  // There is always another request on its way.
  client.write(get.repeat(2));
  client.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    if (client.writable) client.write(get);
    if (text.split('HTTP/1.1 200').length > 5) stopped ??= sidecar.app.stop();
  });
  await closed;
  await stopped;
  expect(text.match(/^connection: close\r$/gim)).toHaveLength(1);
  const answered = text.split('HTTP/1.1 200').length - 1;
  const asked = store.accepted.flatMap(({ received }) => received().match(/^GET /gm) ?? []);
  expect(asked).toHaveLength(answered);
});
