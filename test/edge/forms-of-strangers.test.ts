import { connect, type Socket } from 'node:net';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { formBody, formType, signedFields } from '../support/post-form.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { readAnswer, summary } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeEach(async () => {
  sidecar = await startSidecar({
    directory: openDirectory,
    server: '  limits: { maxUnauthenticated: 2, maxInFlight: 1, maxConnections: 20 }',
  });
});
afterEach(() => sidecar.stop());

/** Opens a form of that many bytes, and sends the beginning of it. */
function open(length: number, bytes: string | Buffer = '', further = ''): Socket {
  const { host, hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  const head = `POST /data HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${formType}\r\nContent-Length: ${length}\r\n${further}\r\n`;
  socket.write(head, 'latin1');
  socket.write(bytes);
  return socket;
}

const gauge = async (name: string): Promise<string | undefined> => {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return new RegExp(`^sts_sidecar_${name} (\\d+)$`, 'm').exec(metrics)?.[1];
};

describe('a form whose fields never arrive', () => {
  it('gives way to the third stranger', async () => {
    const answer = readAll(open(1000, '--'));
    await expect.poll(() => gauge('unauthenticated_requests')).toBe('1');
    open(1000);
    await expect.poll(() => gauge('unauthenticated_requests')).toBe('2');
    open(1000);
    expect(summary(await answer)).toBe('503 SlowDown');
    expect(await gauge('unauthenticated_requests')).toBe('2');
  });

  it('does not keep out a caller', async () => {
    open(1000);
    open(1000);
    await expect.poll(() => gauge('unauthenticated_requests')).toBe('2');
    expect(await outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
  });

  it('ends after ten seconds', async () => {
    const startedAt = Date.now();
    expect(summary(await readAll(open(1000, '--')))).toBe('400 RequestTimeout');
    expect(Date.now() - startedAt).toBeGreaterThan(9_000);
  });
});

describe('a form', () => {
  const signed = (): Buffer => {
    const conditions = [{ bucket: 'data' }, { key: 'posted' }];
    const fields = [['key', 'posted'] as const, ...signedFields({ credentials: alice, conditions })];
    return formBody({ fields, file: Buffer.alloc(200_000, 'a') });
  };

  it('counts for its caller once its fields have been read', async () => {
    const body = signed();
    const socket = open(body.length, body.subarray(0, 100_000));
    await expect.poll(() => gauge('unauthenticated_requests')).toBe('0');
    expect(await outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({})))).toBe('SlowDown 503');
    socket.destroy();
    await expect
      .poll(() => outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({}))))
      .toBe('allowed');
  });

  it('is invited, since its credentials are in its body, unless its head is refused', async () => {
    const body = signed();
    const invited = open(body.length, '', 'Expect: 100-continue\r\n');
    const first = await new Promise<string>((resolve) =>
      invited.once('data', (data) => resolve(String(data))),
    );
    expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    invited.write(body);
    expect(summary(await readAnswer(invited))).toBe('404 NoSuchBucket');
    const refused = open(body.length, '', 'Expect: 100-continue\r\nx-amz-acl: private\r\n');
    expect(summary(await readAnswer(refused))).toBe('403 AccessDenied');
  });

  it('leaves its connection to the next request', async () => {
    const body = signed();
    const socket = open(body.length, body);
    expect(summary(await readAnswer(socket))).toBe('404 NoSuchBucket');
    const again = open(0);
    again.destroy();
    socket.write(`GET /data/posted HTTP/1.1\r\nHost: ${new URL(sidecar.url).host}\r\n\r\n`);
    expect(summary(await readAnswer(socket))).toBe('403 AccessDenied');
  });
});
