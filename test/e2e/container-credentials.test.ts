import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { fromHttp } from '@aws-sdk/credential-providers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const policy = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::data/open/*" }] }`;
const clock = new TestClock();
const folder = mkdtempSync(join(tmpdir(), 'container-credentials-'));
const tokenFile = join(folder, 'token');
let idp: TestIdentityProvider;
let sidecar: TestSidecar;
let narrowed: TestSidecar;
beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  const directory = webIdentityDirectory({ issuer: idp.issuer });
  const listen = 'listen: "127.0.0.1:0"';
  sidecar = await startSidecar({ clock, directory, further: `containerCredentials: { ${listen} }` });
  narrowed = await startSidecar({
    directory,
    further: `containerCredentials: { ${listen}, scopeDownPolicy: ${policy} }`,
  });
  for (const { storeUrl, storeCredentials } of [sidecar, narrowed])
    await s3Client(storeUrl, storeCredentials).send(new CreateBucketCommand({ Bucket: 'data' }));
  writeFileSync(tokenFile, await idp.mint());
});
afterAll(async () => {
  await sidecar.stop();
  await narrowed.stop();
  await idp.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Provider = NonNullable<STSClientConfig['credentials']>;

function providerOf({ containerUrl }: TestSidecar, query = ''): Provider {
  return fromHttp({
    awsContainerCredentialsFullUri: `${containerUrl}/v1/credentials?roleArn=${roleArn('pod')}${query}`,
    awsContainerAuthorizationTokenFile: tokenFile,
    maxRetries: 0,
  });
}

/** What a program with the provider's credentials may do: write, write outside `open/`, read. */
async function tried({ url }: TestSidecar, credentials: Provider): Promise<string[]> {
  const s3 = s3Client(url, { accessKeyId: '', secretAccessKey: '' }, { config: { credentials } });
  const put = (Key: string): Promise<string> =>
    outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })));
  const get = (Key: string): Promise<string> =>
    outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key })));
  return [await put('open/a'), await put('closed/a'), await get('open/a')];
}

const issued = (): number => sidecar.logged.filter((line) => line.includes('issued_session_id')).length;

describe('a program with the URL of the container credentials endpoint and a token file', () => {
  it('writes and reads as its role', async () => {
    const credentials = providerOf(sidecar);
    expect(await tried(sidecar, credentials)).toEqual(['allowed', 'allowed', 'allowed']);
    const sts = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', credentials });
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    expect(Arn).toBe(`arn:aws:sts::${account}:assumed-role/pod/subject-1`);
  });

  it('may do what the scope-down policy allows, and no more', async () => {
    expect(await tried(narrowed, providerOf(narrowed))).toEqual(['allowed', 'AccessDenied 403', 'allowed']);
  });

  it('keeps working past the end of its first session', async () => {
    // The sidecar is so far behind that a session seems to have a minute left, which the SDK renews.
    clock.advance(-14 * 60_000);
    writeFileSync(tokenFile, await idp.mint());
    const credentials = providerOf(sidecar, '&durationSeconds=900');
    const before = issued();
    expect(await tried(sidecar, credentials)).toEqual(['allowed', 'allowed', 'allowed']);
    const first = typeof credentials === 'function' ? await credentials() : credentials;
    expect(issued() - before).toBeGreaterThanOrEqual(2);
    clock.advance(14 * 60_000 + 61_000);
    writeFileSync(tokenFile, await idp.mint());
    expect(await tried(sidecar, first)).toEqual(Array.from({ length: 3 }, () => 'ExpiredToken 400'));
    expect(await tried(sidecar, providerOf(sidecar))).toEqual(['allowed', 'allowed', 'allowed']);
    clock.advance(systemClock.now() - clock.now());
    writeFileSync(tokenFile, await idp.mint());
  });

  it('is told 401 when its token is wrong', async () => {
    writeFileSync(tokenFile, await idp.mint({ aud: 'other' }));
    const refused = await outcome(Promise.resolve().then(() => resolved(providerOf(sidecar))));
    writeFileSync(tokenFile, await idp.mint());
    expect(refused).toContain('CredentialsProviderError');
    expect(sidecar.logged.at(-1)).toContain('"status":401');
  });
});

async function resolved(provider: Provider): Promise<unknown> {
  return typeof provider === 'function' ? provider() : provider;
}
