import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { currentCli, debianCli } from './clients/aws-cli.ts';
import { currentBoto3, debianBoto3 } from './clients/boto3.ts';
import type { Client, ClientKind } from './clients/client.ts';
import { minioJs } from './clients/minio-js.ts';
import { rclone } from './clients/rclone.ts';
import { s3cmd } from './clients/s3cmd.ts';
import type { RealStore } from './stores/real-store.ts';
import { startVersitygw } from './stores/start-versitygw.ts';
import { storeDirectory } from './stores/store-directory.ts';

const mebibyte = 1024 * 1024;
const bucket = 'data';
const kinds: readonly ClientKind[] = [
  debianCli,
  currentCli,
  debianBoto3,
  currentBoto3,
  minioJs,
  s3cmd,
  rclone,
];

/** The code in what a client says about a failed call; all of it when there is none. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'allowed';
  } catch (error) {
    const said = `${(error as { code?: unknown }).code} ${String(error)}`;
    return /\b(AccessDenied|Forbidden|Source doesn't exist)\b/.exec(said)?.[1] ?? said;
  }
}

/**
 * A refused download. Some clients send HEAD first, whose answer has no body with a code, and rclone treats what it
 * may not ask about for a folder.
 */
const denied = /^(AccessDenied|Forbidden|Source doesn't exist)$/;

const able = (to: ClientKind['lacks'][number]): readonly ClientKind[] =>
  kinds.filter(({ lacks }) => !lacks.includes(to));

describe('with credentials of a role session on versitygw', () => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let admin: S3Client;
  let folder: string;
  let [sent, received] = ['', ''];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-clients-'));
    [sent, received] = [join(folder, 'sent'), join(folder, 'received')];
    store = await startVersitygw('extended attributes');
    sidecar = await startSidecar({ backend: store, directory: storeDirectory });
    admin = await openBucket(sidecar);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (kind: ClientKind): Promise<Client> => openClient(kind, sidecar, folder);
  const exists = (Key: string): Promise<string> =>
    outcome(admin.send(new HeadObjectCommand({ Bucket: bucket, Key })));

  const keys = ['in/a b+c 100%25', 'ünï/漢字 ключ', "quote'(1)!*&=;@,$", 'til~de/%2F.x/..y'];

  it.each(kinds.flatMap((kind) => keys.map((key) => ({ kind, name: kind.name, key }))))(
    '$name puts, gets, lists and deletes $key',
    async ({ kind, key }) => {
      const client = await open(kind);
      await writeFile(sent, `content of ${key}`);
      await client.put(key, sent);
      expect(await exists(key)).toBe('allowed');
      await client.get(key, received);
      expect(await readFile(received, 'utf8')).toBe(`content of ${key}`);
      const listed = await client.list(key.slice(0, 4));
      expect(listed).toEqual([kind.lacks.includes('plain listings') ? expect.any(String) : key]);
      await client.delete(key);
      expect(await exists(key)).toBe('NotFound 404');
      expect(await client.list(key.slice(0, 4))).toEqual([]);
    },
  );

  it.each(kinds)('$name uploads 17 MiB in parts and reads them back', async (kind) => {
    const client = await open(kind);
    const body = randomBytes(17 * mebibyte);
    await writeFile(sent, body);
    await client.putParts('large', sent);
    const { ETag } = await admin.send(new HeadObjectCommand({ Bucket: bucket, Key: 'large' }));
    expect(ETag).toMatch(/-\d+"$/);
    await client.get('large', received);
    expect((await readFile(received)).equals(body)).toBe(true);
    await client.delete('large');
  });

  it.each(kinds)('$name is denied what the role is denied', async (kind) => {
    const client = await open(kind);
    await writeFile(sent, 'overwritten');
    await writeFile(received, 'from before');
    expect(await refusal(client.get('secret/plan', received))).toMatch(denied);
    expect(await readFile(received, 'utf8')).not.toContain('hidden');
    expect(await refusal(client.put('secret/plan', sent))).toBe('AccessDenied');
    expect(await refusal(client.put('secret/new', sent))).toBe('AccessDenied');
    expect(await exists('secret/new')).toBe('NotFound 404');
    const kept = await admin.send(new HeadObjectCommand({ Bucket: bucket, Key: 'secret/plan' }));
    expect(kept.ContentLength).toBe('hidden'.length);
  });

  it.each(able('ranges'))('$name reads a range', async (kind) => {
    const client = await open(kind);
    await writeFile(sent, '0123456789');
    await client.put('digits', sent);
    await client.getBytes2To5('digits', received);
    expect(await readFile(received, 'utf8')).toBe('2345');
  });

  it.each(able('presigning'))('$name presigns URLs that do what the role may', async (kind) => {
    const client = await open(kind);
    await writeFile(sent, 'shared');
    await client.put('sub/a b+c', sent);
    const url = await client.presign('sub/a b+c');
    const shared = await fetch(url);
    expect(`${shared.status} ${await shared.text()}`).toBe('200 shared');
    const changed = await fetch(url.replace('/sub/', '/secret/'));
    expect(`${changed.status} ${await changed.text()}`).toMatch(/^403 .*<Code>SignatureDoesNotMatch</s);
    // A client may ask about the object before it presigns, and is then denied itself.
    const secretly = await client.presign('secret/plan').then(
      async (secret) => {
        const response = await fetch(secret);
        return `${response.status} ${await response.text()}`;
      },
      (error: unknown) => String(error),
    );
    expect(secretly).toMatch(/403.*<Code>AccessDenied<|status code: 403/s);
  });
});

describe('with credentials of a role session on a store of flat keys', () => {
  let sidecar: TestSidecar;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-clients-'));
    sidecar = await startSidecar({ directory: storeDirectory });
    await openBucket(sidecar);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  // versitygw keeps objects as files, whose paths cannot have two slashes in a row.
  it.each(able('double slashes'))('$name tells a//b from a/b, and lists them', async (kind) => {
    const client = await openClient(kind, sidecar, folder);
    const [sent, received] = [join(folder, 'sent'), join(folder, 'received')];
    const keys = ["a/ +%25'", 'a//b', 'a/b'];
    for (const key of keys) {
      await writeFile(sent, `content of ${key}`);
      await client.put(key, sent);
    }
    expect([...(await client.list('a/'))].sort()).toEqual(keys);
    await client.get('a//b', received);
    expect(await readFile(received, 'utf8')).toBe('content of a//b');
    await client.delete('a//b');
    expect([...(await client.list('a/'))].sort()).toEqual(["a/ +%25'", 'a/b']);
    // Denied is what is below `secret/`, and no other spelling leads there.
    expect(await refusal(client.get('secret//plan', received))).toMatch(denied);
  });
});

/** Makes the bucket and objects that only its maker may read; returns the client of a session that may do everything. */
async function openBucket(sidecar: TestSidecar): Promise<S3Client> {
  const admin = s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin'));
  await admin.send(new CreateBucketCommand({ Bucket: bucket }));
  await admin.send(new PutObjectCommand({ Bucket: bucket, Key: 'secret/plan', Body: 'hidden' }));
  return admin;
}

/** A client of a role session that may do everything but what is below `secret/`. */
async function openClient(kind: ClientKind, sidecar: TestSidecar, folder: string): Promise<Client> {
  const credentials = await assume(sidecar.url, alice, 'data');
  return await kind.open({ endpoint: sidecar.url, credentials, bucket, folder });
}
