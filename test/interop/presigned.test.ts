import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { presignWithSmithy, type TestCredentials } from '../support/smithy-signer.ts';
import { requireComponent } from './components.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';
import { storeDirectory } from './stores/store-directory.ts';

const run = promisify(execFile);

describe.each(storeKinds)(
  'URLs presigned with session credentials, from curl to $name',
  ({ trailers, start }) => {
    let store: RealStore;
    let sidecar: TestSidecar;
    let session: TestCredentials;
    let folder: string;
    let file: string;
    const clock = new TestClock();

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-presigned-'));
      file = join(folder, 'upload');
      await writeFile(file, 'presigned content');
      store = await start();
      sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory, clock });
      session = await assume(sidecar.url, alice, 'data', { DurationSeconds: 900 }, clock);
      await s3Client(sidecar.url, session, { clock }).send(new CreateBucketCommand({ Bucket: 'data' }));
    });
    afterAll(async () => {
      await sidecar?.stop();
      await store?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    /** Status, and the S3 code or the body. */
    async function curl(...args: string[]): Promise<string> {
      const flags = ['--silent', '--path-as-is', '--write-out', '\n%{http_code}', ...args];
      const { stdout } = await run(requireComponent('curl'), flags, { env: cleanEnvironment() });
      const end = stdout.lastIndexOf('\n');
      const body = stdout.slice(0, end);
      return `${stdout.slice(end + 1)} ${/<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? body}`.trim();
    }

    async function presign(
      method: string,
      key: string,
      headers: Record<string, string> = {},
      expiresIn = 300,
    ): Promise<string> {
      const { host, origin } = new URL(sidecar.url);
      const { target } = await presignWithSmithy(
        { method, path: `/data/${key}`, query: {}, headers: { host, ...headers } },
        session,
        { nowMs: clock.now(), expiresIn, unhoistable: Object.keys(headers) },
      );
      return origin + target;
    }

    it('put and get', async () => {
      expect(await curl('--upload-file', file, await presign('PUT', 'a%20key'))).toBe('200');
      expect(await curl(await presign('GET', 'a%20key'))).toBe('200 presigned content');
      expect(await curl('--head', '--output', '/dev/null', await presign('HEAD', 'a%20key'))).toBe('200');
    });

    it('may do what the session may', async () => {
      expect(await curl(await presign('GET', 'secret/plan'))).toBe('403 AccessDenied');
      expect(await curl('--upload-file', file, await presign('PUT', 'secret/plan'))).toBe('403 AccessDenied');
    });

    it.each<[string, (url: string) => string, RegExp]>([
      ['the key', (url) => url.replace('a%20key', 'a%20kez'), /^403 SignatureDoesNotMatch/],
      ['the bucket', (url) => url.replace('/data/', '/dats/'), /^403 SignatureDoesNotMatch/],
      ['the host', (url) => url.replace('127.0.0.1', 'localhost'), /^403 SignatureDoesNotMatch/],
      ['the access key id', (url) => url.replace(/(Credential=ASIA)./, '$1X'), /^40[03] Invalid\w+/],
      ['the scope', (url) => url.replace('us-east-1', 'us-east-2'), /^403 SignatureDoesNotMatch/],
      [
        'the date',
        (url) => url.replace(/(Date=\d{8}T\d{5})\d/, (_, start: string) => `${start}7`),
        /^403 SignatureDoesNotMatch/,
      ],
      ['the lifetime', (url) => url.replace('Expires=300', 'Expires=301'), /^403 SignatureDoesNotMatch/],
      ['the token', (url) => url.replace(/(Token=.{40})./, '$1_'), /^400 InvalidToken/],
      [
        'the signature',
        (url) =>
          url.replace(
            /(Signature=)./,
            (_, name: string) => `${name}${url.includes('Signature=0') ? '1' : '0'}`,
          ),
        /^403 SignatureDoesNotMatch/,
      ],
      [
        'the signed headers',
        (url) => url.replace('SignedHeaders=host', 'SignedHeaders=Host'),
        /^403 SignatureDoesNotMatch/,
      ],
      [
        'a parameter that is added',
        (url) => `${url}&response-content-type=text/html`,
        /^403 SignatureDoesNotMatch/,
      ],
    ])('break with another byte in %s', async (_, change, refusal) => {
      let url = await presign('GET', 'a%20key');
      // A second that ends in the digit that the change would set changes nothing.
      while (change(url) === url) {
        clock.advance(1000);
        url = await presign('GET', 'a%20key');
      }
      expect(await curl(change(url))).toMatch(refusal);
    });

    it('break with another method or another signed header', async () => {
      expect(await curl('--request', 'DELETE', await presign('GET', 'a%20key'))).toBe(
        '403 SignatureDoesNotMatch',
      );
      expect(await curl('--upload-file', file, await presign('GET', 'a%20key'))).toBe(
        '403 SignatureDoesNotMatch',
      );
      const noted = await presign('PUT', 'noted', { 'x-amz-meta-note': 'one' });
      expect(await curl('--upload-file', file, '--header', 'x-amz-meta-note: two', noted)).toBe(
        '403 SignatureDoesNotMatch',
      );
      expect(
        await curl('--upload-file', file, '--header', 'x-amz-meta-other: one', await presign('PUT', 'noted')),
      ).toBe('403 AccessDenied');
      expect(await curl('--upload-file', file, '--header', 'x-amz-meta-note: one', noted)).toBe('200');
    });

    it('expire at their own time, or earlier with the session', async () => {
      const short = await presign('GET', 'a%20key', {}, 60);
      const long = await presign('GET', 'a%20key', {}, 604_800);
      expect(await curl(short)).toBe('200 presigned content');
      clock.advance(61_000);
      expect(await curl(short)).toBe('403 AccessDenied');
      expect(await curl(long)).toBe('200 presigned content');
      clock.advance(900_000);
      expect(await curl(long)).toBe('400 ExpiredToken');
    });
  },
);
