import { setTimeout } from 'node:timers/promises';
import { alice } from '../sidecar.ts';
import type { Attack } from './attacks.ts';
import { signedHead } from './signed.ts';
import { inBytes, Swarm } from './sockets.ts';

/** Attacks that make the program keep many times the bytes that they send. */

/** Downloads that are never read, each followed on its connection by what is to wait. */
const behindDownloads =
  (count: number, following: string): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = await signedHead(url, alice, { method: 'GET', path: '/data/large' });
    for (let index = 0; index < count; index += 1) {
      swarm.open(head, false);
      if (index % 50 === 49) await setTimeout(20);
    }
    await setTimeout(1_000);
    for (const socket of swarm.sockets) socket.write(following, 'latin1');
    return swarm;
  };

/** Downloads that are never read. */
export const unreadDownloads: (count: number) => Attack = (count) => behindDownloads(count, '');

/** Requests of 18 bytes, thousands of them in one read. */
export const tinyPipelines: (count: number) => Attack = (count) =>
  behindDownloads(count, 'GET / HTTP/1.1\r\n\r\n'.repeat(40_000));

/** Bodies in HTTP chunks of one byte, which wait for their turn. */
export const waitingChunks: (count: number) => Attack = (count) =>
  behindDownloads(
    count,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${inBytes('a'.repeat(100_000))}`,
  );

/** Requests whose bodies are two HTTP chunks of one byte, as many as fit into what waits. */
export const waitingTinyBodies: (count: number) => Attack = (count) =>
  behindDownloads(
    count,
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n'.repeat(
      700,
    ),
  );

/** Requests whose bodies end with hundreds of trailers, which stand in no head. */
export const waitingTrailers: (count: number) => Attack = (count) => {
  const trailers = Array.from({ length: 250 }, (_, index) => `t${index}a:bc\r\n`).join('');
  const request = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers}\r\n`;
  return behindDownloads(count, request.repeat(40));
};

/** Requests of as many headers as there may be, each with a name of its own. */
export const waitingHeaders: (count: number) => Attack = (count) => {
  const headers = Array.from({ length: 254 }, (_, index) => `${index.toString(36)}A:b\r\n`).join('');
  return behindDownloads(count, `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`.repeat(60));
};

/** Requests for the metrics, thousands of them in one read, and no answer is read. */
export const metricsPipelines =
  (count: number): Attack =>
  async ({ adminUrl }) => {
    const swarm = new Swarm(adminUrl);
    for (let index = 0; index < count; index += 1)
      swarm.open('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20_000), false);
    return swarm;
  };

/** Heads that never end, of headers of seven bytes. */
export const headsOfTinyHeaders =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const head = `GET /data/k HTTP/1.1\r\nHost: a\r\n${'ab:cd\r\n'.repeat(1_028)}`;
    for (let index = 0; index < count; index += 1) {
      swarm.open(head);
      if (index % 50 === 49) await setTimeout(20);
    }
    return swarm;
  };
