import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { BudgetExhaustedError, ByteBudget } from '../../src/core/byte-budget.ts';
import { GatheringMessage } from '../../src/edge/gathering-message.ts';
import { GrowingBuffer } from '../../src/forward/growing-buffer.ts';
import { collect } from '../../src/forward/request-body.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { readAnswer, summary } from '../support/wire.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

describe('a growing buffer', () => {
  it('reserves a block that doubles, and never more than was announced', () => {
    const reservation = new ByteBudget(1_000_000).reserve('test');
    const buffer = new GrowingBuffer(reservation, 10_000);
    const paid: number[] = [];
    for (let count = 0; count < 10; count += 1) {
      expect(buffer.push(Buffer.alloc(1000, count))).toBe(true);
      paid.push(reservation.bytes);
    }
    expect(paid).toEqual([4096, 4096, 4096, 4096, 8192, 8192, 8192, 8192, 10_000, 10_000]);
    expect(buffer.push(Buffer.alloc(1))).toBe(false);
    expect([...new Set(buffer.bytes())]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(buffer.length).toBe(10_000);
  });

  it('adds to what is reserved already', () => {
    const reservation = new ByteBudget(1_000_000).reserve('test');
    reservation.growTo(50_000);
    new GrowingBuffer(reservation, 10_000).push(Buffer.alloc(10_000));
    expect(reservation.bytes).toBe(60_000);
  });

  it('takes nothing when there is no room', () => {
    const reservation = new ByteBudget(10_000).reserve('test');
    const buffer = new GrowingBuffer(reservation, 100_000);
    buffer.push(Buffer.alloc(4096));
    expect(() => buffer.push(Buffer.alloc(4096))).toThrow(BudgetExhaustedError);
    expect([buffer.length, reservation.bytes]).toEqual([4096, 4096]);
  });
});

type Read = (message: IncomingMessage) => Promise<Buffer>;

/** A server that reads a body and answers with the result. */
async function reading(read: Read): Promise<Socket> {
  const server = createServer({ IncomingMessage: GatheringMessage }, (message, response) => {
    void read(message).then(
      (body) => response.end(`read ${body.length}`),
      (fault: unknown) => {
        response.writeHead(400, { connection: 'close' });
        response.end(fault instanceof BodyFault ? `fault ${fault.reason}` : String(fault));
      },
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => void server.close());
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

const chunkedHead = 'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
const oneByteChunks = (count: number): string => '1\r\nx\r\n'.repeat(count);

describe('a body that is read whole', () => {
  const readInto =
    (budget: ByteBudget, deadlineMs?: number): Read =>
    (message) =>
      collect(message, 2_000_000, budget.reserve('test'), deadlineMs);

  it.each([
    [0, 'read 0'],
    [128, 'read 128'],
    [129, 'fault fragmented'],
    [20_000, 'fault fragmented'],
  ])('and comes in %i chunks of one byte', async (count, expected) => {
    const socket = await reading(readInto(new ByteBudget(10_000_000)));
    socket.write(`${chunkedHead}${oneByteChunks(count)}0\r\n\r\n`);
    expect(await readAll(socket)).toContain(expected);
  });

  it('costs what arrived and not what was announced', async () => {
    const budget = new ByteBudget(10_000_000);
    const socket = await reading(readInto(budget, 300));
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\nabc');
    expect(await readAll(socket)).toContain('fault idle');
    expect(budget.usedBytes).toBe(4096);
  });

  it('is refused from its head when it is longer than allowed', async () => {
    const socket = await reading(readInto(new ByteBudget(10_000_000)));
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2000001\r\n\r\n');
    expect(await readAll(socket)).toContain('fault document_too_large');
  });

  it('is refused as soon as its chunks are longer than allowed', async () => {
    const socket = await reading(readInto(new ByteBudget(10_000_000)));
    socket.write(`${chunkedHead}1e8481\r\n`);
    socket.write(Buffer.alloc(2_000_001));
    expect(await readAll(socket)).toContain('fault document_too_large');
  });
});

async function started(server = ''): Promise<TestSidecar> {
  const sidecar = await startSidecar({ directory: openDirectory, server });
  stops.push(() => sidecar.stop());
  return sidecar;
}

const small = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };

describe('through the sidecar', () => {
  it.each([
    ['POST', '/data?delete'],
    ['PUT', '/data'],
    ['PUT', '/data?tagging'],
  ])('a document in HTTP chunks has no length (%s %s), as on AWS, MinIO and Ceph', async (method, path) => {
    const { url } = await started();
    const socket = await openSigned(url, {
      method,
      path,
      headers: { ...small, 'transfer-encoding': 'chunked' },
    });
    socket.write(oneByteChunks(5000));
    expect(summary(await readAll(socket))).toBe('411 MissingContentLength');
  });

  it('an absent document needs no length', async () => {
    const { url } = await started();
    const bucket = { method: 'PUT', path: '/new-bucket', headers: { ...small, connection: 'close' } };
    expect(await readAll(await openSigned(url, bucket))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('an STS form in chunks of one byte is refused', async () => {
    const { url } = await started();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const type = 'content-type: application/x-www-form-urlencoded\r\n';
    socket.write(`${chunkedHead.replace('\r\n\r\n', `\r\n${type}\r\n`)}${oneByteChunks(5000)}`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 4.*<Code>MalformedQueryString</s);
  });

  it('one caller who holds half of the budget gets SlowDown, and the others are served', async () => {
    const { url } = await started('  limits: { maxBufferedBytes: 16777216 }');
    const batch = {
      method: 'POST',
      path: '/data?delete',
      headers: { ...small, 'content-length': '2000000', connection: 'close' },
    };
    const answers = new Set<string>();
    const sockets: Socket[] = [];
    for (let count = 0; count < 6; count += 1) {
      const socket = await openSigned(url, batch);
      socket.write(Buffer.alloc(1_999_999, ' '));
      sockets.push(socket);
      void readAnswer(socket).then((answer) => answers.add(summary(answer)));
    }
    await expect.poll(() => [...answers]).toEqual(['503 SlowDown']);
    const form = await fetch(url, { method: 'POST', body: new URLSearchParams({ Action: 'Nothing' }) });
    expect(form.status).toBe(400);
    for (const socket of sockets) socket.destroy();
  });
});
