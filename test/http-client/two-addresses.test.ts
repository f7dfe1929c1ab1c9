import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { build } from '../support/program.ts';
import { s3Client } from '../support/sdk.ts';
import { account, alice } from '../support/sidecar.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const tls = (name: string): string => fromRoot(`test/support/tls/${name}`);

/** Nothing listens on the first address. */
const twoAddresses = `import dns from 'node:dns';
const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
const lookup = dns.lookup;
dns.lookup = (name, ...rest) =>
  name === 'localhost' && rest[0].all ? rest[1](null, addresses) : lookup(name, ...rest);`;

const list = '<ListBucketResult><Name>data</Name><KeyCount>0</KeyCount></ListBucketResult>';

async function startTlsStore(): Promise<number> {
  const [cert, key] = await Promise.all([readFile(tls('server.pem')), readFile(tls('server-key.pem'))]);
  const server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${list.length}\r\n\r\n${list}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The built program in front of `https://localhost`, a name that has two addresses. */
async function startWithTwoAddresses(port: number): Promise<{ url: string; ending: () => string }> {
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'two-addresses-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const configuration = `apiVersion: sts-sidecar/v1
server: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
backend: { endpoint: "https://localhost:${port}", region: us-east-1, credentials: { accessKeyId: KEY, secretAccessKey: { env: STORE } } }
account: { id: "${account}" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }
${openDirectory}`;
  const file = join(folder, 'sidecar.yaml');
  await writeFile(file, configuration);
  const preload = `--import=data:text/javascript,${encodeURIComponent(twoAddresses)}`;
  const child = spawn(process.execPath, [preload, fromRoot('dist/main.js'), 'serve', '--config', file], {
    env: {
      ALICE: alice.secretAccessKey,
      STORE: 'store-secret',
      TOKENS: Buffer.alloc(32, 1).toString('base64'),
      NODE_EXTRA_CA_CERTS: tls('ca.pem'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const url = await vi.waitFor(() => {
    const [, found] = /S3 and STS on (\S+),/.exec(output) ?? [];
    if (found === undefined) throw new Error(`the program has not started: ${output}`);
    return found;
  }, 30_000);
  return { url, ending: () => child.signalCode ?? String(child.exitCode ?? 'running') };
}

// A TLS session on a socket that has not connected yet holds on to the handle of the first address. Node closes that
// handle when it turns to the second one, and the process ended with SIGSEGV.
it('a store over TLS whose first address refuses is reached at its second one', async () => {
  const { url, ending } = await startWithTwoAddresses(await startTlsStore());
  const listed = s3Client(url, alice).send(new ListObjectsV2Command({ Bucket: 'data' }));
  const outcome = await listed.then(
    ({ KeyCount }) => `${KeyCount} keys`,
    (error: unknown) => String(error),
  );
  expect(outcome).toBe('0 keys');
  expect(ending()).toBe('running');
});
