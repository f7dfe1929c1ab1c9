import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';
import { secureS3 } from '../support/tls-clients.ts';

const authority = createAuthority();
const issued = authority.issue({ names: ['localhost'] });
/** A record of TLS that no key has made. A client that receives it sends a fatal alert. */
const forged = Buffer.concat([Buffer.from([23, 3, 3, 0, 64]), randomBytes(64)]);

let one: Program;
let store: Server;
let asked = 0;

beforeAll(async () => {
  store = createHttp(() => {
    asked += 1;
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  one = await startProgram({
    server: 'tls: { certFile: tls.crt, keyFile: tls.key, maxVersion: TLSv1.3 }',
    files: { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem },
    store: {
      url: `http://127.0.0.1:${(store.address() as AddressInfo).port}`,
      secretAccessKey: 'store-secret',
    },
  });
}, 120_000);
afterAll(async () => {
  await one.stop();
  store.close();
});

/**
 * Passes on what clients and program send, but not that a client has closed its connection. `forge` sends the clients a record that no key
 * has made.
 */
async function startRelay(): Promise<{ url: string; forge: () => void }> {
  const clients: Socket[] = [];
  const relay = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: Number(new URL(one.url).port) });
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('data', (bytes) => server.write(bytes));
    server.pipe(client);
    clients.push(client);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => void relay.close());
  return {
    url: `https://localhost:${(relay.address() as AddressInfo).port}`,
    forge: () => {
      for (const client of clients) client.write(forged);
    },
  };
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a fatal alert of %s ends the requests of its connection at once, and gives their places back',
  async (version) => {
    const before = asked;
    const { url, forge } = await startRelay();
    const s3 = secureS3(url, alice, { ca: authority.certPem, maxVersion: version });
    const all = Array.from({ length: 8 }, (_, at) =>
      s3.send(new GetObjectCommand({ Bucket: 'data', Key: `k${at}` })).then(
        () => 'answered',
        () => 'failed',
      ),
    );
    await vi.waitFor(() => expect(asked - before).toBe(8), { timeout: 20_000 });
    expect(await one.metric('sts_sidecar_requests_in_flight{listener="s3"}')).toBe(8);
    forge();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['failed']));
    const left = async (): Promise<number> => one.metric('sts_sidecar_requests_in_flight{listener="s3"}');
    await vi.waitFor(async () => expect(await left()).toBe(0), { timeout: 20_000, interval: 100 });
    await vi.waitFor(
      async () => expect(await one.metric('sts_sidecar_open_connections{listener="s3"}')).toBe(0),
      { timeout: 20_000, interval: 100 },
    );
  },
);
