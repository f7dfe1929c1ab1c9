import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { requestsInFlight } from '../support/in-flight.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { isRead, startFakeStore } from './fake-store.ts';

interface Held {
  readonly sidecar: TestSidecar;
  /** The writes that the store has received. */
  readonly writes: ServerResponse[];
}

/** A sidecar before a store that answers reads, and leaves the answers to everything else to the test. */
async function beforeHoldingStore(timeouts = ''): Promise<Held> {
  const writes: ServerResponse[] = [];
  const fake = await startFakeStore((message, response) => {
    if (isRead(message)) response.end();
    else writes.push(response);
  });
  const backend = { ...fake, timeouts };
  const sidecar = await startSidecar({ backend, directory: openDirectory });
  onTestFinished(() => sidecar.stop());
  return { sidecar, writes };
}

const parts =
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>';
const completion = { method: 'POST', path: '/data/key?uploadId=u', body: parts };
const deletion = { method: 'DELETE', path: '/data/key', body: '' };
const result = '<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>';

/** Sends a request whose answer the store holds back. */
async function send(
  { sidecar, writes }: Held,
  { method, path, body }: typeof completion,
): Promise<{ client: Socket; held: ServerResponse }> {
  const headers = { 'content-length': String(body.length), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const client = await openSigned(sidecar.url, { method, path, headers });
  client.on('error', () => undefined).write(body);
  await expect.poll(() => writes.length).toBe(1);
  const [held] = writes;
  if (held === undefined) throw new Error('nothing has arrived');
  return { client, held };
}

/** The same, from a client that resets its connection; returns when the sidecar knows. */
async function sendAndLeave(held: Held, request: typeof completion): Promise<ServerResponse> {
  const accepted = acceptedOn(Number(new URL(held.sidecar.url).port));
  onTestFinished(() => accepted.stop());
  const { client, held: response } = await send(held, request);
  const [socket] = accepted.sockets;
  if (socket === undefined) throw new Error('no connection was accepted');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  client.resetAndDestroy();
  await closed;
  return response;
}

const loggedOf = ({ logged }: TestSidecar, operation: string): unknown[] =>
  logged.filter((line) => line.includes(`"${operation}"`)).map((line): unknown => JSON.parse(line));

it('a completion goes on without its client, keeps its place, and ends with the answer of the store', async () => {
  const store = await beforeHoldingStore();
  const { sidecar } = store;
  const held = await sendAndLeave(store, completion);
  // Whatever the sidecar sends to the store when a client leaves, it sends before these answers.
  for (let round = 0; round < 5; round += 1) expect(await requestsInFlight(sidecar)).toBe(1);
  expect(held.destroyed).toBe(false);
  held.write(' ');
  expect(await requestsInFlight(sidecar)).toBe(1);
  held.end(result);
  await expect.poll(() => requestsInFlight(sidecar)).toBe(0);
  expect(held.writableFinished).toBe(true);
  expect(loggedOf(sidecar, 'CompleteMultipartUpload')).toMatchObject([{ status: 499 }]);
});

it('a completion without its client ends after ten minutes', async () => {
  const store = await beforeHoldingStore();
  // Restored at the end, so that nothing else waits for a timer that stands still.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const now = performance.now.bind(performance);
  let skippedMs = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + skippedMs);
  onTestFinished(() => spy.mockRestore());
  const skip = (ms: number): void => {
    skippedMs += ms;
    vi.advanceTimersByTime(ms);
  };
  const held = await sendAndLeave(store, completion);
  // The store is silent for longer than any of its timeouts.
  skip(599_000);
  for (let round = 0; round < 5; round += 1) expect(await requestsInFlight(store.sidecar)).toBe(1);
  expect(held.destroyed).toBe(false);
  skip(2_000);
  await expect.poll(() => held.destroyed).toBe(true);
  await expect.poll(() => requestsInFlight(store.sidecar)).toBe(0);
});

it('a completion goes on although its client has been told that the store takes too long', async () => {
  const store = await beforeHoldingStore('  timeouts: { headersSeconds: 1 }');
  const { sidecar } = store;
  const { client, held } = await send(store, completion);
  expect(await readAll(client)).toMatch(/^HTTP\/1\.1 504 [\s\S]*connection: close/i);
  for (let round = 0; round < 5; round += 1) expect(await requestsInFlight(sidecar)).toBe(1);
  expect(held.destroyed).toBe(false);
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  expect(metrics).toContain(`sts_sidecar_buffered_bytes ${parts.length}\n`);
  held.end(result);
  await expect.poll(() => requestsInFlight(sidecar)).toBe(0);
  expect(held.writableFinished).toBe(true);
  expect(loggedOf(sidecar, 'CompleteMultipartUpload')).toMatchObject([{ status: 504 }]);
});

it('a completion goes on although its answer cannot be relayed', async () => {
  const store = await beforeHoldingStore();
  const { client, held } = await send(store, completion);
  const answer = readAll(client);
  held.writeHead(200, { 'content-encoding': 'gzip' }).write('x');
  for (let round = 0; round < 5; round += 1) expect(await requestsInFlight(store.sidecar)).toBe(1);
  expect(held.destroyed).toBe(false);
  held.end();
  await expect.poll(() => requestsInFlight(store.sidecar)).toBe(0);
  client.end();
  expect(await answer).toMatch(/^HTTP\/1\.1 503 /);
});

it('every other request ends with its client', async () => {
  const store = await beforeHoldingStore();
  const held = await sendAndLeave(store, deletion);
  await expect.poll(() => held.destroyed).toBe(true);
  await expect.poll(() => requestsInFlight(store.sidecar)).toBe(0);
});

it('a completion without its client is not cut off when the program stops', async () => {
  const held = await beforeHoldingStore();
  const response = await sendAndLeave(held, completion);
  let isCutOff = false;
  response.once('close', () => {
    isCutOff = !response.writableFinished;
  });
  const stopped = held.sidecar.stop();
  await setTimeout(500);
  response.end(result);
  await stopped;
  expect([isCutOff, response.writableFinished]).toEqual([false, true]);
});
