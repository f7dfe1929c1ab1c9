import { connect, type Socket } from 'node:net';
import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Program, startProgram } from '../../support/program.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../../support/sdk.ts';
import { alice } from '../../support/sidecar.ts';
import { signWithSmithy, type TestCredentials } from '../../support/smithy-signer.ts';

/** A session policy of the full size whose every few characters are a pattern of their own. */
function dearPolicy(index: number): string {
  const values = [`arn:a:b:c:d:${index}`];
  const write = (): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        Condition: { ArnNotLike: { 'a:b': values } },
      },
    });
  while (write().length <= 2_030) values.push('*:?:?:?:?:?');
  return write();
}

/** The head of an upload and the beginning of its body; the rest never comes. */
async function beginUpload(url: string, key: TestCredentials): Promise<Socket> {
  const { host, hostname, port } = new URL(url);
  const headers = { host, 'content-length': '5000000', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const wire = await signWithSmithy({ method: 'PUT', path: '/data/k', query: {}, headers }, key, {
    nowMs: Date.now(),
  });
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  const fields = wire.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`PUT ${wire.target} HTTP/1.1\r\n${fields}\r\n${'x'.repeat(1_000)}`, 'latin1');
  return socket;
}

describe('session policies that are full of patterns', () => {
  let program: Program;

  beforeEach(async () => {
    program = await startProgram();
  });
  afterEach(() => program.stop());

  /** Makes sessions that have each a policy of their own, eight at a time; `served` when all of them were used. */
  async function useSessions(count: number, use: (key: SdkCredentials) => Promise<unknown>): Promise<string> {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await use(await assume(program.url, alice, 'data', { Policy: dearPolicy(next) }));
      }
    };
    return Promise.all(Array.from({ length: 8 }, work)).then(() => 'served', String);
  }

  it('do not fill the memory, however many sessions have one of their own', async () => {
    const used = await useSessions(400, (key) =>
      outcome(s3Client(program.url, key).send(new HeadBucketCommand({ Bucket: 'none' }))),
    );
    expect([used, program.isRunning()]).toEqual(['served', true]);
  });

  it('are not held by uploads that are under way', async () => {
    const store = s3Client(program.storeUrl, program.storeCredentials);
    await store.send(new CreateBucketCommand({ Bucket: 'data' }));
    const sockets: Socket[] = [];
    const used = await useSessions(300, async (key) => {
      sockets.push(await beginUpload(program.url, key));
    });
    expect([used, program.isRunning()]).toEqual(['served', true]);
    const inFlight = 'sts_sidecar_requests_in_flight{listener="s3"}';
    await vi.waitFor(async () => expect(await program.metric(inFlight)).toBe(300), 20_000);
    for (const socket of sockets) socket.destroy();
  });
});
