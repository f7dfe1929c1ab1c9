import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { signHead } from '../support/signed-socket.ts';
import { dataType, recordSession } from '../support/tls-records.ts';

const authority = createAuthority();
const issued = authority.issue({ names: ['localhost'] });
let program: Program;

beforeAll(async () => {
  program = await startProgram({
    server: 'tls: { certFile: tls.crt, keyFile: tls.key }',
    files: { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem },
  });
}, 120_000);
afterAll(() => program.stop());

const closedByLimit = (): Promise<number> =>
  program.metric('sts_sidecar_limit_actions_total{limit="tiny_records"}');

it.each([
  ['a head', 1, 'GET /data/k HTTP/1.1\r\nHost: a\r\nX-Long: '],
  ['a head', 40, 'GET /data/k HTTP/1.1\r\nHost: a\r\nX-Long: '],
  ['a refused body', 1, 'PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'],
])('%s in TLS records of %i bytes closes the connection', async (_, length, begin) => {
  const before = await closedByLimit();
  const { socket, record } = await recordSession(program.url, authority.certPem);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(record(dataType, Buffer.from(begin)));
  const tiny = Buffer.alloc(length, 'a');
  // A long one from time to time does not pay for them.
  const sent = Array.from({ length: 500 }, (__, index) =>
    record(dataType, index % 100 === 99 ? Buffer.alloc(1_000, 'a') : tiny),
  );
  socket.write(Buffer.concat(sent));
  await closed;
  expect(await closedByLimit()).toBe((before || 0) + 1);
});

it('a slow sender of tiny records is served', { timeout: 20_000 }, async () => {
  const before = await closedByLimit();
  const { socket, record } = await recordSession(program.url, authority.certPem);
  socket.write(record(dataType, Buffer.from('GET /data/k HTTP/1.1\r\nHost: a\r\nX-Long: ')));
  for (let sent = 0; sent < 400; sent += 1) {
    socket.write(record(dataType, Buffer.from('a')));
    await sleep(10);
  }
  const answered = once(socket, 'data');
  socket.write(record(dataType, Buffer.from('\r\n\r\n')));
  await answered;
  expect(await closedByLimit()).toEqual(before);
  socket.destroy();
});

it('heads whose lines have a record each are answered', async () => {
  const before = await closedByLimit();
  const { socket, record } = await recordSession(program.url, authority.certPem);
  let answers = '';
  socket.on('data', (bytes: Buffer) => {
    answers += String(bytes[0]);
  });
  const head = `GET /data/k HTTP/1.1\r\nHost: a\r\n${'X-Filler: some forty characters of it\r\n'.repeat(12)}\r\n`;
  for (let request = 1; request <= 20; request += 1) {
    for (const line of head.split(/(?<=\n)/)) socket.write(record(dataType, Buffer.from(line)));
    // Records of data: the answers.
    await expect.poll(() => answers.match(/23/g)?.length ?? 0).toBeGreaterThanOrEqual(request);
  }
  expect(await closedByLimit()).toEqual(before);
  socket.destroy();
});

it('an upload with two tiny records beside each of 4 KiB is stored', async () => {
  const before = await closedByLimit();
  const pieces = [Buffer.from('1000\r\n'), Buffer.alloc(4_096, 'a'), Buffer.from('\r\n')];
  const rounds = 1_000;
  const length = rounds * Buffer.concat(pieces).length;
  const headOf = (path: string, bytes: number): Promise<string> =>
    signHead(program.url, {
      method: 'PUT',
      path,
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(bytes) },
    });
  const { socket, record } = await recordSession(program.url, authority.certPem);
  for (const head of [await headOf('/tiny', 0), await headOf('/tiny/records', length)]) {
    socket.write(record(dataType, Buffer.from(head)));
  }
  for (let sent = 0; sent < rounds; sent += 1) {
    for (const piece of pieces) socket.write(record(dataType, piece));
  }
  await expect
    .poll(() => program.metric('sts_sidecar_s3_requests_total{operation="PutObject",code="200"}'))
    .toBe(1);
  expect(await closedByLimit()).toEqual(before);
  socket.destroy();
});
