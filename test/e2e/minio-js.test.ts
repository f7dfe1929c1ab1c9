import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, IamAwsProvider } from 'minio';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { account, alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'minio-js-'));
const tokenFile = join(folder, 'token');
const generatedArn = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0';
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  idp = await startIdentityProvider();
  sidecar = await startSidecar({
    directory: `
directory:
  policies:
    Make: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:CreateBucket", Resource: "arn:aws:s3:::*" }] }
    Data: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:PutObject", "s3:GetObject", "s3:GetBucketLocation"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }] }
    Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] }
  users:
    - { name: alice, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }], policies: [Assume] }
  roles:
    - name: data
      policies: [Data, Make]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
  identityProviders:
    - { kind: oidc, name: roles, issuer: "${idp.issuer}", clientIds: [minio-client-app], rolePolicies: [Data] }
    - { kind: oidc, name: claims, issuer: "${idp.issuer}", clientIds: [claims-app], claimName: policy }
`,
  });
  const client = await clientOfAlice();
  await client.makeBucket('data', 'us-east-1');
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
  rmSync(folder, { recursive: true });
});

/** The provider knows AWS's own host only: whatever it wants to connect to, it is connected to the sidecar. */
class SidecarAgent extends Agent {
  override createConnection(): Socket {
    return connect({ host: '127.0.0.1', port: Number(new URL(sidecar.url).port) });
  }
}

/** A client with what a credential provider of minio-js got. */
async function clientOf(provider: Pick<AssumeRoleProvider, 'getCredentials'>): Promise<Client> {
  const { hostname, port } = new URL(sidecar.url);
  const { accessKey, secretKey, sessionToken } = await provider.getCredentials();
  const keys = { accessKey, secretKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, region: 'us-east-1', ...keys });
}

async function clientOfAlice(): Promise<Client> {
  const provider = new AssumeRoleProvider({
    stsEndpoint: sidecar.url,
    accessKey: alice.accessKeyId,
    secretKey: alice.secretAccessKey,
    region: 'us-east-1',
    roleArn: roleArn('data'),
    roleSessionName: 'minio-js',
  });
  return clientOf(provider);
}

/** What a client that finds its token in a file can do. */
async function put(token: string, environment: Readonly<Record<string, string>>): Promise<string> {
  writeFileSync(tokenFile, token);
  const all: Record<string, string | undefined> = {
    AWS_ROLE_ARN: undefined,
    AWS_ROLE_SESSION_NAME: undefined,
    AWS_REGION: undefined,
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    ...environment,
  };
  const before = Object.fromEntries(Object.keys(all).map((name) => [name, process.env[name]]));
  setEnvironment(all);
  try {
    const provider = new IamAwsProvider({ transportAgent: new SidecarAgent() });
    const client = await clientOf(provider);
    await client.putObject('data', 'x', 'content');
    return 'allowed';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no credentials';
  } finally {
    setEnvironment(before);
  }
}

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

describe('the credential providers of minio-js', () => {
  it('assume a role with an access key', async () => {
    const client = await clientOfAlice();
    await client.putObject('data', 'y', 'content');
    expect(sidecar.seen.at(-1)).toMatchObject({ method: 'PUT', target: '/data/y' });
  });

  it('get the policies of a claim with a token file and no role', async () => {
    expect(await put(await idp.mint({ aud: 'claims-app', policy: 'Data' }), {})).toBe('allowed');
    expect(await put(await idp.mint({ aud: 'claims-app', policy: 'Make' }), {})).toBe('AccessDenied');
    expect(await put(await idp.mint({ aud: 'claims-app', policy: 'Unknown' }), {})).toBe('no credentials');
    expect(await put(await idp.mint({ aud: 'minio-client-app', policy: 'Data' }), {})).toBe('no credentials');
  });

  it('get role policies with a token file and the generated role', async () => {
    const environment = { AWS_ROLE_ARN: generatedArn, AWS_REGION: 'eu-central-1' };
    expect(await put(await idp.mint({ aud: 'minio-client-app' }), environment)).toBe('allowed');
    expect(await put(await idp.mint({ aud: 'claims-app', policy: 'Data' }), environment)).toBe(
      'no credentials',
    );
  });
});
