import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedHead } from '../../support/hostile/signed.ts';
import { chartLimits } from '../../support/hostile/under-attack.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { assume, s3Client } from '../../support/sdk.ts';
import { alice } from '../../support/sidecar.ts';

const batches = 480;
const entries = Array.from({ length: 1_000 }, (_, index) => `<Object><Key>${index}</Key></Object>`);
const body = Buffer.from(`<Delete>${entries.join('')}</Delete>`);
const toSign = {
  method: 'POST',
  path: '/data',
  query: { delete: '' },
  headers: {
    'content-length': String(body.length),
    'content-md5': createHash('md5').update(body).digest('base64'),
  },
  digest: createHash('sha256').update(body).digest('hex'),
} as const;

/** The status of the answer; `undefined` when the connection ends without one. */
function statusOf(url: string, head: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(undefined));
    socket.once('data', (answer: Buffer) => {
      resolve(answer.toString('latin1').slice(9, 12));
      socket.destroy();
    });
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  });
}

describe('batches of a thousand short keys', () => {
  let program: Program;

  beforeAll(async () => {
    program = await startProgram({ limits: chartLimits });
    const store = s3Client(program.storeUrl, program.storeCredentials);
    await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  });
  afterAll(() => program.stop());

  it('do not fill the memory, however many two callers send at once', async () => {
    const session = await assume(program.url, alice, 'data');
    const heads = await Promise.all(
      Array.from({ length: batches }, (_, index) =>
        signedHead(program.url, index % 2 === 0 ? alice : session, toSign),
      ),
    );
    const statuses = await Promise.all(heads.map((head) => statusOf(program.url, head)));
    expect([program.isRunning(), statuses.filter((status) => status === undefined)]).toEqual([true, []]);
    expect(statuses).toContain('200');
    expect(statuses.filter((status) => status !== '200' && status !== '503')).toEqual([]);
  });
});
