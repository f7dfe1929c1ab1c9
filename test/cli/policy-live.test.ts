import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { execute, file, removeFiles } from './command.ts';

afterAll(removeFiles);

const user = (name: string): string => `arn:aws:iam::${account}:user/${name}`;
const role = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
const session = `arn:aws:sts::${account}:assumed-role/lake/test`;

const directory = `
directory:
  policies:
    Lake:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::lake", Condition: { StringLike: { "s3:prefix": ["", "team/\${aws:PrincipalTag/team}/*"] } } }
        - { Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::lake/team/\${aws:PrincipalTag/team}/*" }
        - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/shared/*", Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } } }
        - { Effect: Deny, Action: "s3:DeleteObject", Resource: "*", Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } } }
        - { Effect: Allow, Action: "s3:DeleteObject", Resource: "arn:aws:s3:::lake/*" }
    ReadShared:
      Version: "2012-10-17"
      Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/shared/*" }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      policies: [Lake]
      tags: { team: blue }
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:AssumeRole", Resource: "${role('l*')}" } } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
      policies: [Lake]
      permissionsBoundary: ReadShared
  roles:
    - name: lake
      policies: [Lake]
      tags: { team: red }
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" } }
    - name: locked
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${user('bob')}" }, Action: "sts:AssumeRole" } }
  bucketPolicies:
    lake:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${user('bob')}" }, Action: "s3:PutObject", Resource: "arn:aws:s3:::lake/drop/*" }
        - { Effect: Deny, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/shared/sealed" }
`;

const config = file(
  'live.yaml',
  `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
${directory.replace('{ env: ALICE }', alice.secretAccessKey).replace('{ env: BOB }', bob.secretAccessKey)}`,
);

let sidecar: TestSidecar;
const credentials = new Map<string, SdkCredentials>();

beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  credentials.set(user('alice'), alice);
  credentials.set(user('bob'), bob);
  credentials.set(session, await assume(sidecar.url, alice, 'lake'));
});
afterAll(() => sidecar.stop());

/** Whether the running sidecar lets a request through; what the store then says does not matter. */
async function isLetThrough(principal: string, action: string, place: string): Promise<boolean> {
  const signer = credentials.get(principal);
  if (signer === undefined) throw new Error(`no credentials of ${principal}`);
  try {
    await send(signer, action, place);
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'AccessDenied') return false;
    if (name === 'NoSuchBucket' || name === 'NoSuchKey') return true;
    throw error;
  }
}

function send(signer: SdkCredentials, action: string, place: string): Promise<unknown> {
  const s3 = s3Client(sidecar.url, signer);
  const at = { Bucket: 'lake', Key: place };
  switch (action) {
    case 's3:GetObject':
      return s3.send(new GetObjectCommand(at));
    case 's3:PutObject':
      return s3.send(new PutObjectCommand({ ...at, Body: 'x' }));
    case 's3:DeleteObject':
      return s3.send(new DeleteObjectCommand(at));
    case 's3:ListBucket':
      return s3.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: place }));
    case 'sts:AssumeRole': {
      const input = { RoleArn: role(place), RoleSessionName: 'again' };
      return stsClient(sidecar.url, signer).send(new AssumeRoleCommand(input));
    }
    default:
      throw new Error(`no request asks for ${action}`);
  }
}

async function simulated(principal: string, action: string, place: string): Promise<number> {
  const words = ['--principal', principal, '--action', action, '--context', 'aws:SourceIp=127.0.0.1'];
  const resource = { 's3:ListBucket': 'arn:aws:s3:::lake', 'sts:AssumeRole': role(place) }[action];
  const context = action === 's3:ListBucket' ? ['--context', `s3:prefix=${place}`] : [];
  const { code, prose } = await execute(
    'policy',
    'simulate',
    '--config',
    config,
    ...words,
    ...context,
    '--resource',
    resource ?? `arn:aws:s3:::lake/${place}`,
  );
  if (code === 2) throw new Error(prose);
  return code;
}

describe('policy simulate', () => {
  const keys = ['team/blue/a', 'team/red/a', 'shared/a', 'shared/sealed', 'drop/a'];
  const questions: [action: string, place: string][] = [
    ...['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].flatMap((action) =>
      keys.map((key): [string, string] => [action, key]),
    ),
    ...['', 'team/blue/', 'team/red/', 'other/'].map((prefix): [string, string] => ['s3:ListBucket', prefix]),
    ...['lake', 'locked'].map((name): [string, string] => ['sts:AssumeRole', name]),
  ];

  it.each([user('alice'), user('bob'), session])(
    'agrees with the running sidecar, for %s',
    async (principal) => {
      const live: Record<string, boolean> = {};
      const offline: Record<string, boolean> = {};
      for (const [action, place] of questions) {
        live[`${action} ${place}`] = await isLetThrough(principal, action, place);
        offline[`${action} ${place}`] = (await simulated(principal, action, place)) === 0;
      }
      expect(offline).toEqual(live);
      expect(new Set(Object.values(live)).size).toBe(2);
    },
  );
});
