import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxBodyBytes } from '../../../src/demo/store/read-body.ts';
import { type StoreFixture, signedHeaders, startFixture } from './store-fixture.ts';

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.send({ method: 'PUT', target: '/data' });
  await fixture.send({ method: 'PUT', target: '/data/kept', body: 'old' });
});
afterAll(() => fixture.store.close());

function headOf(target: string, extra: readonly string[], secretAccessKey?: string): string {
  const fields = signedHeaders(fixture.store.port, {
    method: 'PUT',
    target,
    payloadHash: 'UNSIGNED-PAYLOAD',
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  });
  const lines = [...fields.map(({ name, value }) => `${name}: ${value}`), ...extra];
  return `PUT ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(fixture.store.port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Everything the store sends until it closes, or until `text` has come. */
function read(socket: Socket, text = '\0'): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.includes(text)) resolve(received);
    });
    socket.on('close', () => resolve(received));
  });
}

describe('bodies', () => {
  it('accepts a body that is not part of the signature', async () => {
    const answer = await fixture.send({
      method: 'PUT',
      target: '/data/unsigned',
      body: 'x',
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
    expect(answer.status).toBe(200);
  });

  it('rejects a body that is not the signed one, and keeps the old object', async () => {
    const answer = await fixture.send({
      method: 'PUT',
      target: '/data/kept',
      body: 'new',
      payloadHash: 'a'.repeat(64),
    });
    expect([answer.status, answer.code]).toEqual([400, 'XAmzContentSHA256Mismatch']);
    expect((await fixture.send({ target: '/data/kept' })).body).toBe('old');
  });

  it.each(['end', 'destroy'] as const)(
    'stores nothing when the client %ss the connection early',
    async (how) => {
      for (const target of ['/data/kept', '/data/new']) {
        const socket = await open();
        socket.write(`${headOf(target, ['content-length: 100'])}only a part`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.resume();
        socket[how]();
        await closed;
      }
      expect((await fixture.send({ target: '/data/kept' })).body).toBe('old');
      expect((await fixture.send({ target: '/data/new' })).code).toBe('NoSuchKey');
    },
  );

  it('rejects a chunked body without a length', async () => {
    const socket = await open();
    socket.write(
      `${headOf('/data/kept', ['transfer-encoding: chunked', 'connection: close'])}3\r\nnew\r\n0\r\n\r\n`,
    );
    expect(await read(socket)).toMatch(/^HTTP\/1\.1 411 [\s\S]*MissingContentLength/);
  });

  it('rejects an upload that declares neither a length nor chunks', async () => {
    const socket = await open();
    socket.write(headOf('/data/kept', ['connection: close']));
    expect(await read(socket)).toMatch(/^HTTP\/1\.1 411 [\s\S]*MissingContentLength/);
    expect((await fixture.send({ target: '/data/kept' })).body).toBe('old');
  });

  it('rejects a body larger than it keeps before reading it', async () => {
    const socket = await open();
    socket.write(headOf('/data/kept', [`content-length: ${maxBodyBytes + 1}`]));
    expect(await read(socket, '</Error>')).toMatch(/^HTTP\/1\.1 400 [\s\S]*EntityTooLarge/);
    socket.destroy();
  });

  it('sends 100 Continue for a body that waits for it', async () => {
    const socket = await open();
    socket.write(headOf('/data/invited', ['content-length: 4', 'expect: 100-continue']));
    expect(await read(socket, '100 Continue')).toMatch(/^HTTP\/1\.1 100 Continue/);
    socket.write('body');
    expect(await read(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
    expect((await fixture.send({ target: '/data/invited' })).body).toBe('body');
  });

  it('rejects a caller without 100 Continue', async () => {
    const socket = await open();
    socket.write(headOf('/data/kept', ['content-length: 4', 'expect: 100-continue'], 'wrong'));
    const answer = await read(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*SignatureDoesNotMatch/);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it.each([
    ['an absolute target', 'GET http://example.com/data HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['something that is not HTTP', 'HELLO\r\n\r\n'],
  ])('rejects %s with 400 and a request id', async (_, text) => {
    const socket = await open();
    socket.write(text);
    expect((await read(socket)).toLowerCase()).toMatch(
      /^http\/1\.1 400 [\s\S]*x-amz-request-id: [0-9a-f]{16}/,
    );
  });

  it('rejects starting on a port that is in use', async () => {
    await expect(startFixture({ port: fixture.store.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('closes while a client holds a connection open', async () => {
    const other = await startFixture();
    const socket = connect(other.store.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await other.store.close();
    await closed;
  });
});
