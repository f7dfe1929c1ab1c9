import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import type { SdkCredentials } from '../support/sdk.ts';
import { alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { secureS3, secureSts } from '../support/tls-clients.ts';
import { currentCli } from './clients/aws-cli.ts';
import { currentBoto3, debianBoto3 } from './clients/boto3.ts';
import type { Client, ClientKind } from './clients/client.ts';
import { rclone } from './clients/rclone.ts';
import type { RealStore } from './stores/real-store.ts';
import { startMinio } from './stores/start-minio.ts';
import { storeDirectory } from './stores/store-directory.ts';

const authority = createAuthority();
const other = authority.issue({ names: ['other.example.com'] });
const named = authority.issue({ names: ['localhost'] });
const tls = { ca: authority.certPem };

/** Each client trusts a private authority and asks for `localhost`, which is not the name of the first certificate. */
describe('over https of the sidecar itself', () => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let folder: string;
  let endpoint: string;
  let credentials: Required<SdkCredentials>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-https-'));
    await writeFile(join(folder, 'ca.pem'), authority.certPem);
    store = await startMinio();
    sidecar = await startSidecar({
      backend: store,
      directory: storeDirectory,
      files: {
        'other.crt': other.certPem,
        'other.key': other.keyPem,
        'named.crt': named.certPem,
        'named.key': named.keyPem,
      },
      server:
        '  tls: { certFile: other.crt, keyFile: other.key, certificates: [{ certFile: named.crt, keyFile: named.key }] }',
    });
    endpoint = sidecar.url.replace('127.0.0.1', 'localhost');
    const { Credentials } = await secureSts(endpoint, alice, tls).send(
      new AssumeRoleCommand({ RoleArn: roleArn('data'), RoleSessionName: 'test' }),
    );
    credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    await secureS3(endpoint, credentials, tls).send(new CreateBucketCommand({ Bucket: 'data' }));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  // rclone cannot use the variable of the AWS SDKs.
  const trusting = (kind: ClientKind, ca: string): Record<string, string> =>
    kind === rclone ? { SSL_CERT_FILE: ca } : { AWS_CA_BUNDLE: ca };

  const open = async (kind: ClientKind, ca: string): Promise<Client> =>
    await kind.open({
      endpoint,
      credentials,
      bucket: 'data',
      folder,
      environment: trusting(kind, ca),
    });

  it.each([currentCli, debianBoto3, currentBoto3, rclone].map((kind) => ({ name: kind.name, kind })))(
    '$name uploads and reads, and is refused what its role may not',
    async ({ kind }) => {
      const client = await open(kind, join(folder, 'ca.pem'));
      const [sent, received] = [join(folder, `${kind.name} sent`), join(folder, `${kind.name} received`)];
      const content = `text of ${kind.name} `.repeat(10_000);
      await writeFile(sent, content);
      await client.put('in/k', sent);
      await client.get('in/k', received);
      expect(await readFile(received, 'utf8')).toBe(content);
      await expect(client.put('secret/k', sent)).rejects.toThrow(/AccessDenied/);
    },
  );

  it('the AWS CLI refuses the sidecar without the authority', async () => {
    const client = await open(currentCli, '/etc/ssl/certs/ca-certificates.crt');
    await expect(client.list('in/')).rejects.toThrow(/SSL|certificate/i);
  });
});
