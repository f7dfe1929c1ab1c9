import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
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
  ['a head', 'GET /data/k HTTP/1.1\r\nHost: a\r\nX-Long: '],
  ['a refused body', 'PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'],
])('%s in TLS records of one byte closes the connection', async (_, begin) => {
  const before = await closedByLimit();
  const { socket, record } = await recordSession(program.url, authority.certPem);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(record(dataType, Buffer.from(begin)));
  socket.write(Buffer.concat(Array.from({ length: 2_000 }, () => record(dataType, Buffer.from('a')))));
  await closed;
  expect(await closedByLimit()).toBe((before || 0) + 1);
});

it('heads whose lines have a record each are answered', async () => {
  const before = await closedByLimit();
  const { socket, record } = await recordSession(program.url, authority.certPem);
  let answers = '';
  socket.on('data', (bytes: Buffer) => {
    answers += String(bytes[0]);
  });
  const head = `GET /data/k HTTP/1.1\r\nHost: a\r\n${'X-Filler: 12345\r\n'.repeat(150)}\r\n`;
  for (let request = 1; request <= 5; request += 1) {
    for (const line of head.split(/(?<=\n)/)) socket.write(record(dataType, Buffer.from(line)));
    // Records of data: the answers.
    await expect.poll(() => answers.match(/23/g)?.length ?? 0).toBeGreaterThanOrEqual(request);
  }
  expect(await closedByLimit()).toEqual(before);
  socket.destroy();
});
