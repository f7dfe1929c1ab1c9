import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { account, alice, roleArn } from '../support/sidecar.ts';
import {
  clientHello,
  plainSocket,
  secureS3,
  secureSocket,
  secureSts,
  untilClosed,
} from '../support/tls-clients.ts';
import { dataType, handshakeType, recordSession } from '../support/tls-records.ts';

const authority = createAuthority();
const between = authority.intermediate('between');
const issued = between.issue({ names: ['localhost', '127.0.0.1', '*.s3.localhost'] });
const tls = { ca: authority.certPem };
let one: Program;
let url: string;

beforeAll(async () => {
  one = await startProgram({
    // Memory is overwritten when it is freed, so that its use afterwards ends the process: mallopt(3).
    variables: { MALLOC_PERTURB_: '165' },
    server: 'tls: { certFile: tls.crt, keyFile: tls.key }, virtualHosts: [s3.localhost]',
    limits: '{ headersTimeoutSeconds: 2 }',
    files: { 'tls.crt': issued.certPem + between.certPem, 'tls.key': issued.keyPem },
  });
  url = one.url.replace('127.0.0.1', 'localhost');
  await secureS3(url, alice, tls).send(new CreateBucketCommand({ Bucket: 'data' }));
}, 120_000);
afterAll(() => one.stop());

describe('clients that trust the authority', () => {
  it('are served by a chain of certificates, with everything that they can do without TLS', async () => {
    expect(url).toMatch(/^https:/);
    const sts = secureSts(url, alice, tls);
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${account}:user/alice`);
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn('data'), RoleSessionName: 'over-tls' }),
    );
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const s3 = secureS3(url, session, tls);
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'small', Body: 'hello' }));
    const got = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'small' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect((await s3.send(new ListObjectsV2Command({ Bucket: 'data' }))).Contents?.[0]?.Key).toBe('small');
  });

  it('upload in parts and as streams, and read back every byte', async () => {
    const s3 = secureS3(url, alice, tls);
    const content = randomBytes(11 * 1024 * 1024);
    const upload = {
      Bucket: 'data',
      Key: 'parts',
      Body: Readable.from([content.subarray(0, 7), content.subarray(7)]),
    };
    await new Upload({ client: s3, params: upload, partSize: 5 * 1024 * 1024 }).done();
    const got = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'parts' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
    const body = Readable.from([content.subarray(0, 3_000_000)]);
    await s3.send(
      new PutObjectCommand({ Bucket: 'data', Key: 'stream', Body: body, ContentLength: 3_000_000 }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'data', Key: 'stream' }));
    expect(head.ContentLength).toBe(3_000_000);
  });
});

describe('refuses', () => {
  it('plain HTTP at once, with a hint, and goes on', async () => {
    const socket = await plainSocket(url);
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect(await untilClosed(socket)).toContain('this port speaks https only');
    expect(one.isRunning()).toBe(true);
  });

  it.each([
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['another application protocol', { ALPNProtocols: ['h2'] }],
    ['a cipher in CBC mode', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
  ] as const)('%s', async (_, options) => {
    const wished = secureSocket(url, {
      ca: authority.certPem,
      ...options,
      ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : ['http/1.1'])],
    });
    await expect(wished).rejects.toThrow(/alert|protocol/);
  });

  it('clients that trust another authority, who see it', async () => {
    const other = secureS3(url, alice, { ca: createAuthority().certPem });
    await expect(other.send(new GetObjectCommand({ Bucket: 'data', Key: 'small' }))).rejects.toThrow(
      /certificate/,
    );
  });

  it('renegotiation, and goes on', { timeout: 20_000 }, async () => {
    for (let session = 0; session < 5; session += 1) {
      const raw = await plainSocket(url);
      const socket = await secureSocket(url, { socket: raw, ca: authority.certPem, maxVersion: 'TLSv1.2' });
      const bytesBefore = raw.bytesRead;
      const refused = new Promise((resolve) => {
        socket.once('close', () => resolve('closed'));
        socket.renegotiate({}, () => resolve('renegotiated'));
      });
      expect(await refused).toBe('closed');
      // Nothing was signed for it.
      expect(raw.bytesRead).toBe(bytesBefore);
      socket.destroy();
    }
    await secureSts(url, alice, tls).send(new GetCallerIdentityCommand({}));
    expect(one.isRunning()).toBe(true);
  });

  // Node says so from within OpenSSL, which must not be torn down there.
  it.each([1, 5, 1_000])(
    '%i empty ClientHellos within a session, and goes on',
    { timeout: 20_000 },
    async (count) => {
      for (let session = 0; session < 3; session += 1) {
        const { socket, record } = await recordSession(url, authority.certPem);
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.write(record(dataType, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')));
        await once(socket, 'data');
        const hello = Buffer.from([1, 0, 0, 0]);
        socket.write(Buffer.concat(Array.from({ length: count }, () => record(handshakeType, hello))));
        await closed;
        socket.destroy();
      }
      await secureSts(url, alice, tls).send(new GetCallerIdentityCommand({}));
      expect(one.isRunning()).toBe(true);
    },
  );

  it('renegotiation behind the end of an answer, and leaves nothing open', { timeout: 30_000 }, async () => {
    const open = (): Promise<number> => one.metric('sts_sidecar_open_connections{listener="s3"}');
    const before = await open();
    const sockets = await Promise.all(
      Array.from({ length: 40 }, () => secureSocket(url, { ca: authority.certPem, maxVersion: 'TLSv1.2' })),
    );
    for (const socket of sockets) {
      socket.write('GET /data/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      socket.renegotiate({}, () => undefined);
      socket.write('GET / HTTP/1.1\r\n');
    }
    await Promise.all(sockets.map((socket) => untilClosed(socket)));
    for (const socket of sockets) socket.destroy();
    await expect.poll(open).toBeLessThanOrEqual(before);
  });

  it('garbage, a broken handshake and an empty connection, without a crash', async () => {
    const hello = Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    for (const bytes of [randomBytes(200), Buffer.from([22, 3]), hello, Buffer.alloc(0)]) {
      const socket = await plainSocket(url);
      socket.end(bytes);
      await untilClosed(socket);
    }
    const secure = await secureSocket(url, { ca: authority.certPem });
    expect(secure.getProtocol()).toBe('TLSv1.2');
    secure.destroy();
    expect(one.isRunning()).toBe(true);
  });
});

describe('a handshake that never ends', () => {
  it.each([
    ['says nothing', Buffer.alloc(0)],
    ['sends a part of its ClientHello', Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
  ])('is cut off after headersTimeoutSeconds when the client %s', async (_, bytes) => {
    const socket = await plainSocket(url);
    socket.write(bytes);
    const beganAt = Date.now();
    await untilClosed(socket);
    expect(Date.now() - beganAt).toBeGreaterThan(1_800);
  });

  it.each([
    ['stops', false],
    ['ends its side', true],
  ])('is cut off when the client %s after its ClientHello', async (_, isEnded) => {
    const socket = await stoppedAfterHello();
    if (isEnded) socket.end();
    const failuresBefore = await one.metric(
      'sts_sidecar_tls_handshake_failures_total{listener="s3",reason="timeout"}',
    );
    await untilClosed(socket);
    const failures = await one.metric(
      'sts_sidecar_tls_handshake_failures_total{listener="s3",reason="timeout"}',
    );
    if (!isEnded) expect(failures).toBeGreaterThan(failuresBefore || 0);
  });
});

/** A connection whose client has sent a valid ClientHello and nothing after it. */
async function stoppedAfterHello() {
  const hello = await clientHello();
  const socket = await plainSocket(url);
  socket.write(hello);
  return socket;
}

it('logs at most one line a second about handshakes that fail', async () => {
  const lines = (): number => one.output().split('"component":"tls"').length - 1;
  const before = lines();
  const beganAt = Date.now();
  for (let count = 0; count < 200; count += 1) {
    const socket = await plainSocket(url);
    socket.write('x');
    await untilClosed(socket);
  }
  expect(lines() - before).toBeLessThanOrEqual(2 + (Date.now() - beganAt) / 1_000);
  expect(
    await one.metric('sts_sidecar_tls_handshake_failures_total{listener="s3",reason="not_tls"}'),
  ).toBeGreaterThanOrEqual(200);
});

it('shows when the first certificate of the chain expires', async () => {
  const expiry = await one.metric('sts_sidecar_tls_certificate_expiry_timestamp_seconds{listener="s3"}');
  expect(expiry * 1000 - Date.now()).toBeGreaterThan(9 * 86_400_000);
  expect(expiry * 1000 - Date.now()).toBeLessThan(11 * 86_400_000);
});
