import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Swarm } from '../support/hostile/sockets.ts';
import { requestsInFlight } from '../support/in-flight.ts';
import { openDirectory } from '../support/open-directory.ts';
import { formBody, formType, postForm, signedFields } from '../support/post-form.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { summary } from '../support/wire.ts';

let sidecar: TestSidecar;
let swarm: Swarm;
beforeEach(async () => {
  sidecar = await startSidecar({ directory: openDirectory, server: '  limits: { maxInFlight: 12 }' });
  swarm = new Swarm(sidecar.url);
});
afterEach(async () => {
  swarm.close();
  await sidecar.stop();
});

/** A form whose file has only begun: what any visitor of a page can send who has one form of alice. */
function beginning(): string {
  const fields = [['key', 'k'] as const];
  const conditions = [{ bucket: 'data' }, ['eq', '$key', 'k']];
  const signed = signedFields({ credentials: alice, conditions });
  const body = formBody({ fields: [...fields, ...signed], file: Buffer.alloc(1000) });
  const head = `POST /data HTTP/1.1\r\nHost: a\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return head + body.toString('latin1').slice(0, -500);
}

it('slow forms take a quarter of the places in flight, and their signer and others go on', async () => {
  for (let opened = 0; opened < 3; opened += 1) swarm.open(beginning());
  await expect.poll(() => requestsInFlight(sidecar)).toBe(3);
  for (let opened = 0; opened < 10; opened += 1) swarm.open(beginning());
  await expect.poll(() => swarm.answers.filter((text) => text.startsWith('HTTP/1.1 503')).length).toBe(10);
  expect(await requestsInFlight(sidecar)).toBe(3);
  expect(summary(await postForm(sidecar.url, alice, { key: 'k' }))).toBe('503 SlowDown');
  const client = s3Client(sidecar.url, alice);
  for (let round = 0; round < 3; round += 1) {
    const writing = client.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'a' }));
    expect(await outcome(writing)).toBe('NoSuchBucket 404');
    expect(await outcome(client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe(
      'NoSuchBucket 404',
    );
  }
});
