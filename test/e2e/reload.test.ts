import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { controlClient } from '../support/control-client.ts';
import { signedHead, type ToSign } from '../support/hostile/signed.ts';
import { startIdentityProvider } from '../support/identity-provider.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import {
  alice,
  bob,
  defaultDirectory,
  roleArn,
  startSidecar,
  type TestSidecar,
  type TestSidecarOptions,
} from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function started(options: TestSidecarOptions = {}): Promise<TestSidecar> {
  const sidecar = await startSidecar(options);
  stops.push(() => sidecar.stop());
  return sidecar;
}

/** Sends the head of a signed request; its body is the test's. */
async function open(url: string, caller: SdkCredentials, request: ToSign, unsigned: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(await signedHead(url, caller, request, unsigned));
  return socket;
}

interface UploadUnderWay {
  readonly admin: SdkCredentials;
  readonly uploading: Socket;
}

/** Begins an upload of 200,000 bytes, of which the store gets most; `first` is sent in front of it on the same connection. */
async function beginUpload(sidecar: TestSidecar, first?: ToSign): Promise<UploadUnderWay> {
  const admin = await assume(sidecar.url, alice, 'admin');
  const atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await atStore.send(new CreateBucketCommand({ Bucket: 'data' })).catch(() => undefined);
  const puts = (): number =>
    sidecar.seen.filter(({ method, target }) => method === 'PUT' && target === '/data/k').length;
  const before = puts();
  const put = { method: 'PUT', path: '/data/k' };
  const uploading = await open(sidecar.url, admin, first ?? put, first === undefined ? length : '');
  if (first !== undefined) uploading.write(await signedHead(sidecar.url, admin, put, length));
  uploading.write(Buffer.alloc(150_000, 'a'));
  await expect.poll(puts).toBe(before + 1);
  return { admin, uploading };
}

const length = 'Content-Length: 200000\r\n';

/** Sends the rest of the upload. Returns the beginning of the answer. */
async function endUpload(uploading: Socket): Promise<unknown> {
  uploading.write(Buffer.alloc(50_000, 'a'));
  await once(uploading.setEncoding('latin1'), 'readable');
  return uploading.read();
}

const get = ({ url }: TestSidecar, user: SdkCredentials): Promise<string> =>
  outcome(s3Client(url, user).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
const identity = ({ url }: TestSidecar, user: SdkCredentials): Promise<string> =>
  outcome(stsClient(url, user).send(new GetCallerIdentityCommand({})));

const secrets = { OLD: randomBytes(32).toString('base64'), NEW: randomBytes(32).toString('base64') };
const ring = (sealWith: string, ...names: readonly string[]): string =>
  `tokens: { sealWith: ${sealWith}, keys: [${names.map((name) => `{ id: ${name}, secret: { env: ${name.toUpperCase()} } }`).join(', ')}] }`;

describe('after a reload', () => {
  it('sessions of a key that was removed are refused, and those of a new key are issued', async () => {
    const sidecar = await started({ tokens: ring('old', 'old'), variables: secrets });
    const session = await assume(sidecar.url, alice, 'data');
    sidecar.reload({ tokens: ring('new', 'old', 'new') });
    expect(await identity(sidecar, session)).toBe('allowed');
    const renewed = await assume(sidecar.url, alice, 'data');
    sidecar.reload({ tokens: ring('new', 'new') });
    expect(await identity(sidecar, session)).toBe('InvalidClientTokenId 403');
    expect(await identity(sidecar, renewed)).toBe('allowed');
  });

  it('a user who was removed is unknown, and so are the sessions of a role that was removed', async () => {
    const sidecar = await started();
    const session = await assume(sidecar.url, alice, 'reader');
    const [before = ''] = defaultDirectory.split('    - name: reader');
    sidecar.reload({ directory: before.replace(/ {4}- name: bob\n.*\n/, '') });
    expect(await identity(sidecar, bob)).toBe('InvalidClientTokenId 403');
    expect(await identity(sidecar, session)).not.toBe('allowed');
    expect(await identity(sidecar, alice)).toBe('allowed');
  });

  it('a policy that was tightened binds sessions that were issued before', async () => {
    const sidecar = await started();
    const session = await assume(sidecar.url, alice, 'reader');
    expect(await get(sidecar, session)).toBe('NoSuchBucket 404');
    sidecar.reload({
      directory: defaultDirectory.replace('Action: "s3:GetObject"', 'Action: "s3:PutObject"'),
    });
    expect(await get(sidecar, session)).toBe('AccessDenied 403');
  });

  it('a session that the configuration revokes is refused', async () => {
    const sidecar = await started();
    const session = await assume(sidecar.url, alice, 'data');
    sidecar.reload({ further: 'revocations: [{ role: data, issuedBefore: "2099-01-01T00:00:00Z" }]' });
    expect(await identity(sidecar, session)).toBe('ExpiredToken 403');
    sidecar.reload({});
    expect(await identity(sidecar, session)).toBe('allowed');
  });

  it('requests are signed with the new key of the store', async () => {
    const sidecar = await started();
    await get(sidecar, await assume(sidecar.url, alice, 'admin'));
    const { storeUrl } = sidecar;
    const backend = { endpoint: storeUrl, accessKeyId: 'NEWSTOREKEY', secretAccessKey: 'a-new-secret' };
    sidecar.reload({ backend });
    await get(sidecar, await assume(sidecar.url, alice, 'admin'));
    const signers = sidecar.seen.map(
      ({ headers }) => /Credential=(\w+)/.exec(headers.get('authorization') ?? '')?.[1],
    );
    expect(signers).toEqual(['STOREKEY', 'NEWSTOREKEY']);
  });

  it('a request in progress ends with the policies with which it began', async () => {
    const sidecar = await started();
    const { admin, uploading } = await beginUpload(sidecar);
    sidecar.reload({ directory: 'directory: {}' });
    expect(await get(sidecar, admin)).toBe('InvalidToken 400');
    expect(await endUpload(uploading)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('an upload of a session that is revoked meanwhile is refused', async () => {
    const sidecar = await started();
    const { admin, uploading } = await beginUpload(sidecar);
    sidecar.reload({ further: 'revocations: [{ role: admin }]' });
    expect(await endUpload(uploading)).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>ExpiredToken</);
    sidecar.reload({});
    expect(await get(sidecar, admin)).toBe('NoSuchKey 404');
  });

  it('an upload is reset once uploads hold eight later configurations, also behind a pipelined request', async () => {
    const sidecar = await started();
    const { uploading } = await beginUpload(sidecar, { method: 'GET', path: '/data/none' });
    uploading.on('error', () => undefined).resume();
    const later: UploadUnderWay[] = [];
    for (let count = 1; count <= 9; count += 1) {
      expect(uploading.destroyed).toBe(false);
      sidecar.reload({ server: `  trustedProxies: ["10.0.0.${count}/32"]` });
      later.push(await beginUpload(sidecar));
    }
    await expect.poll(() => uploading.destroyed).toBe(true);
    expect(later.map((one) => one.uploading.destroyed)).toEqual(later.map(() => false));
    for (const one of later) one.uploading.destroy();
  });

  it('an upload outlasts any number of reloads that change nothing', async () => {
    const sidecar = await started();
    const uploads = [await beginUpload(sidecar)];
    for (let count = 1; count <= 12; count += 1) {
      sidecar.reload({});
      uploads.push(await beginUpload(sidecar));
    }
    expect(uploads.map(({ uploading }) => uploading.destroyed)).toEqual(uploads.map(() => false));
    for (const { uploading } of uploads) uploading.destroy();
  });

  it('a configuration that has been replaced keeps no sessions and no compiled policies', async () => {
    const retired: string[] = [];
    for (const kind of [SessionOpener, PolicyGatherer]) {
      const { retire } = kind.prototype;
      vi.spyOn(kind.prototype, 'retire').mockImplementation(function (this: SessionOpener & PolicyGatherer) {
        retired.push(kind.name);
        retire.call(this);
      });
    }
    const sidecar = await started();
    sidecar.reload({});
    expect(retired).toEqual([]);
    sidecar.reload({ directory: 'directory: {}' });
    expect(retired.sort()).toEqual(['PolicyGatherer', 'SessionOpener']);
    vi.restoreAllMocks();
  });

  it('an identity provider with the same settings keeps its keys, although it cannot be reached', async () => {
    const idp = await startIdentityProvider();
    const directory = webIdentityDirectory({ issuer: idp.issuer });
    const sidecar = await started({ directory });
    const token = await idp.mint();
    const call = (): Promise<string> =>
      outcome(
        stsClient(sidecar.url, alice).send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn: roleArn('pod'),
            RoleSessionName: 'test',
            WebIdentityToken: token,
          }),
        ),
      );
    expect(await call()).toBe('allowed');
    await idp.stop();
    sidecar.reload({
      directory: `${directory}    - { name: further, trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "sts:AssumeRole" }] } }\n`,
    });
    expect(await call()).toBe('allowed');
    sidecar.reload({
      directory: directory.replace('clientIds: [sts-sidecar]', 'clientIds: [sts-sidecar, other]'),
    });
    expect(await call()).not.toBe('allowed');
  });

  it('revocations can name what is new, and the list has those of the new file', async () => {
    const token = randomBytes(24).toString('base64url');
    const control = 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }';
    const sidecar = await started({ further: control, variables: { CONTROL: token } });
    const operator = controlClient(sidecar.controlUrl, token);
    const named = async (): Promise<unknown> => (await operator.add({ role: 'fresh' })).status;
    expect(await named()).toBe(400);
    const directory = defaultDirectory.replaceAll('name: reader', 'name: fresh');
    sidecar.reload({ directory, further: `${control}\nrevocations: [{ user: bob }]` });
    expect(await named()).toBe(201);
    expect(JSON.stringify((await operator.list()).body)).toContain(
      JSON.stringify({ source: 'configuration', user: 'bob' }),
    );
  });

  it('proxies are trusted as the new file says', async () => {
    const sidecar = await started();
    const ip = '{ IpAddress: { "aws:SourceIp": "203.0.113.7/32" } }';
    const directory = defaultDirectory.replace(
      '{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }',
      `{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*", Condition: ${ip} }`,
    );
    const session = await assume(sidecar.url, alice, 'reader');
    const through = async (): Promise<string> => {
      const head = 'X-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n';
      const socket = await open(sidecar.url, session, { method: 'GET', path: '/data/k' }, head);
      return (await readAll(socket)).slice(9, 12);
    };
    sidecar.reload({ directory });
    expect(await through()).toBe('403');
    sidecar.reload({ directory, server: '  trustedProxies: ["127.0.0.1/32"]' });
    expect(await through()).toBe('404');
  });

  it('the number of policies is that of the new file', async () => {
    const sidecar = await started();
    const policies = async (): Promise<string | undefined> =>
      /sts_sidecar_policies\{kind="managed"\} (\d+)/.exec(
        await (await fetch(`${sidecar.adminUrl}/metrics`)).text(),
      )?.[1];
    expect(await policies()).toBe('3');
    sidecar.reload({ directory: 'directory: {}' });
    expect(await policies()).toBe('0');
  });
});

it('a reload that fails is logged without any secret, and leaves everything as it was', async () => {
  const sidecar = await started();
  sidecar.reload({ directory: defaultDirectory.replace('policies: [ReadOnly]', 'policies: [Missing]') });
  expect(sidecar.logged.join('')).toContain('configuration not reloaded');
  expect(sidecar.logged.join('')).toContain('Missing');
  for (const secret of [alice.secretAccessKey, sidecar.storeCredentials.secretAccessKey])
    expect(sidecar.logged.join('')).not.toContain(secret);
  expect(await identity(sidecar, alice)).toBe('allowed');
});
