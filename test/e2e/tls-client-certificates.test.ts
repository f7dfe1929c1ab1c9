import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { outcome } from '../support/sdk.ts';
import { alice, bob } from '../support/sidecar.ts';
import { type ClientTls, secureS3, secureSocket, untilClosed } from '../support/tls-clients.ts';

const authority = createAuthority();
const clients = createAuthority('clients');
const issued = authority.issue({ names: ['localhost'] });
const dayMs = 86_400_000;

const shown = ({ certPem, keyPem }: { certPem: string; keyPem: string }): ClientTls => ({
  ca: authority.certPem,
  cert: certPem,
  key: keyPem,
});
const trusted = shown(clients.issue());

let one: Program;
let url: string;

beforeAll(async () => {
  one = await startProgram({
    server: 'tls: { certFile: tls.crt, keyFile: tls.key, clientCaFile: clients.crt }',
    files: { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem, 'clients.crt': clients.certPem },
  });
  url = one.url.replace('127.0.0.1', 'localhost');
  await secureS3(url, alice, trusted).send(new CreateBucketCommand({ Bucket: 'data' }));
}, 120_000);
afterAll(() => one.stop());

const put = (tls: ClientTls, user = alice): Promise<string> =>
  outcome(secureS3(url, user, tls).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })));

/** What a client with that certificate is answered over TLS, whatever version it speaks. */
async function answered(tls: ClientTls, version: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  try {
    const socket = await secureSocket(url, { ...tls, minVersion: version, maxVersion: version });
    socket.write('GET /data/k HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    return await untilClosed(socket);
  } catch {
    return 'no handshake';
  }
}

describe('a client', () => {
  it('with a certificate of the authority is served, and judged by its signature alone', async () => {
    expect(await put(trusted)).toBe('allowed');
    expect(await put(trusted, bob)).toBe('AccessDenied 403');
    expect(await answered(trusted, 'TLSv1.3')).toMatch(/^HTTP\/1.1 403/);
  });

  it.each([
    ['without a certificate', { ca: authority.certPem }],
    ['with one of another authority', shown(createAuthority('clients').issue())],
    ['with one of the authority of the server', shown(authority.issue())],
    [
      'with one that has expired',
      shown(clients.issue({ from: new Date(Date.now() - 2 * dayMs), to: new Date(Date.now() - dayMs) })),
    ],
    ['with one that is not valid yet', shown(clients.issue({ from: new Date(Date.now() + dayMs) }))],
  ])('%s never gets an answer', async (_, tls) => {
    expect(['no handshake', '']).toContain(await answered(tls, 'TLSv1.2'));
    expect(['no handshake', '']).toContain(await answered(tls, 'TLSv1.3'));
    expect(await put(tls)).not.toMatch(/allowed|\d/);
    const failures = one.metric(
      'sts_sidecar_tls_handshake_failures_total{listener="s3",reason="client_certificate"}',
    );
    expect(await failures).toBeGreaterThan(0);
  });
});

describe('another authority for clients', () => {
  it('counts for new handshakes once the file has changed, also for sessions that could be resumed', async () => {
    const others = createAuthority('others');
    const first = await secureSocket(url, trusted);
    const ticket = await new Promise<Buffer>((resolve) => {
      first.on('session', resolve);
      first.write('GET /data/k HTTP/1.1\r\nhost: localhost\r\n\r\n');
    });
    const resumed = await secureSocket(url, { ...trusted, session: ticket });
    expect(resumed.isSessionReused()).toBe(true);
    resumed.destroy();
    const fileName = join(dirname(one.configurationFile), 'clients.crt');
    await writeFile(fileName, others.certPem);
    process.kill(one.pid, 'SIGHUP');
    const welcome = shown(others.issue());
    await expect.poll(() => put(welcome), { timeout: 20_000 }).toBe('allowed');
    expect(await put(trusted)).not.toMatch(/allowed|\d/);
    const answers = await Promise.all(
      (['TLSv1.2', 'TLSv1.3'] as const).map((version) => answered(trusted, version)),
    );
    for (const answer of answers) expect(['no handshake', '']).toContain(answer);
    const again = await secureSocket(url, { ...trusted, session: ticket }).catch(() => undefined);
    expect(again?.isSessionReused() ?? false).toBe(false);
    if (again !== undefined) {
      again.write('GET /data/k HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      expect(await untilClosed(again)).toBe('');
    }
    // The connection of before goes on.
    const later = new Promise<string>((resolve) =>
      first.once('data', (bytes: Buffer) => resolve(String(bytes))),
    );
    first.write('GET /data/k HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect(await later).toMatch(/^HTTP\/1.1 403/);
    first.destroy();
  });
});
