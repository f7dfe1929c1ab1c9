import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { run } from './clients/client.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const role = (name: string, statement: string): string => `
    - name: ${name}
      trustPolicy: ${trust}
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statement}] } }`;
const allow = (action: string, resource: string): string =>
  `{ Effect: Allow, Action: "${action}", Resource: ${resource} }`;

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [${allow('sts:AssumeRole', '"*"')}] } }
  roles:${role('one', allow('s3:*', '["arn:aws:s3:::ours", "arn:aws:s3:::ours/*"]'))}${role(
    'objects',
    allow('s3:GetObject', '"arn:aws:s3:::ours/*"'),
  )}${role('none', allow('s3:*', '["arn:aws:s3:::elsewhere", "arn:aws:s3:::elsewhere/*"]'))}${role(
    'everything',
    allow('s3:*', '"*"'),
  )}
`;

const clis: readonly { readonly name: string; readonly command: () => readonly [string, ...string[]] }[] = [
  { name: 'the AWS CLI of Debian', command: () => [requireComponent('aws')] },
  {
    name: 'the current AWS CLI',
    command: () => [join(cachedFolder('awscli'), 'bin', 'python'), '-m', 'awscli'],
  },
];

describe.each(storeKinds)('aws s3 ls on $name, with filtered ListBuckets', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({
      backend: store,
      trailers,
      directory,
      further: 'authorization: { listBuckets: filtered }',
    });
    const atStore = s3Client(store.endpoint, store, {
      config: { requestChecksumCalculation: 'WHEN_REQUIRED' },
    });
    for (const Bucket of ['ours', 'ours-too', 'theirs']) {
      await atStore.send(new CreateBucketCommand({ Bucket }));
      await atStore.send(new PutObjectCommand({ Bucket, Key: 'report', Body: 'x' }));
    }
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  async function list(command: readonly [string, ...string[]], name: string, ...what: string[]) {
    const { accessKeyId, secretAccessKey, sessionToken }: Required<SdkCredentials> = await assume(
      sidecar.url,
      alice,
      name,
    );
    const [program, ...first] = command;
    const args = [...first, '--endpoint-url', sidecar.url, '--region', 'us-east-1', 's3', 'ls', ...what];
    const printed = await run(program, args, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      PYTHONWARNINGS: 'ignore',
    }).catch((error: unknown) => String(error));
    // A line is a date, a time, for an object its size, and the name.
    return printed.trimEnd().replaceAll(/^\S+ \S+ +(?:\d+ )?/gm, '');
  }

  describe.each(clis)('$name', ({ command }) => {
    it('shows only its bucket to a role that is limited to one', async () => {
      expect(await list(command(), 'one')).toBe('ours');
      expect(await list(command(), 'one', 's3://ours')).toBe('report');
      expect(await list(command(), 'one', 's3://ours-too')).toContain('(AccessDenied)');
      expect(await list(command(), 'one', 's3://theirs')).toContain('(AccessDenied)');
    });

    it.each(['none', 'objects'])('is refused to the role %s, which may list no bucket', async (name) => {
      const said = await list(command(), name);
      expect(said).toContain('(AccessDenied)');
      expect(said).toContain('s3:ListAllMyBuckets');
      expect(said).not.toMatch(/\b(ours|theirs)\b/);
    });

    it('shows all buckets to a role that may list all of them', async () => {
      expect(await list(command(), 'everything')).toBe('ours\nours-too\ntheirs');
    });
  });
});
