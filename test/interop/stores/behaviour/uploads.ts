import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { SignedCaller } from './signed-caller.ts';

const bucket = 'uploads';
const path = `/${bucket}/key`;
const announcedBytes = 200_000;
const sentBytes = 150_000;

async function content(caller: SignedCaller): Promise<string> {
  return (await caller.send({ method: 'GET', path })).text;
}

/** What becomes of uploads that go wrong on the way, and of trailers: rows of a table. */
export async function describeUploads(caller: SignedCaller): Promise<readonly string[]> {
  await caller.must({ method: 'PUT', path: `/${bucket}` });
  return [
    `| the connection is ended after ${sentBytes} of ${announcedBytes} bytes | ${await cut(caller, 'end')} |`,
    `| the connection is reset after ${sentBytes} of ${announcedBytes} bytes | ${await cut(caller, 'reset')} |`,
    `| unsigned chunks with a checksum trailer | ${await trailer(caller, true)} |`,
    `| the same with a wrong checksum | ${await trailer(caller, false)} |`,
  ];
}

async function cut(caller: SignedCaller, how: 'end' | 'reset'): Promise<string> {
  await caller.must({ method: 'PUT', path, body: 'before' });
  const socket = await caller.open({
    method: 'PUT',
    path,
    headers: { 'content-length': String(announcedBytes), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(Buffer.alloc(sentBytes, 'a'), () => resolve()));
  // The store has to have read it: what it does with it is the question.
  await sleep(500);
  if (how === 'end') socket.end();
  else socket.resetAndDestroy();
  await sleep(1500);
  socket.destroy();
  const after = await content(caller);
  return after === 'before' ? 'the object before remains' : `an object of ${after.length} bytes replaces it`;
}

async function trailer(caller: SignedCaller, isRight: boolean): Promise<string> {
  await caller.must({ method: 'PUT', path, body: 'before' });
  const data = 'a'.repeat(1000);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(isRight ? data : 'another'));
  const body = `${data.length.toString(16)}\r\n${data}\r\n0\r\nx-amz-checksum-crc32:${checksum.toString('base64')}\r\n\r\n`;
  const { status, text } = await caller.send({
    method: 'PUT',
    path,
    body,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(data.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    },
  });
  const after = await content(caller);
  const stored = after === data ? 'the data' : after === body ? 'the chunks as data' : 'something else';
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';
  const answered = status === 200 ? 'accepted' : `${status} ${code}`.trim();
  return `${answered}; ${after === 'before' ? 'the object before remains' : `${stored} is stored`}`;
}
