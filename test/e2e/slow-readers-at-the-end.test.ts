import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type RawServer, startRawServer } from '../http-client/raw-server.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';

beforeAll(build, 120_000);

let program: Program | undefined;
let store: RawServer | undefined;
afterEach(async () => {
  await program?.stop();
  store?.close();
});

it('an answer that its client has not read to the end when SIGTERM comes is sent whole', {
  timeout: 60_000,
}, async () => {
  const result = `<DeleteResult><Error><Key>k</Key><Message>${'m'.repeat(7_500_000)}</Message></Error></DeleteResult>`;
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${result.length}\r\n\r\n${result}`;
  store = await startRawServer(({ socket }) => socket.write(answer));
  program = await startProgram({ store: { url: store.url, secretAccessKey: 'store-secret' } });
  const { url, pid, metric, isRunning } = program;
  const body = '<Delete><Object><Key>k</Key></Object></Delete>';
  const md5 = createHash('md5').update(body).digest('base64');
  const request = { method: 'POST', path: '/data', query: { delete: '' }, headers: { 'content-md5': md5 } };
  const client = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  client.on('error', () => undefined);
  client.pause();
  client.write((await signedHead(url, alice, request, `Content-Length: ${body.length}\r\n`)) + body);
  const held = (): Promise<number> => metric('sts_sidecar_buffered_bytes');
  await vi.waitFor(async () => expect(await held()).toBeGreaterThan(7_000_000), 20_000);
  process.kill(pid, 'SIGTERM');
  const isListening = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await vi.waitFor(async () => expect(await isListening()).toBe(false), { timeout: 20_000, interval: 50 });
  let received = '';
  client.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  client.resume();
  await vi.waitFor(() => expect(client.closed).toBe(true), { timeout: 20_000, interval: 50 });
  expect(received.slice(-30)).toMatch(/<\/Error><\/DeleteResult>$/);
  expect(received.length).toBeGreaterThan(7_500_000);
  await vi.waitFor(() => expect(isRunning()).toBe(false), { timeout: 20_000, interval: 50 });
});
