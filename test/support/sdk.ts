import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials,
  GetScopedCredentialsCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { roleArn } from './sidecar.ts';

export interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function common(endpoint: string, credentials: SdkCredentials, clock: Clock) {
  return {
    endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
    systemClockOffset: clock.now() - systemClock.now(),
  };
}

/** An unmodified S3 client of the AWS SDK, without retries so that every refusal shows. */
export function s3Client(
  endpoint: string,
  credentials: SdkCredentials,
  options: { clock?: Clock; config?: S3ClientConfig } = {},
): S3Client {
  return new S3Client({
    ...common(endpoint, credentials, options.clock ?? systemClock),
    forcePathStyle: true,
    ...options.config,
  });
}

/** An unmodified STS client of the AWS SDK. */
export function stsClient(
  endpoint: string,
  credentials: SdkCredentials,
  clock: Clock = systemClock,
): STSClient {
  return new STSClient(common(endpoint, credentials, clock));
}

/** Assumes a role and returns its credentials. */
export async function assume(
  endpoint: string,
  credentials: SdkCredentials,
  role: string,
  input: Partial<AssumeRoleCommandInput> = {},
  clock: Clock = systemClock,
): Promise<Required<SdkCredentials>> {
  const client = stsClient(endpoint, credentials, clock);
  const { Credentials } = await client.send(
    new AssumeRoleCommand({ RoleArn: roleArn(role), RoleSessionName: 'test', ...input }),
  );
  return heldBy(Credentials);
}

/** Narrows a session to reading objects. */
export async function scopeToReading(
  endpoint: string,
  session: SdkCredentials,
  clock: Clock = systemClock,
): Promise<Required<SdkCredentials>> {
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
  });
  const client = stsClient(endpoint, session, clock);
  const { Credentials } = await client.send(new GetScopedCredentialsCommand({ Policy }));
  return heldBy(Credentials);
}

function heldBy(credentials: Credentials | undefined): Required<SdkCredentials> {
  return {
    accessKeyId: credentials?.AccessKeyId ?? '',
    secretAccessKey: credentials?.SecretAccessKey ?? '',
    sessionToken: credentials?.SessionToken ?? '',
  };
}

/** The code and status with which an SDK call is refused; `allowed` when it is not. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'allowed';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const metadata = '$metadata' in error ? error.$metadata : undefined;
    const status =
      typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
        ? metadata.httpStatusCode
        : undefined;
    return `${error.name} ${status}`;
  }
}
