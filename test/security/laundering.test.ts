import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireSignature } from '../../src/authenticate/scheme.ts';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { readHeaderSignature } from '../../src/sigv4/header-signature.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { verifySignature } from '../../src/sigv4/verify.ts';
import { openDirectory } from '../support/open-directory.ts';
import { toRawRequest, type WireRequest } from '../support/raw-requests.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

describe('a request with two kinds of credentials', () => {
  const header: [string, string] = ['authorization', 'AWS4-HMAC-SHA256 Credential=x'];
  it.each<[string, Partial<WireRequest>]>([
    ['a header and a presigned URL', { target: '/b/k?X-Amz-Signature=0', headers: [header] }],
    [
      'a header and a presigned URL in other capitals',
      { target: '/b/k?x-amz-credential=0', headers: [header] },
    ],
    ['a header and a token in the query', { target: '/b/k?X-Amz-Security-Token=0', headers: [header] }],
    ['a header and a V2 query', { target: '/b/k?AWSAccessKeyId=a', headers: [header] }],
    ['two authorization headers', { headers: [header, ['authorization', 'AWS AKIA:x']] }],
    ['a header and a form', { method: 'POST', headers: [header, ['content-type', 'multipart/form-data']] }],
  ])('is refused: %s', (_, request) => {
    const raw = toRawRequest({ method: 'GET', target: '/b/k', headers: [], ...request });
    if (raw === undefined) throw new Error('unreadable');
    expect(() => requireSignature(raw)).toThrowError(
      expect.objectContaining({ reason: 'several_credentials' }),
    );
  });
});

describe('a stranger who knows an access key id', () => {
  it('leaves nothing in the signing key cache', async () => {
    const keys = new SigningKeyCache();
    for (let round = 0; round < 50; round += 1) {
      const wire = await signWithSmithy(
        { method: 'GET', path: '/b/k', query: {}, headers: { host: 'localhost' } },
        { accessKeyId: alice.accessKeyId, secretAccessKey: 'guessed' },
        { region: `region-${round}` },
      );
      const raw = toRawRequest(wire);
      if (raw === undefined) throw new Error('unreadable');
      const signed = readHeaderSignature(raw, {
        service: 's3',
        payloadHash: 'required',
        allowsStreaming: false,
      });
      expect(() => verifySignature(signed, new Secret(alice.secretAccessKey), 'x', keys)).toThrow(
        AuthenticationFault,
      );
    }
    expect(keys.size).toBe(0);
  });

  it.each(['r'.repeat(65), 'a b', 'ü', 'us-east-1,x'])('cannot name the region %j', async (region) => {
    const wire = await signWithSmithy(
      { method: 'GET', path: '/b/k', query: {}, headers: { host: 'localhost' } },
      alice,
      { region },
    );
    const raw = toRawRequest(wire);
    if (raw === undefined) throw new Error('unreadable');
    const read = () =>
      readHeaderSignature(raw, { service: 's3', payloadHash: 'required', allowsStreaming: false });
    expect(read).toThrowError(expect.objectContaining({ reason: 'malformed_authorization' }));
  });
});

describe('a store that would believe anything', () => {
  let sidecar: TestSidecar;
  let received = 0;
  let isComplete = false;
  const store = createServer((message: IncomingMessage, response) => {
    message.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    message.on('end', () => {
      isComplete = true;
      response.end();
    });
    message.on('error', () => undefined);
  });

  beforeAll(async () => {
    store.listen(0, '127.0.0.1');
    await once(store, 'listening');
    const { port } = store.address() as AddressInfo;
    sidecar = await startSidecar({
      directory: openDirectory,
      backend: { endpoint: `http://127.0.0.1:${port}`, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    store.close();
  });

  it.each([
    ['UNSIGNED-PAYLOAD', 1_000_000],
    ['a'.repeat(64), 1_000_000],
    ['a'.repeat(64), 100],
  ])('never gets the whole of a wrong upload (%s, %i bytes)', async (digest, size) => {
    received = 0;
    isComplete = false;
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/key',
      headers: { 'x-amz-content-sha256': digest, 'content-length': String(size) },
    });
    if (digest === 'UNSIGNED-PAYLOAD') {
      socket.write(randomBytes(size - 1));
      await setTimeout(200);
      socket.destroy();
    } else {
      socket.write(randomBytes(size));
      expect(summary(await readAll(socket))).toBe('400 XAmzContentSHA256Mismatch');
    }
    await setTimeout(200);
    expect(isComplete).toBe(false);
    expect(received).toBeLessThan(size);
  });

  it.each([
    ['another digest', { 'x-amz-content-sha256': 'a'.repeat(64) }, 'XAmzContentSHA256Mismatch'],
    [
      'another MD5',
      { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
      'BadDigest',
    ],
  ])('is not asked to delete by a document with %s', async (_, headers, code) => {
    isComplete = false;
    const { host } = new URL(sidecar.url);
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const wire = await signWithSmithy(
      {
        method: 'POST',
        path: '/data',
        query: { delete: '' },
        headers: { host, 'content-length': String(body.length), ...headers },
      },
      alice,
      { nowMs: Date.now() },
    );
    expect(summary(await exchange(sidecar.url, toBytes(wire, body)))).toBe(`400 ${code}`);
    expect(isComplete).toBe(false);
  });
});
