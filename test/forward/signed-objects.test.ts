import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { anySeed, cutInto, type SignedPart, seedOf, signedParts } from '../support/signed-chunks.ts';
import { readAll, sendHead, signHead } from '../support/signed-socket.ts';
import { modes, send, upload } from '../support/signed-upload.ts';
import { summary } from '../support/wire.ts';

describe.each(modes)('an object of the demo store', (mode) => {
  let sidecar: TestSidecar;
  let atStore: S3Client;
  const before = 'what was there before';
  const data = randomBytes(200_000);

  beforeAll(async () => {
    sidecar = await startSidecar({ directory: openDirectory });
    atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    expect(
      await send(sidecar.url, '/data', { headers: { 'content-length': '0' }, wire: () => Buffer.alloc(0) }),
    ).toBe('200');
  });
  afterAll(() => sidecar.stop());

  const stored = async (Key: string): Promise<Buffer | string> => {
    const reading = atStore.send(new GetObjectCommand({ Bucket: 'data', Key }));
    const failed = await outcome(reading);
    return failed === 'allowed'
      ? Buffer.from((await (await reading).Body?.transformToByteArray()) ?? [])
      : failed;
  };

  it(`is what was sent in signed ${mode}`, async () => {
    expect(await send(sidecar.url, '/data/sent', upload(mode, data))).toBe('200');
    expect(data.equals(Buffer.from(await stored('sent')))).toBe(true);
  });

  it(`is invited in signed ${mode} when the head is valid and allowed, and not before`, async () => {
    const { headers, wire } = upload(mode, data);
    const length = String(wire(anySeed).length);
    const ask = async (more: Record<string, string>): Promise<[first: string, head: string, Socket]> => {
      const fields = {
        connection: 'close',
        'content-length': length,
        expect: '100-continue',
        ...headers,
        ...more,
      };
      const head = await signHead(sidecar.url, { method: 'PUT', path: '/data/invited', headers: fields });
      const socket = sendHead(sidecar.url, head);
      return [String((await once(socket, 'data'))[0]), head, socket];
    };
    for (const [more, refusal] of [
      [{ 'x-amz-decoded-content-length': '5368709121' }, '400 EntityTooLarge'],
      [{ 'x-amz-trailer': 'x-amz-meta-a' }, '400 InvalidRequest'],
      [{ 'x-amz-unknown': 'a' }, '501 NotImplemented'],
    ] as const) {
      const [first, , socket] = await ask(more);
      expect(first).not.toContain('100 Continue');
      expect(summary(first)).toBe(refusal);
      socket.destroy();
    }
    const [first, head, socket] = await ask({});
    expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(wire(seedOf(head, alice.secretAccessKey)));
    expect(summary(await readAll(socket))).toBe('200');
  });

  it(`counts as a failed authentication when its signature in ${mode} is wrong`, async () => {
    const count = async (): Promise<number> => {
      const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
      const line = /^sts_sidecar_authn_failures_total\{.*reason="signature_mismatch".*\} (\d+)$/m;
      return Number(line.exec(metrics)?.[1] ?? 0);
    };
    const before = await count();
    const change = ([first, ...rest]: SignedPart[]): SignedPart[] =>
      first === undefined ? [] : [{ ...first, signature: 'f'.repeat(64) }, ...rest];
    await send(sidecar.url, '/data/forged', upload(mode, data, { change }));
    await expect.poll(count).toBe(before + 1);
    expect(sidecar.logged.join('')).toContain('"error_detail":"chunk_signature_mismatch"');
  });

  it(`is not replaced by invalid ones in signed ${mode}`, async () => {
    await atStore.send(new PutObjectCommand({ Bucket: 'data', Key: 'kept', Body: before }));
    const count = signedParts(cutInto(data, 65_536), anySeed).length + modes.indexOf(mode);
    for (let index = 0; index < count; index += 1) {
      const change = (parts: SignedPart[]): SignedPart[] =>
        parts.map((part, at) => (at === index ? { ...part, signature: 'f'.repeat(64) } : part));
      expect(await send(sidecar.url, '/data/kept', upload(mode, data, { change }))).toBe(
        '403 SignatureDoesNotMatch',
      );
      expect(await send(sidecar.url, '/data/never', upload(mode, data, { change }))).toBe(
        '403 SignatureDoesNotMatch',
      );
    }
    expect(String(await stored('kept'))).toBe(before);
    expect(await stored('never')).toBe('NoSuchKey 404');
  });
});
