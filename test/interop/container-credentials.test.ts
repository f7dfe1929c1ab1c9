import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { s3Client } from '../support/sdk.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';
import { abridge } from './abridge.ts';
import { cachedFolder } from './components.ts';

const run = promisify(execFile);
const programs = new URL('container/', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'container-'));
const tokenFile = join(folder, 'token');
/** Sessions last 900 s, and the sidecar's clock is this far behind that of the programs: 20 s are left of each. */
const behindMs = 880_000;
const clock = new TestClock();
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  clock.advance(-behindMs);
  idp = await startIdentityProvider({ clock });
  sidecar = await startSidecar({
    clock,
    directory: webIdentityDirectory({ issuer: idp.issuer }),
    further: 'containerCredentials: { listen: "127.0.0.1:0" }',
  });
  await s3Client(sidecar.storeUrl, sidecar.storeCredentials, { clock }).send(
    new CreateBucketCommand({ Bucket: 'data' }),
  );
});
afterAll(async () => {
  await sidecar?.stop();
  await idp?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program with the two variables of the endpoint, the address of S3 and a region. */
async function withVariables(program: string, args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${sidecar.containerUrl}/v1/credentials?roleArn=${roleArn('pod')}&durationSeconds=900`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    AWS_ENDPOINT_URL_S3: sidecar.url,
    AWS_REGION: 'us-east-1',
  };
  const { stdout } = await run(program, args, { env, timeout: 100_000 });
  return stdout.trim();
}

type Application = readonly [name: string, start: (seconds: number) => Promise<string>, prints: string];

const applications: readonly Application[] = [
  [
    'boto3',
    (seconds) =>
      withVariables(join(cachedFolder('boto3'), 'bin', 'python'), [
        '-W',
        'ignore',
        join(programs, 'application.py'),
        String(seconds),
      ]),
    'written by boto3',
  ],
  [
    'the SDK for JavaScript',
    (seconds) =>
      withVariables(process.execPath, ['--no-warnings', join(programs, 'application.mjs'), String(seconds)]),
    'written by the SDK for JavaScript',
  ],
  [
    'the SDK for Go',
    (seconds) => withVariables(join(cachedFolder('awsgo'), 'application'), [String(seconds)]),
    'written by the SDK for Go',
  ],
  [
    'the SDK for Java',
    (seconds) =>
      withVariables('java', [
        '-cp',
        `${cachedFolder('awsjava')}/*`,
        join(programs, 'java', 'Application.java'),
        String(seconds),
      ]),
    'written by the SDK for Java',
  ],
];

const sessions = (): Record<string, string>[] =>
  sidecar.logged
    .map((line) => JSON.parse(line) as Record<string, string>)
    .filter((line) => line['listener'] === 'container');

describe.each(applications)('a program with the variables of the endpoint, and %s', (_, start, prints) => {
  it('writes and reads, and goes on past the expiry of its first session', async () => {
    writeFileSync(tokenFile, await idp.mint());
    const before = sessions().length;
    expect(await start(25)).toBe(prints);
    const issued = sessions().slice(before);
    const [first] = issued;
    expect(issued.length).toBeGreaterThan(1);
    expect(Date.parse(first?.['expiration'] ?? '')).toBeLessThan(clock.now() + behindMs);
  });

  it('is refused with a wrong token, which is 401', async () => {
    writeFileSync(tokenFile, await idp.mint({ aud: 'another-service' }));
    const before = sessions().length;
    const said = await start(1).then(
      (printed) => `allowed: ${printed}`,
      (error: { stderr?: string }) => error.stderr ?? String(error),
    );
    expect(abridge(said)).not.toContain('allowed');
    expect(said).not.toContain(readFileSync(tokenFile, 'utf8'));
    const refused = sessions().slice(before);
    expect(refused[0]?.['error_code']).toBe('InvalidIdentityToken');
    // In the end the SDK for JavaScript tries another provider of its own, without the token.
    for (const line of refused) expect(line['status']).toBe(401);
  });
});

describe('the AWS CLI with the variables of the endpoint', () => {
  it('writes and reads', async () => {
    writeFileSync(tokenFile, await idp.mint());
    const file = join(folder, 'file');
    writeFileSync(file, 'written by the CLI');
    const python = join(cachedFolder('awscli'), 'bin', 'python');
    const aws = (...args: string[]): Promise<string> =>
      withVariables(python, ['-W', 'ignore', '-m', 'awscli', ...args]);
    await aws('s3', 'cp', file, 's3://data/from-cli');
    expect(await aws('s3', 'cp', 's3://data/from-cli', '-')).toBe('written by the CLI');
  });
});
