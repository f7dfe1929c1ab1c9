import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import type { SdkCredentials } from '../../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { requireComponent } from '../components.ts';
import { type Rgw, startRgw } from './start-rgw.ts';
import { teamDirectory } from './team-directory.ts';

const mebibyte = 1024 * 1024;

describe('the AWS CLI on Ceph RGW', () => {
  let rgw: Rgw;
  let sidecar: TestSidecar;
  let folder: string;

  beforeAll(async () => {
    rgw = await startRgw();
    sidecar = await startSidecar({ directory: teamDirectory, backend: rgw });
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-interop-'));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await rgw?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function aws(credentials: SdkCredentials, ...parameters: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(
      requireComponent('aws'),
      ['--endpoint-url', sidecar.url, '--region', 'us-east-1', '--output', 'json', ...parameters],
      {
        env: cleanEnvironment({
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
        }),
      },
    );
    return stdout;
  }

  async function assumeWithCli(
    credentials: SdkCredentials,
    role: string,
    ...further: string[]
  ): Promise<SdkCredentials> {
    const printed: unknown = JSON.parse(
      await aws(
        credentials,
        'sts',
        'assume-role',
        '--role-arn',
        roleArn(role),
        '--role-session-name',
        'cli',
        ...further,
      ),
    );
    const { Credentials } = printed as {
      Credentials: Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string>;
    };
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    };
  }

  const refusal = async (call: Promise<string>): Promise<string> => {
    const failure: unknown = await call.then(
      () => ({ stderr: 'allowed' }),
      (error: unknown) => error,
    );
    const stderr = String((failure as { stderr?: unknown }).stderr);
    return /\((\w+)\)/.exec(stderr)?.[1] ?? stderr;
  };

  it('assumes a role and creates a bucket, puts, gets, lists and deletes', async () => {
    const session = await assumeWithCli(alice, 'team');
    expect(JSON.parse(await aws(session, 'sts', 'get-caller-identity'))).toMatchObject({
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/team/cli`,
    });
    const file = join(folder, 'small');
    await writeFile(file, 'small content');
    await aws(session, 's3', 'mb', 's3://team-cli');
    await aws(session, 's3', 'cp', file, 's3://team-cli/in/small');
    await aws(session, 's3', 'cp', file, 's3://team-cli/out/a b+c');
    expect(await aws(session, 's3', 'cp', 's3://team-cli/out/a b+c', '-')).toBe('small content');
    const listed = await aws(session, 's3', 'ls', '--recursive', 's3://team-cli/');
    expect([listed.includes('in/small'), listed.includes('out/a b+c')]).toEqual([true, true]);
    await aws(
      session,
      's3api',
      'delete-objects',
      '--bucket',
      'team-cli',
      '--delete',
      'Objects=[{Key=out/a b+c},{Key=none}]',
    );
    expect(await aws(session, 's3', 'ls', '--recursive', 's3://team-cli/')).not.toContain('out/');
  });

  it('uploads 3 × 5 MiB in parts and reads them back', async () => {
    const session = await assumeWithCli(alice, 'team');
    const [sent, received] = [join(folder, 'sent'), join(folder, 'received')];
    const body = randomBytes(15 * mebibyte);
    await writeFile(sent, body);
    await aws(session, 's3', 'cp', sent, 's3://team-cli/large');
    await aws(session, 's3', 'cp', 's3://team-cli/large', received);
    expect((await readFile(received)).equals(body)).toBe(true);
    const head = JSON.parse(
      await aws(session, 's3api', 'head-object', '--bucket', 'team-cli', '--key', 'large'),
    ) as {
      ETag: string;
    };
    expect(head.ETag).toMatch(/-2"$/);
    await aws(
      session,
      's3api',
      'create-multipart-upload',
      '--bucket',
      'team-cli',
      '--key',
      'three-parts',
    ).then(async (text) => {
      const { UploadId } = JSON.parse(text) as { UploadId: string };
      const upload = ['--bucket', 'team-cli', '--key', 'three-parts', '--upload-id', UploadId];
      const parts: { PartNumber: number; ETag: string }[] = [];
      for (const PartNumber of [1, 2, 3]) {
        await writeFile(sent, body.subarray((PartNumber - 1) * 5 * mebibyte, PartNumber * 5 * mebibyte));
        const part = await aws(
          session,
          's3api',
          'upload-part',
          ...upload,
          '--part-number',
          String(PartNumber),
          '--body',
          sent,
        );
        parts.push({ PartNumber, ETag: (JSON.parse(part) as { ETag: string }).ETag });
      }
      await aws(
        session,
        's3api',
        'complete-multipart-upload',
        ...upload,
        '--multipart-upload',
        JSON.stringify({ Parts: parts }),
      );
    });
    await aws(session, 's3', 'cp', 's3://team-cli/three-parts', received);
    expect((await readFile(received)).equals(body)).toBe(true);
  });

  it('is denied outside the prefix of an inline session policy', async () => {
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::team-cli/in/*' }],
    });
    const session = await assumeWithCli(alice, 'team', '--policy', policy);
    expect(await aws(session, 's3', 'cp', 's3://team-cli/in/small', '-')).toBe('small content');
    expect(
      await refusal(
        aws(session, 's3api', 'get-object', '--bucket', 'team-cli', '--key', 'large', join(folder, 'x')),
      ),
    ).toBe('AccessDenied');
    expect(await refusal(aws(session, 's3api', 'put-object', '--bucket', 'team-cli', '--key', 'in/x'))).toBe(
      'AccessDenied',
    );
    expect(await refusal(aws(session, 's3api', 'list-objects-v2', '--bucket', 'team-cli'))).toBe(
      'AccessDenied',
    );
  });

  it('chains, and is refused what no policy allows', async () => {
    const team = await assumeWithCli(alice, 'team');
    const chained = await assumeWithCli(team, 'chained');
    expect(await aws(chained, 's3', 'cp', 's3://team-cli/in/small', '-')).toBe('small content');
    expect(await refusal(aws(chained, 's3api', 'put-object', '--bucket', 'team-cli', '--key', 'x'))).toBe(
      'AccessDenied',
    );
    expect(
      await refusal(
        aws(bob, 'sts', 'assume-role', '--role-arn', roleArn('team'), '--role-session-name', 'x1'),
      ),
    ).toBe('AccessDenied');
    expect(
      await refusal(
        aws({ ...team, sessionToken: 'foreign' }, 's3api', 'list-objects-v2', '--bucket', 'team-cli'),
      ),
    ).toBe('InvalidToken');
    expect(
      await refusal(aws({ ...alice, secretAccessKey: 'wrong-secret' }, 'sts', 'get-caller-identity')),
    ).toBe('SignatureDoesNotMatch');
  });
});
