import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';

let program: Program;

beforeAll(build, 120_000);
afterEach(() => program.stop());

it('a second SIGTERM ends the program at once, and resets the upload to the store', async () => {
  const store = createServer().listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  program = await startProgram({
    store: { url: `http://127.0.0.1:${port}`, secretAccessKey: 'not-checked' },
  });
  const { hostname, port: ownPort } = new URL(program.url);
  const client = connect(Number(ownPort), hostname).on('error', () => undefined);
  const head = await signedHead(
    program.url,
    alice,
    { method: 'PUT', path: '/data/k' },
    'Content-Length: 200000\r\n',
  );
  client.write(Buffer.concat([Buffer.from(head), Buffer.alloc(150_000, 'a')]));
  const [uploading] = (await once(store, 'connection')) as [Socket];
  const ended = new Promise((resolve) => {
    uploading.once('end', () => resolve('in order'));
    uploading.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  uploading.resume();
  await expect.poll(() => uploading.bytesRead).toBeGreaterThan(100_000);

  process.kill(program.pid, 'SIGTERM');
  await expect.poll(() => program.output()).toContain('draining');
  expect(program.isRunning()).toBe(true);
  process.kill(program.pid, 'SIGTERM');

  expect(await ended).toBe('ECONNRESET');
  await expect.poll(() => program.isRunning()).toBe(false);
  client.destroy();
  store.close();
});
