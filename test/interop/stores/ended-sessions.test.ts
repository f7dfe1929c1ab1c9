import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlClient } from '../../support/control-client.ts';
import { presignedHead, signedHead, type ToSign } from '../../support/hostile/signed.ts';
import { assume, type SdkCredentials } from '../../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../../support/sidecar.ts';
import { anySeed, seedOf } from '../../support/signed-chunks.ts';
import { readAll } from '../../support/signed-socket.ts';
import { summary } from '../../support/wire.ts';
import { type Payload, payloadsOf } from './payloads.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';
import { createUploadTarget, storeModes, type UploadTarget } from './upload-target.ts';

const token = 'control-token-of-this-test';
const lastsSeconds = 900;
/** How long a session of these tests still lasts, and how long an upload that outlives it takes. */
const leftSeconds = 60;
const tooLongSeconds = 120;

const largeSize = 200_000;
const largeData = randomBytes(largeSize);

interface SlowUpload extends Payload {
  readonly title: string;
  readonly isPresigned?: boolean;
}

/** Every way to send an object; a presigned upload is an unsigned one with its credentials in the query. */
const uploadsOf = (kind: string, payloads: readonly Payload[]): SlowUpload[] =>
  payloads.flatMap((payload) => {
    const upload = { ...payload, title: `${kind}, ${payload.name}` };
    return payload.name === 'unsigned'
      ? [upload, { ...upload, title: `${kind}, presigned`, isPresigned: true }]
      : [upload];
  });
const smallUploads = uploadsOf('small', payloadsOf(randomBytes(5_000)));
const largeUploads = uploadsOf('large', payloadsOf(largeData));

describe.each(storeModes)('$name behind the sidecar, trailers: $trailers', ({ trailers, start }) => {
  const clock = new TestClock();
  let store: RealStore;
  let sidecar: TestSidecar;
  let target: UploadTarget;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({
      backend: store,
      trailers,
      clock,
      directory: storeDirectory,
      further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
      variables: { CONTROL: token },
    });
    target = await createUploadTarget(store);
  });
  afterAll(async () => {
    await target?.remove();
    await sidecar?.stop();
    await store?.stop();
  });

  /** A session that was issued a while ago and ends soon. Stores allow for a quarter of an hour between two clocks. */
  async function session(name: string): Promise<SdkCredentials> {
    clock.advance((leftSeconds - lastsSeconds) * 1000);
    const input = { RoleSessionName: name, DurationSeconds: lastsSeconds };
    const credentials = await assume(sidecar.url, alice, 'data', input, clock);
    clock.advance((lastsSeconds - leftSeconds) * 1000);
    return credentials;
  }

  /** Sends an upload that is accepted, and runs `meanwhile` after the first half of its body has been passed on. */
  async function sendSlowly(
    path: string,
    { headers, wire, isPresigned }: SlowUpload,
    caller: SdkCredentials,
    meanwhile: () => Promise<void> | void,
  ): Promise<string> {
    const { hostname, port, searchParams, pathname } = new URL(path, sidecar.url);
    const request: ToSign = {
      method: 'PUT',
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers,
    };
    const { length } = wire(anySeed);
    const framing = `Content-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n`;
    const head = isPresigned ? presignedHead : signedHead;
    const bytes = await head(sidecar.url, caller, request, framing);
    const socket = connect({ host: hostname, port: Number(port) });
    const answer = readAll(socket);
    socket.write(bytes, 'latin1');
    // The caller has been accepted, or the answer is already a refusal.
    await once(socket, 'data');
    const half = Math.floor(length / 2);
    const body = wire(seedOf(bytes, caller.secretAccessKey));
    socket.write(body.subarray(0, half));
    // The store must have received what was sent, or it has nothing to keep.
    await sleep(150);
    await meanwhile();
    socket.write(body.subarray(half));
    const [invitation, ...rest] = (await answer).split('\r\n\r\n');
    expect(invitation).toBe('HTTP/1.1 100 Continue');
    return summary(rest.join('\r\n\r\n'));
  }

  describe('keeps nothing of an upload whose session is revoked meanwhile', () => {
    it.each([...smallUploads, ...largeUploads])('($title)', async (upload) => {
      const before = await target.held();
      const callers: { readonly path: string; readonly name: string; readonly caller: SdkCredentials }[] = [];
      for (const path of target.paths) {
        const name = randomUUID();
        callers.push({ path, name, caller: await session(name) });
      }
      const answers = callers.map(({ path, name, caller }) =>
        sendSlowly(path, upload, caller, async () => {
          const { status } = await controlClient(sidecar.controlUrl, token).add({
            roleSession: `data/${name}`,
          });
          expect(status).toBe(201);
        }),
      );
      expect(await Promise.all(answers)).toEqual(target.paths.map(() => '400 ExpiredToken'));
      await sleep(150);
      expect(await target.held()).toEqual(before);
    });
  });

  /** Sends an upload with a session that expires meanwhile, then returns to the time of the store. */
  async function outlive(path: string, upload: SlowUpload): Promise<string> {
    const caller = await session('brief');
    const answer = await sendSlowly(path, upload, caller, () => clock.advance(tooLongSeconds * 1000));
    clock.advance(-tooLongSeconds * 1000);
    return answer;
  }

  describe('keeps nothing of an upload whose session expires meanwhile', () => {
    it.each(smallUploads)('($title)', async (upload) => {
      const before = await target.held();
      for (const path of target.paths) expect(await outlive(path, upload), path).toBe('400 ExpiredToken');
      await sleep(150);
      expect(await target.held()).toEqual(before);
    });
  });

  describe('keeps a large upload that began in time, as AWS does', () => {
    it.each(largeUploads)('($title)', async (upload) => {
      const fresh = await createUploadTarget(store, randomUUID());
      for (const path of fresh.paths) expect(await outlive(path, upload), path).toBe('200');
      const { objects, parts, kept } = await fresh.held();
      const sizes = [...objects, ...parts].map(([place, length]) => [place, length]);
      expect(sizes).toEqual(['kept', 'never', 1, 2].map((place) => [place, largeSize]));
      expect(kept.equals(largeData)).toBe(true);
      await fresh.remove();
    });
  });
});
