import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RequestTurns } from '../../src/edge/request-turns.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { inBytes, Swarm } from '../support/hostile/sockets.ts';
import { account, alice, defaultDirectory, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory: defaultDirectory });
});
afterAll(() => sidecar.stop());

const userArn = (name: string): string => `arn:aws:iam::${account}:user/${name}`;
const unsigned = 'GET /data/k HTTP/1.1\r\nHost: localhost\r\n\r\n';
const signedBy = (caller: typeof alice): Promise<string> =>
  signedHead(sidecar.url, caller, { method: 'GET', path: '/data/k' });

/** From now on strangers get no turn for a request that is not the first of its connection, until `release` is called. */
function holdTurns(): { release: () => void; abandoned: () => number } {
  const { mayBegin } = RequestTurns.prototype;
  let resolve = (): void => undefined;
  const comes = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  let abandoned = 0;
  const abandon = (): void => {
    abandoned += 1;
  };
  const maying = vi.spyOn(RequestTurns.prototype, 'mayBegin').mockImplementation(function (
    this: RequestTurns,
  ) {
    return mayBegin.call(this) && (this.isKnown || !begun.has(this));
  });
  const asking = vi.spyOn(RequestTurns.prototype, 'ask').mockReturnValue({ comes, abandon });
  const release = (): void => {
    maying.mockRestore();
    asking.mockRestore();
    resolve();
  };
  onTestFinished(release);
  return { release, abandoned: () => abandoned };
}

/** The connections of which a request has begun. */
const begun = new WeakSet<RequestTurns>();
beforeEach(() => {
  const { noteWork } = RequestTurns.prototype;
  vi.spyOn(RequestTurns.prototype, 'noteWork').mockImplementation(function (this: RequestTurns, ms) {
    begun.add(this);
    noteWork.call(this, ms);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A connection that counts its answers. */
function connected(): { send: (bytes: string) => void; answers: () => number; leave: () => void } {
  const swarm = new Swarm(sidecar.url);
  onTestFinished(() => swarm.close());
  const socket = swarm.open('');
  return {
    send: (bytes) => socket.write(bytes, 'latin1'),
    answers: () => swarm.answers[0]?.match(/HTTP\/1\.1 \d/g)?.length ?? 0,
    leave: () => swarm.close(),
  };
}

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) await setImmediate();
}

describe('while there is no turn for requests of strangers', () => {
  it('the second one on a connection waits, and those of callers do not', async () => {
    const stranger = connected();
    stranger.send(unsigned);
    await expect.poll(stranger.answers).toBe(1);
    const { release } = holdTurns();
    stranger.send(unsigned);
    const caller = connected();
    const head = await signedBy(alice);
    for (let sent = 1; sent <= 4; sent += 1) {
      caller.send(head);
      await expect.poll(caller.answers).toBe(sent);
    }
    expect(stranger.answers()).toBe(1);
    release();
    await expect.poll(stranger.answers).toBe(2);
  });

  it('a new connection is answered, and one that closes gives up its turn', async () => {
    const first = connected();
    first.send(unsigned);
    await expect.poll(first.answers).toBe(1);
    const { abandoned } = holdTurns();
    first.send(unsigned);
    const second = connected();
    second.send(unsigned);
    await expect.poll(second.answers).toBe(1);
    expect([first.answers(), abandoned()]).toEqual([1, 0]);
    first.leave();
    await expect.poll(abandoned).toBe(1);
  });

  it('the second of two pipelined requests counts for the caller of the first', async () => {
    const { mayBegin } = RequestTurns.prototype;
    const known: boolean[] = [];
    vi.spyOn(RequestTurns.prototype, 'mayBegin').mockImplementation(function (this: RequestTurns) {
      known.push(this.isKnown);
      return mayBegin.call(this);
    });
    const connection = connected();
    connection.send((await signedBy(alice)).repeat(2));
    await expect.poll(connection.answers).toBe(2);
    expect(known).toEqual([false, true]);
  });

  it('pipelined requests run in order', async () => {
    const connection = connected();
    connection.send(unsigned);
    await expect.poll(connection.answers).toBe(1);
    const { release } = holdTurns();
    connection.send(unsigned.repeat(3));
    await rounds(50);
    expect(connection.answers()).toBe(1);
    release();
    await expect.poll(connection.answers).toBe(4);
  });

  // Node calls such a message complete when its last chunk has come with the others.
  it('a refused upload that was cut because of its tiny chunks closes its connection', async () => {
    const swarm = new Swarm(sidecar.url);
    onTestFinished(() => swarm.close());
    const socket = swarm.open(unsigned);
    await expect.poll(() => swarm.answers[0]).toContain('HTTP/1.1 403');
    const { release } = holdTurns();
    const head = 'PUT /data/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    socket.write(`${head}${inBytes('a'.repeat(500))}0\r\n\r\n`);
    await rounds(200);
    release();
    await expect.poll(() => swarm.openCount).toBe(0);
    expect(swarm.answers[0]).toMatch(/403 [\s\S]*403 [\s\S]*\r\nconnection: close\r\n/i);
  });

  it('a body that turns out to be malformed is still answered', async () => {
    const swarm = new Swarm(sidecar.url);
    onTestFinished(() => swarm.close());
    const socket = swarm.open(unsigned);
    await expect.poll(() => swarm.answers[0]).toContain('HTTP/1.1 403');
    const { release } = holdTurns();
    socket.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnot a length\r\n',
    );
    await rounds(200);
    release();
    await expect.poll(() => swarm.answers[0]).toContain('<Code>MalformedQueryString</Code>');
    await expect.poll(() => swarm.openCount).toBe(0);
  });
});

it('a turn has room for sixteen requests of strangers, or fewer slow ones, and for twice as many of a caller', async () => {
  const inOneTurn = async (milliseconds: number, caller?: string): Promise<number> => {
    await rounds(2);
    const turns = new RequestTurns('192.0.2.1');
    if (caller !== undefined) turns.know({ owner: caller, session: caller });
    turns.noteWork(milliseconds);
    let begun = 0;
    while (turns.mayBegin()) begun += 1;
    return begun;
  };
  expect(await inOneTurn(0.01)).toBe(16);
  expect(await inOneTurn(0.25)).toBe(8);
  expect(await inOneTurn(40)).toBe(2);
  expect(await inOneTurn(0.01, userArn('alice'))).toBe(32);
  expect(await inOneTurn(0.25, userArn('alice'))).toBe(8);
});

it('a request of a stranger takes no turn of the caller who used its connection before', () => {
  const turns = new RequestTurns('192.0.2.1');
  turns.know({ owner: userArn('alice'), session: userArn('alice') });
  expect([turns.isKnown, turns.wasKnown]).toEqual([true, true]);
  turns.know(undefined);
  expect([turns.isKnown, turns.wasKnown]).toEqual([false, true]);
});

it('of what finds no room, only later requests of strangers may be dropped', () => {
  const turns = new RequestTurns('192.0.2.1');
  expect(turns.givesWay).toBe(false);
  turns.noteWork(0);
  expect(turns.givesWay).toBe(true);
  turns.know({ owner: userArn('alice'), session: userArn('alice') });
  expect(turns.givesWay).toBe(false);
});
