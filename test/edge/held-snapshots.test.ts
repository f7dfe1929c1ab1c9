import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HeldSnapshots } from '../../src/edge/held-snapshots.ts';

const server = createServer((socket) => socket.on('error', () => undefined));
const clients: Socket[] = [];
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => {
  for (const client of clients) client.destroy();
  server.close();
});

/** A request on a connection of its own, or on that of another one. */
interface Request {
  readonly socket: Socket;
  readonly place: { holder: string };
}

async function accepted(): Promise<Request> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(client.on('error', () => undefined));
  const [socket] = (await once(server, 'connection')) as [Socket];
  return { socket, place: { holder: 'strangers' } };
}

const configuration = (characters = 1): { readonly characters: number } => ({ characters });

it('requests hold eight earlier configurations at most, and those of the oldest are reset', async () => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const requests: Request[] = [];
  for (let count = 0; count < 9; count += 1) {
    const request = await accepted();
    requests.push(request);
    held.hold(configuration(), request);
  }
  expect(requests.map(({ socket }) => socket.destroyed)).toEqual(Array(9).fill(false));
  held.hold(configuration(), await accepted());
  expect(requests.map(({ socket }) => socket.destroyed)).toEqual([true, ...Array(8).fill(false)]);
});

it('a configuration that no request holds any more does not count', async () => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const first = await accepted();
  held.hold(configuration(), first);
  for (let count = 0; count < 30; count += 1) {
    const request = await accepted();
    const own = configuration();
    held.hold(own, request);
    held.letGo(own, request);
  }
  expect(first.socket.destroyed).toBe(false);
});

it.each([
  [
    [100_000, 100_000, 100_000, 1],
    [true, false, false, false],
  ],
  [
    [100_000, 1_000_000, 1, 1],
    [true, true, false, false],
  ],
  [
    [1, 1_000_000, 1_000_000],
    [true, false, false],
  ],
])('of configurations of %j characters the earliest are reset', async (sizes, expected) => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const requests: Request[] = [];
  for (const characters of sizes) {
    const request = await accepted();
    requests.push(request);
    held.hold(configuration(characters), request);
  }
  expect(requests.map(({ socket }) => socket.destroyed)).toEqual(expected);
});

it('all requests that hold an earlier configuration can be reset', async () => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const requests = [await accepted(), await accepted(), await accepted()];
  const inForce = configuration();
  for (const [index, request] of requests.entries())
    held.hold(index === 2 ? inForce : configuration(), request);
  expect(held.endEarlier(inForce)).toBe(2);
  expect(requests.map(({ socket }) => socket.destroyed)).toEqual([true, true, false]);
});

it('the next request of a connection counts although the one before it ends later', async () => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const [one, { socket, place }] = [configuration(), await accepted()];
  const first = { socket, place };
  held.hold(one, first);
  held.hold(one, { socket, place });
  held.letGo(one, first);
  for (let count = 0; count < 9; count += 1) held.hold(configuration(), await accepted());
  expect(socket.destroyed).toBe(true);
});

it('all requests of the caller that has most can be reset, if they are many', async () => {
  const held = new HeldSnapshots<{ readonly characters: number }>();
  const inForce = configuration();
  const requests: Request[] = [];
  for (const holder of ['bob', 'alice', 'alice', 'carol', 'carol', 'carol', 'over']) {
    const request = await accepted();
    requests.push(request);
    held.hold(inForce, request);
    // Known only once the signature has been verified.
    request.place.holder = holder;
    if (holder === 'over') held.letGo(inForce, request);
  }
  const ended = (): string[] =>
    requests.filter(({ socket }) => socket.destroyed).map(({ place }) => place.holder);
  expect(held.endEarlier(inForce)).toBe(0);
  expect(held.endBusiest(1, 7)).toBe(0);
  expect(ended()).toEqual([]);
  expect(held.endBusiest(1, 3)).toBe(3);
  expect(ended()).toEqual(['carol', 'carol', 'carol']);
  // The requests of a connection that was reset end, and count no more.
  for (const request of requests.slice(3)) held.letGo(inForce, request);
  expect(held.endBusiest(1, 3)).toBe(3);
  expect(ended()).toEqual(['bob', 'alice', 'alice', 'carol', 'carol', 'carol']);
});

it('nothing is reset where nothing is in progress', () => {
  expect(new HeldSnapshots<{ readonly characters: number }>().endBusiest(1, 1)).toBe(0);
});
