import { setTimeout } from 'node:timers/promises';
import { type Attack, callers } from '../../support/hostile/attacks.ts';
import { signedHead } from '../../support/hostile/signed.ts';
import { Swarm } from '../../support/hostile/sockets.ts';

/** Attacks with request heads and trailers that hold no place. */

const wholeRequest = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Some 30 KiB of header lines, each with a name of its own. */
function fieldLines(connection: number, count = 250): string {
  return Array.from(
    { length: count },
    (_, index) => `h${String(connection * count + index).padStart(6, '0')}: ${'a'.repeat(110)}\r\n`,
  ).join('');
}

/** Opens connections no faster than the program takes them, so that none waits in a backlog. */
async function openAll(swarm: Swarm, count: number, bytesOf: (index: number) => string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    swarm.open(bytesOf(index));
    if (index % 50 === 49) await setTimeout(60);
  }
}

/** A swarm each of whose sockets sends a byte a second, so that bodies are read for as long as any. */
function trickling(url: string): Swarm {
  const swarm = new Swarm(url);
  const trickle = setInterval(() => {
    for (const socket of swarm.sockets) if (socket.writable) socket.write('a');
    if (swarm.sockets.every((socket) => socket.destroyed)) clearInterval(trickle);
  }, 1_000);
  return swarm;
}

/** Uploads that are refused, whose bodies trickle. */
const refusedUploads =
  (count: number, fields: (index: number) => string): Attack =>
  async ({ url }) => {
    const swarm = trickling(url);
    const begin = 'PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n';
    await openAll(swarm, count, (index) => `${begin}${fields(index)}\r\na`);
    return swarm;
  };

/** Refused uploads with heads of 30 KiB. */
export const refusedUploadsWithLongHeads = (count: number): Attack =>
  refusedUploads(count, (index) => fieldLines(index));

/** Uploads with heads of 30 KiB that are allowed, and fail because of their first chunk. */
export const failedUploadsWithLongHeads =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = trickling(url);
    const headers = {
      'content-length': '5000000',
      'x-amz-decoded-content-length': '4900000',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    const digest = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    const upload = { method: 'PUT', path: '/data/k', headers, digest };
    const head = (await signedHead(url, callers.alice, upload)).slice(0, -2);
    await openAll(swarm, count, (index) => `${head}${fieldLines(index, 235)}\r\nno chunk\r\n`);
    return swarm;
  };

/** Refused uploads with as many headers as there may be, of five bytes, or as many as make the object of headers grow. */
export const refusedUploadsWithTinyHeaders = (count: number): Attack => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const fields = Array.from({ length: 253 }, (_, index) => {
    return `${letters[Math.floor(index / 26)]}${letters[index % 26]}:\r\n`;
  });
  return refusedUploads(count, (index) => fields.slice(0, index % 5 < 3 ? 253 : 172).join(''));
};

/** Refused uploads with targets of 30 KB. */
export const refusedUploadsWithLongTargets =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = trickling(url);
    const head = `PUT /${'a'.repeat(30_000)} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\na`;
    await openAll(swarm, count, () => head);
    return swarm;
  };

/** Refused uploads that end in trailers which never end. */
export const refusedUploadsWithTrailers =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    await openAll(
      swarm,
      count,
      (index) =>
        `PUT /data/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${fieldLines(index)}`,
    );
    return swarm;
  };

/** Requests with targets of 32 KB that are answered, on connections that stay open. */
export const longTargetsOnIdleConnections =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const target = `/${'a'.repeat(32_300)}`;
    await openAll(swarm, count, () => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return swarm;
  };

/** Heads that never end, each in one write with a whole request before it. */
export const headsBehindRequests =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    const begin = `${wholeRequest}GET / HTTP/1.1\r\n`;
    await openAll(swarm, count, (index) => begin + fieldLines(index));
    return swarm;
  };

/** Heads that never end and grow from 1,000 bytes to 31 KiB on all connections at the same moment. */
export const headsThatGrowTogether =
  (count: number): Attack =>
  async ({ url }) => {
    const swarm = new Swarm(url);
    await openAll(swarm, count, (index) => `GET / HTTP/1.1\r\n${fieldLines(index, 8)}`);
    for (const [index, socket] of swarm.sockets.entries()) socket.write(fieldLines(index), 'latin1');
    return swarm;
  };
