import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority, type Issued } from '../support/authority.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { secureSocket, untilClosed } from '../support/tls-clients.ts';

const authority = createAuthority();
const clients = createAuthority('clients');
const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);

const pairs: Readonly<Record<string, Issued>> = {
  default: authority.issue({ names: ['localhost'], to: inDays(9) }),
  public: authority.issue({ names: ['s3.public.test', '*.s3.public.test', '192.0.2.1'], to: inDays(3) }),
  exact: authority.issue({ names: ['data.s3.public.test'], to: inDays(8) }),
  nameless: authority.issue({ to: inDays(7) }),
};

const filesOf = (all: Readonly<Record<string, Issued>>): Record<string, string> => ({
  'clients.crt': clients.certPem,
  ...Object.fromEntries(
    Object.entries(all).flatMap(([name, { certPem, keyPem }]) => [
      [`${name}.crt`, certPem],
      [`${name}.key`, keyPem],
    ]),
  ),
});
const files = filesOf(pairs);

const pair = (name: string, more = ''): string => `{ certFile: ${name}.crt, keyFile: ${name}.key${more} }`;
const section = (more = ''): string =>
  `  tls: { certFile: default.crt, keyFile: default.key, certificates: [${pair('public')}, ${pair('exact')}, ${pair('nameless', ', names: [Legacy.Test]')}]${more} }\n  virtualHosts: [s3.public.test]`;

async function start(more = ''): Promise<TestSidecar> {
  const sidecar = await startSidecar({ directory: openDirectory, files, server: section(more) });
  onTestFinished(() => sidecar.stop());
  return sidecar;
}

/** Which certificate a client is shown that asks for a name. */
async function shown(
  sidecar: TestSidecar,
  servername: string,
  more: ConnectionOptions = {},
): Promise<string> {
  const socket = await secureSocket(sidecar.url, { servername, rejectUnauthorized: false, ...more });
  const raw = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  const found = Object.entries(pairs).find(
    ([, { certPem }]) => new X509Certificate(certPem).fingerprint256 === raw,
  );
  return found?.[0] ?? 'another';
}

describe('the certificate that a client is shown', () => {
  it('is the one of the name it asks for, and the default for any other', async () => {
    const sidecar = await start();
    const names: readonly (readonly [asked: string, certificate: string])[] = [
      ['s3.public.test', 'public'],
      ['S3.Public.Test', 'public'],
      ['other.s3.public.test', 'public'],
      ['data.s3.public.test', 'exact'],
      ['legacy.test', 'nameless'],
      ['localhost', 'default'],
      ['', 'default'],
      ['a.b.s3.public.test', 'default'],
      ['public.test', 'default'],
      ['.s3.public.test', 'default'],
      ['*.s3.public.test', 'public'],
      ['s3.public.test.', 'default'],
      ['constructor', 'default'],
      ['a'.repeat(200), 'default'],
    ];
    const found: [string, string][] = [];
    for (const [asked] of names) found.push([asked, await shown(sidecar, asked)]);
    expect(found).toEqual(names);
    expect(await shown(sidecar, 'data.s3.public.test', { maxVersion: 'TLSv1.2' })).toBe('exact');
  });

  it('lets clients of bucket names in, each with a name that it checks', async () => {
    const sidecar = await start();
    const port = new URL(sidecar.url).port;
    const resolveHere: LookupFunction = (_, { all }, done) =>
      all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    const httpsAgent = new Agent({ ca: authority.certPem, lookup: resolveHere });
    const client = new S3Client({
      endpoint: `https://s3.public.test:${port}`,
      region: 'us-east-1',
      credentials: alice,
      requestHandler: { httpsAgent },
    });
    await client.send(new CreateBucketCommand({ Bucket: 'data' }));
    await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'text' }));
    const got = await client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
    expect(await got.Body?.transformToString()).toBe('text');
    expect(sidecar.seen.at(-1)?.target).toBe('/data/k');
  });

  it('says first of all of them when it expires', async () => {
    const sidecar = await start();
    const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    const seconds = Number(
      /^sts_sidecar_tls_certificate_expiry_timestamp_seconds\{listener="s3"\} (\S+)$/m.exec(text)?.[1],
    );
    const { certPem = '' } = pairs['public'] ?? {};
    expect(seconds).toBe(Date.parse(new X509Certificate(certPem).validTo) / 1000);
  });
});

describe('a reload', () => {
  it('takes new certificates, names and files, and keeps all when one pair does not fit', async () => {
    const sidecar = await start();
    const next = authority.issue({ names: ['data.s3.public.test', 'new.test'] });
    const all = filesOf({ ...pairs, exact: next });
    sidecar.reload({ files: all });
    expect(await shown(sidecar, 'data.s3.public.test')).toBe('another');
    expect(await shown(sidecar, 'new.test')).toBe('another');
    expect(await shown(sidecar, 's3.public.test')).toBe('public');
    const other = authority.issue();
    sidecar.reload({ files: { ...files, 'public.key': other.keyPem } });
    await expect
      .poll(() => sidecar.logged.join())
      .toContain('server.tls.certificates[0].keyFile: is not the key of the first certificate');
    expect(await shown(sidecar, 'new.test')).toBe('another');
    sidecar.reload({ files, server: `  tls: ${pair('default')}` });
    expect(await shown(sidecar, 's3.public.test')).toBe('default');
  });
});

describe('clientCaFile', () => {
  const answered = async (sidecar: TestSidecar, options: ConnectionOptions): Promise<string> => {
    try {
      const socket = await secureSocket(sidecar.url, { ca: authority.certPem, ...options });
      socket.write('GET /data/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      return (await untilClosed(socket)).split('\r\n')[0] ?? '';
    } catch {
      return 'no handshake';
    }
  };
  const credentials = ({ certPem, keyPem }: Issued) => ({ cert: certPem, key: keyPem });
  const foreign = createAuthority('clients');

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('holds for every name with %s', async (version) => {
    const sidecar = await start(', clientCaFile: clients.crt');
    const base = { minVersion: version, maxVersion: version };
    for (const servername of ['localhost', 's3.public.test', 'data.s3.public.test']) {
      const own = { ...base, servername };
      expect(await answered(sidecar, { ...own, ...credentials(clients.issue()) })).toMatch(/ 403 /);
      expect(await answered(sidecar, own)).not.toContain('HTTP');
      expect(await answered(sidecar, { ...own, ...credentials(foreign.issue()) })).not.toContain('HTTP');
      expect(await answered(sidecar, { ...own, ...credentials(authority.issue()) })).not.toContain('HTTP');
    }
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'lets sessions be resumed with %s, whatever their name',
    async (version) => {
      const sidecar = await start(', clientCaFile: clients.crt');
      const options = {
        ca: authority.certPem,
        minVersion: version,
        maxVersion: version,
        ...credentials(clients.issue()),
      };
      /** Asks once, and returns the last ticket, whether the session was resumed, and the answer. */
      const visit = async (
        servername: string,
        session?: Buffer,
      ): Promise<{ ticket: Buffer; isReused: boolean; line: string }> => {
        const tickets: Buffer[] = [];
        const socket: TLSSocket = await secureSocket(sidecar.url, {
          ...options,
          servername,
          ...(session === undefined ? {} : { session }),
        });
        socket.on('session', (ticket: Buffer) => tickets.push(ticket));
        const isReused = socket.isSessionReused();
        const early = socket.getSession();
        socket.write('GET /data/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
        const line = (await untilClosed(socket)).split('\r\n')[0] ?? '';
        return { ticket: tickets.at(-1) ?? early ?? Buffer.alloc(0), isReused, line };
      };
      for (const name of ['s3.public.test', 'localhost']) {
        const first = await visit(name);
        expect(first).toMatchObject({ isReused: false, line: 'HTTP/1.1 403 Forbidden' });
        expect(await visit(name, first.ticket)).toMatchObject({
          isReused: true,
          line: 'HTTP/1.1 403 Forbidden',
        });
      }
    },
  );
});
