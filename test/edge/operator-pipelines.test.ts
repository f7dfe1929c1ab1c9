import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Swarm } from '../support/hostile/sockets.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let swarm: Swarm | undefined;
beforeAll(async () => {
  sidecar = await startSidecar({
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
    variables: { CONTROL: 'control-token-of-this-test' },
  });
});
afterAll(() => sidecar.stop());

/** Ports of the listeners for which Node has made a request and a response, once for each pair. */
let made: (number | undefined)[] = [];
const note = (event: unknown): void => void made.push((event as { socket: Socket }).socket.localPort);
beforeEach(() => {
  made = [];
  subscribe('http.server.request.start', note);
});
afterEach(() => {
  unsubscribe('http.server.request.start', note);
  swarm?.close();
});

/** Everything that comes back before the connection closes. */
async function send(url: string, bytes: string): Promise<string> {
  swarm = new Swarm(url);
  swarm.open(bytes);
  const { openCount, answers } = swarm;
  expect(openCount).toBe(1);
  await expect.poll(() => swarm?.openCount).toBe(0);
  return answers[0] ?? '';
}

const listeners: [string, 'adminUrl' | 'controlUrl'][] = [
  ['admin', 'adminUrl'],
  ['control', 'controlUrl'],
];

describe.each(listeners)('requests that come together on the %s listener', (_, listener) => {
  it.each([
    ['without a Host header', 'GET / HTTP/1.1\r\n\r\n'],
    ['with an unknown expectation', 'GET / HTTP/1.1\r\nHost:\r\nExpect: x\r\n\r\n'],
    ['that wait for 100 Continue', 'GET / HTTP/1.1\r\nHost:\r\nExpect: 100-continue\r\n\r\n'],
    ['as ordinary clients send them', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['as old clients send them', 'GET / HTTP/1.0\r\n\r\n'],
  ])('%s are read up to the second', async (_name, request) => {
    const url = sidecar[listener];
    await send(url, request.repeat(1000));
    expect(made.filter((port) => String(port) === new URL(url).port).length).toBeLessThanOrEqual(2);
  });
});

describe.each(listeners)('the %s listener', (_, listener) => {
  it('refuses a request of HTTP/1.1 without a Host header and closes', async () => {
    expect(await send(sidecar[listener], 'GET / HTTP/1.1\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*\r\n(.*\r\n)*connection: close\r\n/i,
    );
  });

  it('refuses an unknown expectation and closes', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n';
    expect(await send(sidecar[listener], request)).toMatch(
      /^HTTP\/1\.1 417 .*\r\n(.*\r\n)*connection: close\r\n/i,
    );
  });

  it('sends 100 Continue to a request that waits for it', async () => {
    const request =
      'POST /revocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n';
    expect(await send(sidecar[listener], request)).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 40[15] /,
    );
  });
});
