import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned } from '../support/signed-socket.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A store that answers every request as the test says, on a bare socket. */
async function inFrontOf(answer: (socket: Socket) => void): Promise<TestSidecar> {
  const store = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  stops.push(() => void store.close());
  const sidecar = await startSidecar({ directory: openDirectory, backend: await listenAsStore(store) });
  stops.push(() => sidecar.stop());
  return sidecar;
}

const piece = Buffer.alloc(32_768, 'x');

/** Sends until the sidecar has read a last piece that it cannot pass on; nothing waits behind that piece. */
async function sendUntilHeldUp(store: Socket, isHeldUp: () => boolean): Promise<number> {
  let sent = 0;
  for (let heldUp = 0; heldUp < 3; heldUp = isHeldUp() ? heldUp + 1 : 0) {
    if (!isHeldUp()) {
      store.write(piece);
      sent += piece.length;
    }
    await setTimeout(2);
  }
  return sent;
}

interface Held {
  readonly store: Socket;
  readonly client: Socket;
  readonly sent: number;
}

/** An answer that the client has not begun to read, held up at its last byte so far. */
async function holdUp(head: string): Promise<Held> {
  let answered = (_: Held['store']): void => undefined;
  const answering = new Promise<Socket>((resolve) => {
    answered = resolve;
  });
  const sidecar = await inFrontOf((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n`);
    answered(socket);
  });
  const accepted = acceptedOn(Number(new URL(sidecar.url).port));
  stops.push(accepted.stop);
  const client = await openSigned(sidecar.url, {
    method: 'GET',
    path: '/data/key',
    headers: { connection: 'close' },
  });
  const store = await answering;
  const sent = await sendUntilHeldUp(store, () => accepted.sockets[0]?.writableNeedDrain ?? false);
  return { store, client, sent };
}

/** What arrives until the end: the bytes of the object, and whether the answer is whole. */
async function readOn(client: Socket): Promise<{ bytes: number; isWhole: boolean }> {
  const pieces: Buffer[] = [];
  client.on('error', () => undefined);
  client.on('data', (data: Buffer) => pieces.push(data));
  await once(client, 'close');
  const answer = Buffer.concat(pieces).toString('latin1');
  const bytes = answer.slice(answer.indexOf('\r\n\r\n')).split('x').length - 1;
  return { bytes, isWhole: answer.endsWith('\r\n0\r\n\r\n') };
}

describe('a store that ends its connection while a slow client delays the answer', () => {
  it('has sent the whole answer when the answer ends with the connection', async () => {
    const { store, client, sent } = await holdUp('connection: close\r\n');
    store.end();
    await setTimeout(50);
    expect(await readOn(client)).toEqual({ bytes: sent, isWhole: true });
  });

  it('cuts an answer that is shorter than its length', async () => {
    const { store, client } = await holdUp('connection: close\r\ncontent-length: 1000000000\r\n');
    store.end();
    await setTimeout(50);
    expect(await readOn(client)).toMatchObject({ isWhole: false });
  });

  it.each([
    ['with a length', 'content-length: 1000000000\r\n'],
    ['that ends with the connection', ''],
  ])('by a reset cuts an answer %s', async (_, header) => {
    const { store, client } = await holdUp(`connection: close\r\n${header}`);
    store.resetAndDestroy();
    await setTimeout(50);
    expect(await readOn(client)).toMatchObject({ isWhole: false });
  });
});
