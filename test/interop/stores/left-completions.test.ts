import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsInFlight } from '../../support/in-flight.ts';
import { assume } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { type Call, SignedCaller } from './behaviour/signed-caller.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

const part = 'P'.repeat(5 * 1024 * 1024);
const eTag = createHash('md5').update(part).digest('hex');
const listed = [1, 2].map(
  (number) => `<Part><PartNumber>${number}</PartNumber><ETag>"${eTag}"</ETag></Part>`,
);
const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;

describe.each(storeKinds)('$name', ({ trailers, supports, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let owner: SignedCaller;
  let caller: SignedCaller;
  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, supports, directory: storeDirectory });
    owner = new SignedCaller(store.endpoint, store);
    caller = new SignedCaller(sidecar.url, await assume(sidecar.url, alice, 'admin', {}));
    await owner.must({ method: 'PUT', path: '/left' });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  /** An upload with two parts: the call that completes it. */
  async function upload(path: string): Promise<Call> {
    const { text } = await owner.must({ method: 'POST', path, query: { uploads: '' } });
    const uploadId = /<UploadId>([^<]+)</.exec(text)?.[1] ?? '';
    for (const partNumber of ['1', '2'])
      await owner.must({ method: 'PUT', path, query: { partNumber, uploadId }, body: part });
    return { method: 'POST', path, query: { uploadId }, body };
  }

  // MinIO 2026-02 loses the parts when its own client leaves in the middle of the completion.
  it('loses no parts when the client leaves during the completion', async () => {
    for (let round = 0; round < 8; round += 1) {
      const path = `/left/${round}`;
      const completion = await upload(path);
      const headers = { 'content-length': String(body.length) };
      const socket = await caller.open({ ...completion, headers });
      socket.on('error', () => undefined).write(body);
      // A different moment in each round.
      await wait(round * 1.5);
      socket.resetAndDestroy();
      await expect.poll(() => requestsInFlight(sidecar), { timeout: 30_000 }).toBe(0);
      await owner.send(completion);
      const length = async (): Promise<unknown> =>
        (await owner.send({ method: 'HEAD', path })).headers['content-length'];
      await expect.poll(length, { timeout: 30_000 }).toBe(String(2 * part.length));
    }
  });
});
