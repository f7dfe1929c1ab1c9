import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';

beforeAll(build, 120_000);

let program: Program | undefined;
let child: ChildProcess | undefined;
afterEach(async () => {
  await program?.stop();
  child?.kill('SIGKILL');
  program = undefined;
  child = undefined;
});

/** Begins an upload of 200,000 bytes; the store has its first 100,000. */
async function beginUpload({ url }: Program, store: ReturnType<typeof createServer>) {
  const { hostname, port } = new URL(url);
  const client = connect(Number(port), hostname).on('error', () => undefined);
  let answer = '';
  client.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  const put = { method: 'PUT', path: '/data/k' };
  const head = await signedHead(url, alice, put, 'Content-Length: 200000\r\n');
  client.write(Buffer.concat([Buffer.from(head), Buffer.alloc(150_000, 'a')]));
  const [uploading] = (await once(store, 'connection')) as [Socket];
  uploading.on('error', () => undefined).resume();
  await expect.poll(() => uploading.bytesRead).toBeGreaterThan(100_000);
  return { client, uploading, answer: () => answer };
}

describe('an upload in progress is finished before the process ends', () => {
  it.each<[string, NodeJS.Signals, boolean]>([
    ['after SIGTERM when stderr has no reader', 'SIGTERM', false],
    ['after SIGINT', 'SIGINT', true],
    ['after SIGQUIT', 'SIGQUIT', true],
  ])('%s', async (_, signal, hasReader) => {
    const store = createServer().listen(0, '127.0.0.1');
    await once(store, 'listening');
    const url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
    program = await startProgram({ store: { url, secretAccessKey: 'not-checked' } });
    const { pid, adminUrl, exitCode, isRunning } = program;
    const { client, uploading, answer } = await beginUpload(program, store);
    if (!hasReader) program.closeStderr();
    process.kill(pid, signal);
    const ready = async (): Promise<boolean> =>
      fetch(`${adminUrl}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(ready).toBe(false);
    uploading.once('data', () =>
      uploading.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n'),
    );
    client.write(Buffer.alloc(50_000, 'a'));
    await expect.poll(answer).toMatch(/^HTTP\/1\.1 200 /);
    await expect.poll(isRunning, { timeout: 10_000 }).toBe(false);
    expect(exitCode()).toBe(0);
    client.destroy();
    store.close();
  });
});

it('a SIGTERM that comes before the start has finished ends the process in order', async () => {
  // It accepts connections and says nothing, so that the start waits for it.
  const redis = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(redis, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-'));
  const file = join(folder, 'sidecar.yaml');
  await writeFile(
    file,
    `apiVersion: sts-sidecar/v1
server: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
backend: { endpoint: "http://127.0.0.1:9", region: us-east-1, credentials: { accessKeyId: STOREKEY, secretAccessKey: { env: STORE } } }
account: { id: "123456789012" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }
state: { redis: { url: { env: REDIS } } }
directory: {}
`,
  );
  const port = (redis.address() as AddressInfo).port;
  const env = {
    PATH: process.env['PATH'],
    STORE: 'not-checked',
    TOKENS: Buffer.alloc(32, 'k').toString('base64'),
    REDIS: `redis://127.0.0.1:${port}`,
  };
  const entry = resolve(import.meta.dirname, '../../dist/main.js');
  child = spawn(process.execPath, [entry, 'serve', '--config', file], { env, stdio: 'pipe' });
  const ended = once(child, 'exit');
  await once(redis, 'connection');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  redis.close();
  await rm(folder, { recursive: true });
});

it('a SIGHUP ends the injector in order', async () => {
  const tls = resolve(import.meta.dirname, '../support/tls');
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-'));
  const file = join(folder, 'injector.yaml');
  await writeFile(
    file,
    `apiVersion: sts-sidecar/v1
listen: "127.0.0.1:0"
tls: { certFile: ${tls}/server.pem, keyFile: ${tls}/server-key.pem }
endpoint: "http://store.storage.svc:9000"
apiServer: { url: "https://127.0.0.1:9", caFile: ${tls}/ca.pem }
`,
  );
  const entry = resolve(import.meta.dirname, '../../dist/main.js');
  child = spawn(process.execPath, [entry, 'injector', '--config', file], { stdio: 'pipe' });
  const ended = once(child, 'exit');
  await once(child.stderr ?? child, 'data');
  child.kill('SIGHUP');
  expect(await ended).toEqual([0, null]);
  await rm(folder, { recursive: true });
});
