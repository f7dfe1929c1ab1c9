import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { formBody, formBoundary, formType, signedFields } from '../support/post-form.ts';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';
import { requireComponent } from './components.ts';
import { runPython } from './python.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';
import { storeDirectory } from './stores/store-directory.ts';
import { createUploadTarget, type UploadTarget } from './stores/upload-target.ts';

const run = promisify(execFile);
const Bucket = 'data';

describe.each(storeKinds)('forms posted to $name', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let session: Required<SdkCredentials>;
  let s3: S3Client;
  let target: UploadTarget;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-forms-'));
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    target = await createUploadTarget(store, Bucket);
    session = await assume(sidecar.url, alice, 'admin');
    s3 = s3Client(sidecar.url, session);
  });
  afterAll(async () => {
    await target?.remove();
    await sidecar?.stop();
    await store?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function stored(Key: string): Promise<{ body: Buffer; metadata: unknown }> {
    const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata };
  }

  it.each(['debian', 'current'] as const)('boto3 (%s) makes them', async (boto3) => {
    const given = { endpoint: sidecar.url, bucket: Bucket, maxBytes: 100, ...session };
    const posted = { ...given, key: `${boto3}/ü b`, fileName: 'ünï.txt', content: 'content' };
    expect(await runPython(boto3, 'forms.py', posted)).toMatchObject({ status: 204 });
    const { body, metadata } = await stored(posted.key);
    expect(String(body)).toBe('content');
    expect(metadata).toEqual({ from: 'boto3' });
    const tooLong = await runPython(boto3, 'forms.py', { ...posted, content: 'a'.repeat(101) });
    expect(tooLong).toMatchObject({
      status: 400,
      text: expect.stringContaining('<Code>EntityTooLarge</Code>'),
    });
  });

  it.each([0, 1, 65_536, 5_000_000])('curl posts %i bytes with one of the AWS SDK', async (size) => {
    const body = randomBytes(size);
    const file = join(folder, `file-${size}.bin`);
    await writeFile(file, body);
    const variable = '$'.concat('{filename}');
    const { url, fields } = await createPresignedPost(s3, {
      Bucket,
      Key: `curl/${variable}`,
      Fields: { success_action_status: '201' },
    });
    const args = Object.entries(fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
    const { stdout } = await run(requireComponent('curl'), ['-sS', ...args, '-F', `file=@${file}`, url], {
      env: cleanEnvironment(),
    });
    expect(stdout).toContain(`<Key>curl/file-${size}.bin</Key>`);
    expect((await stored(`curl/file-${size}.bin`)).body.equals(body)).toBe(true);
  });

  const closing = `\r\n--${formBoundary}--\r\n`;
  const file = randomBytes(200_000);
  interface BrokenForm {
    readonly name: string;
    readonly change?: (body: Buffer) => Buffer;
    readonly fields?: readonly (readonly [string, string])[];
    /** Part of the body after which the client leaves. */
    readonly sent?: number;
    readonly expected?: string;
  }
  const broken: readonly BrokenForm[] = [
    ...[0, 0.1, 0.5, 0.99].map((sent) => ({ name: `whose client leaves after ${sent * 100} %`, sent })),
    {
      name: 'with something after its file',
      change: (body) => Buffer.concat([body.subarray(0, -closing.length), Buffer.from(`${closing}x`)]),
      expected: '400 InvalidArgument',
    },
    {
      name: 'with a boundary inside of its file',
      change: (body) => Buffer.concat([body, Buffer.from(closing)]),
      expected: '400 InvalidArgument',
    },
    {
      name: 'with a wrong checksum',
      fields: [['x-amz-checksum-crc32', 'AAAAAA==']],
      expected: '400 BadDigest',
    },
  ];

  it.each(broken)(
    'keep nothing of one $name',
    async ({ change = (body) => body, fields = [], sent, expected }) => {
      const before = await target.held();
      for (const key of ['kept', 'never']) {
        const own = [['key', key] as const, ...fields];
        const conditions = [{ bucket: Bucket }, ...own.map(([name, value]) => ({ [name]: value }))];
        const signed = signedFields({ credentials: session, conditions });
        const body = change(formBody({ fields: [...own, ...signed], file }));
        const { host, hostname, port } = new URL(sidecar.url);
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on('error', () => undefined);
        const answer = readAll(socket);
        socket.write(
          `POST /${Bucket} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        socket.write(sent === undefined ? body : body.subarray(0, Math.floor(body.length * sent)));
        // The store must have received what was sent, or it has nothing to keep.
        if (expected === undefined) await sleep(150).then(() => socket.destroy());
        else expect(summary(await answer)).toBe(expected);
        await sleep(150);
      }
      expect(await target.held()).toEqual(before);
    },
  );
});
