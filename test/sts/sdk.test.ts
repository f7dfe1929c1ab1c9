import {
  AssumeRoleCommand,
  ExpiredTokenException,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  MalformedPolicyDocumentException,
  PackedPolicyTooLargeException,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  accountId,
  assumePolicy,
  buildWorld,
  dependenciesOf,
  document,
  keyOf,
  policyArn,
  roleArn,
  sessionArn,
  trust,
  userArn,
} from './support/sts-fixture.ts';
import { startStsServer } from './support/sts-server.ts';

const account = `arn:aws:iam::${accountId}:root`;
const dependencies = dependenciesOf(
  buildWorld({
    policies: { S3Only: document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }) },
    users: { alice: { inline: [assumePolicy('*')] }, nobody: {} },
    roles: {
      reader: { trust: trust(account), inline: [assumePolicy('*')] },
      next: { trust: trust(roleArn('reader')) },
    },
  }),
);

let server: Awaited<ReturnType<typeof startStsServer>>;
let laterMs = 0;
beforeAll(async () => {
  server = await startStsServer(
    () => dependencies,
    () => systemClock.now() + laterMs,
  );
});
afterAll(() => server.close());

const clients: STSClient[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

function clientOf(credentials: TestCredentials): STSClient {
  const client = new STSClient({
    endpoint: server.endpoint,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

async function sessionOf(credentials: TestCredentials, role: string): Promise<TestCredentials> {
  const command = new AssumeRoleCommand({ RoleArn: roleArn(role), RoleSessionName: 'sdk' });
  const { Credentials } = await clientOf(credentials).send(command);
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

describe('the AWS SDK for JavaScript', () => {
  it('assumes a role with every supported parameter', async () => {
    const sentAt = systemClock.now();
    const output = await clientOf(keyOf('alice')).send(
      new AssumeRoleCommand({
        RoleArn: roleArn('reader'),
        RoleSessionName: 'sdk',
        DurationSeconds: 900,
        ExternalId: 'a+b=c',
        Policy: JSON.stringify(document({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })),
        PolicyArns: [{ arn: policyArn('S3Only') }],
      }),
    );
    expect(output.AssumedRoleUser).toEqual({
      Arn: sessionArn('reader', 'sdk'),
      AssumedRoleId: 'AROAREADER:sdk',
    });
    expect(output.PackedPolicySize).toBeGreaterThan(0);
    const lifetimeMs = (output.Credentials?.Expiration?.getTime() ?? 0) - sentAt;
    expect(Math.abs(lifetimeMs - 900_000)).toBeLessThan(30_000);
    expect(output.$metadata.requestId).toBe('SOCKET');
  });

  it('learns who it is, as a user, in a session, and after chaining', async () => {
    const identify = async (credentials: TestCredentials): Promise<unknown> =>
      (await clientOf(credentials).send(new GetCallerIdentityCommand({}))).Arn;
    expect(await identify(keyOf('alice'))).toBe(userArn('alice'));
    const reader = await sessionOf(keyOf('alice'), 'reader');
    expect(await identify(reader)).toBe(sessionArn('reader', 'sdk'));
    expect(await identify(await sessionOf(reader, 'next'))).toBe(sessionArn('next', 'sdk'));
  });

  it('gets errors it can tell apart', async () => {
    const assume = (user: TestCredentials, changes: object = {}): Promise<unknown> =>
      clientOf(user).send(
        new AssumeRoleCommand({ RoleArn: roleArn('reader'), RoleSessionName: 'sdk', ...changes }),
      );
    const alice = keyOf('alice');
    await expect(assume(keyOf('nobody'))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(
        `User: ${userArn('nobody')} is not authorized to perform: sts:AssumeRole on resource: ${roleArn('reader')} because no identity-based policy allows the sts:AssumeRole action Encoded authorization failure message: `,
      ),
      $metadata: { httpStatusCode: 403 },
    });
    await expect(assume({ ...alice, secretAccessKey: 'wrong' })).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    await expect(assume({ ...alice, accessKeyId: 'AKIAUNKNOWNXXXXXXXXX' })).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
    await expect(assume(alice, { RoleSessionName: 'a b' })).rejects.toMatchObject({
      name: 'ValidationError',
    });
    await expect(
      assume(alice, { Tags: [{ Key: 'a', Value: 'b' }], TransitiveTagKeys: ['c'] }),
    ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(assume(alice, { Tags: [{ Key: 'a', Value: 'b' }] })).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(assume(alice, { Policy: '{}' })).rejects.toBeInstanceOf(MalformedPolicyDocumentException);
    await expect(assume(alice, { Policy: ' '.repeat(2049) })).rejects.toBeInstanceOf(
      PackedPolicyTooLargeException,
    );
    const { Credentials: own } = await clientOf(alice).send(new GetSessionTokenCommand({}));
    await expect(
      clientOf({
        accessKeyId: own?.AccessKeyId ?? '',
        secretAccessKey: own?.SecretAccessKey ?? '',
        sessionToken: own?.SessionToken ?? '',
      }).send(new GetSessionTokenCommand({})),
    ).rejects.toMatchObject({ name: 'AccessDenied', $fault: 'client' });
  });

  it('is told that its session expired', async () => {
    const session = await sessionOf(keyOf('alice'), 'reader');
    laterMs = 3_601_000;
    const client = new STSClient({
      endpoint: server.endpoint,
      region: 'eu-central-1',
      credentials: session,
      maxAttempts: 1,
      systemClockOffset: laterMs,
    });
    clients.push(client);
    try {
      const error: unknown = await client
        .send(new GetCallerIdentityCommand({}))
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ $metadata: { httpStatusCode: 403 } });
      expect(
        error instanceof ExpiredTokenException || (error instanceof Error && error.name === 'ExpiredToken'),
      ).toBe(true);
    } finally {
      laterMs = 0;
    }
  });
});
