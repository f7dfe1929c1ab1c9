import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { s3Client } from '../support/sdk.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';
import { cachedFolder } from './components.ts';
import type { RealStore } from './stores/real-store.ts';
import { startVersitygw } from './stores/start-versitygw.ts';

const run = promisify(execFile);
const scripts = new URL('pod/', import.meta.url).pathname;

let store: RealStore;
let idp: TestIdentityProvider;
let sidecar: TestSidecar;
let folder: string;
let tokenFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-pod-'));
  tokenFile = join(folder, 'token');
  store = await startVersitygw('extended attributes');
  idp = await startIdentityProvider();
  sidecar = await startSidecar({ backend: store, directory: webIdentityDirectory({ issuer: idp.issuer }) });
  const atStore = s3Client(store.endpoint, store);
  await atStore.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(async () => {
  await sidecar?.stop();
  await idp?.stop();
  await store?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program with the four variables of a pod; besides them it gets only the paths of programs and of its home. */
async function inPod(program: string, args: readonly string[]): Promise<string> {
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ROLE_ARN: roleArn('pod'),
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ENDPOINT_URL_STS: sidecar.url,
    AWS_ENDPOINT_URL_S3: sidecar.url,
  };
  const { stdout } = await run(program, args, { env: environment, timeout: 60_000 });
  return stdout.trim();
}

const applications: readonly (readonly [name: string, start: () => Promise<string>, prints: string])[] = [
  [
    'boto3',
    () =>
      inPod(join(cachedFolder('boto3'), 'bin', 'python'), ['-W', 'ignore', join(scripts, 'application.py')]),
    'written by boto3',
  ],
  [
    'the AWS CLI',
    async () => {
      const python = join(cachedFolder('awscli'), 'bin', 'python');
      const aws = (...args: string[]): Promise<string> =>
        inPod(python, ['-W', 'ignore', '-m', 'awscli', ...args]);
      await writeFile(join(folder, 'file'), 'written by the CLI');
      await aws('s3', 'cp', join(folder, 'file'), 's3://data/from-cli');
      return aws('s3', 'cp', 's3://data/from-cli', '-');
    },
    'written by the CLI',
  ],
  [
    'the JavaScript SDK',
    () => inPod(process.execPath, ['--no-warnings', join(scripts, 'application.mjs')]),
    'written by the JavaScript SDK',
  ],
];

describe.each(applications)('a process with only the four variables, and %s', (_, start, prints) => {
  const refusal = (): Promise<string> =>
    start().then(
      (printed) => `allowed: ${printed}`,
      (error: { stderr?: string }) =>
        /InvalidIdentityToken|AccessDenied/.exec(error.stderr ?? '')?.[0] ?? String(error.stderr),
    );

  it('writes and reads', async () => {
    await writeFile(tokenFile, await idp.mint());
    expect(await start()).toBe(prints);
  });

  it('keeps working after the identity provider has rotated its keys', async () => {
    await idp.rotate();
    await writeFile(tokenFile, await idp.mint());
    // An unknown key is fetched at most once in half a minute, for all callers together.
    await expect.poll(() => refusal(), { timeout: 60_000, interval: 5_000 }).toBe(`allowed: ${prints}`);
  });

  it('is refused with a token for another audience', async () => {
    await writeFile(tokenFile, await idp.mint({ aud: 'somebody-else' }));
    expect(await refusal()).toBe('InvalidIdentityToken');
  });

  it('is refused with the token of another subject', async () => {
    await writeFile(tokenFile, await idp.mint({ sub: 'subject-2' }));
    expect(await refusal()).toBe('AccessDenied');
  });
});
