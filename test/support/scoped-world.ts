import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  type Credentials,
  GetCallerIdentityCommand,
  GetScopedCredentialsCommand,
  type GetScopedCredentialsCommandInput,
  type GetScopedCredentialsCommandOutput,
} from '@aws-sdk/client-sts';
import { type ControlClient, controlClient } from './control-client.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from './sdk.ts';
import { account, alice, bob, roleArn, startSidecar, TestClock, type TestSidecar } from './sidecar.ts';

/** Moves the sidecar and the clients together. A world has its own: files of one worker share this module. */
export let clock: TestClock;
const controlToken = randomBytes(24).toString('base64url');
export const sessionArn = (role: string, session = 'test'): string =>
  `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }`;
const directory = `
directory:
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - { name: alice, policies: [All], accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  roles:
    - { name: agent, policies: [All], trustPolicy: ${trust} }
    - { name: next, policies: [All], trustPolicy: ${trust} }
    - { name: bare, trustPolicy: ${trust} }
    - { name: watched, enforcement: audit, trustPolicy: ${trust} }
  bucketPolicies:
    by-session:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${sessionArn('bare')}" }, Action: ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], Resource: ["arn:aws:s3:::by-session", "arn:aws:s3:::by-session/*"] }
    by-role:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${roleArn('bare')}" }, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::by-role/*" }
    by-everyone:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: "*", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::by-everyone/*" }
`;
const buckets = ['data', 'other', 'by-session', 'by-role', 'by-everyone'];
export const objects: readonly string[] = ['red/a', 'blue/a'];
export let sidecar: TestSidecar;
export let control: ControlClient;

/** Starts a sidecar with roles that narrow themselves, bucket policies that name them, and two objects in each bucket. */
export async function startScopedWorld(): Promise<void> {
  clock = new TestClock();
  sidecar = await startSidecar({
    clock,
    directory,
    variables: { CONTROL: controlToken },
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
  });
  control = controlClient(sidecar.controlUrl, controlToken);
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials, { clock });
  for (const Bucket of buckets) {
    await store.send(new CreateBucketCommand({ Bucket }));
    for (const Key of objects) await store.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  }
}
export async function stopScopedWorld(): Promise<void> {
  await sidecar.stop();
}

export type Holder = Required<SdkCredentials>;
export const holder = ({ Credentials }: { Credentials?: Credentials | undefined }): Holder => ({
  accessKeyId: Credentials?.AccessKeyId ?? '',
  secretAccessKey: Credentials?.SecretAccessKey ?? '',
  sessionToken: Credentials?.SessionToken ?? '',
});
export const scope = (
  keys: SdkCredentials,
  input: Omit<GetScopedCredentialsCommandInput, 'Policy'> & { Policy?: object } = {},
): Promise<GetScopedCredentialsCommandOutput> => {
  const { Policy, ...rest } = input;
  const policy = Policy === undefined ? {} : { Policy: JSON.stringify(Policy) };
  return stsClient(sidecar.url, keys, clock).send(new GetScopedCredentialsCommand({ ...rest, ...policy }));
};
export const allow = (
  Action: string | string[],
  Resource: string | string[] = '*',
  Condition = {},
): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, Condition }],
});
export const session = (role = 'agent'): Promise<Holder> => assume(sidecar.url, alice, role, {}, clock);
export const whoIs = async (keys: SdkCredentials): Promise<unknown> => {
  const { Arn, UserId, Account } = await stsClient(sidecar.url, keys, clock).send(
    new GetCallerIdentityCommand({}),
  );
  return { Arn, UserId, Account };
};
export const s3 = (keys: SdkCredentials): S3Client => s3Client(sidecar.url, keys, { clock });
export const read = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new GetObjectCommand({ Bucket, Key })));
export const write = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new PutObjectCommand({ Bucket, Key, Body: 'y' })));
export const remove = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new DeleteObjectCommand({ Bucket, Key })));
/** What {@link outcome} says of a denial. */
export const refused = 'AccessDenied 403';
