import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import { underAttack } from '../../support/hostile/under-attack.ts';
import { type Program, startProgram } from '../../support/program.ts';

const scene = underAttack();
let program: Program;
beforeEach(async () => {
  program = await startProgram();
  scene.program = program;
});

const requests = 300;
/** Processor time is known to some ten milliseconds, and a collection may fall into either measurement. */
const leastMs = 100;
const maxFactor = 4;

/** As much as a head has room for. */
const filled = (piece: string): string => piece.repeat(Math.ceil(30_000 / piece.length)).slice(0, 30_000);

/** A head with a signature of the right form, by an unknown key. */
function head(method: string, target: string, ...fields: string[]): string {
  const credential = 'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request';
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
  return `${method} ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

/** Processor time of the program until it has answered that head a few hundred times, on one connection. */
async function costMs(bytes: string): Promise<number> {
  const { hostname, port } = new URL(program.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  const before = await program.cpuMs();
  for (let sent = 0; sent < requests; sent += 1) {
    socket.write(bytes, 'latin1');
    await once(socket, 'data');
  }
  const cost = (await program.cpuMs()) - before;
  socket.destroy();
  return cost;
}

const accept = filled('a,');

// A millisecond and more for each of them, before its signature was looked at: 60 connections kept every caller out.
it.each([
  ['a path of short segments', head('GET', `/data/${filled('a/./')}`)],
  ['a path of slashes', head('GET', `/data/${filled('/')}`)],
  ['a path of backslashes', head('GET', `/data/${filled('a\\')}`)],
  ['a preflight for a path of slashes', head('OPTIONS', `/data/${filled('/')}`)],
  ['a prefix that leaves the bucket', head('GET', `/data?list-type=2&prefix=${filled('a/../')}`)],
  ['a copy source of slashes', head('PUT', '/data/k', `x-amz-copy-source: /data/a${filled('/')}`)],
  ['an encoded copy source', head('PUT', '/data/k', `x-amz-copy-source: /data/${filled('%2541')}`)],
  ['thousands of tags', head('PUT', '/data/k', `x-amz-tagging: ${filled('a&')}`)],
  ['thousands of encoded tags', head('PUT', '/data/k', `x-amz-tagging: ${filled('%41&')}`)],
  ['thousands of types', head('GET', '/?Action=GetCallerIdentity&Version=2011-06-15', `accept: ${accept}`)],
])('a head with %s costs little more than a plain one of its length', async (_, bytes) => {
  const plain = head('GET', `/data/${filled('a')}`);
  // The first round is that of the compiler.
  await costMs(plain);
  const limitMs = maxFactor * Math.max(leastMs, await costMs(plain));
  expect(await costMs(bytes), 'milliseconds of processor time').toBeLessThanOrEqual(limitMs);
});
