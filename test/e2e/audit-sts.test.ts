import {
  AssumeRoleCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetScopedCredentialsCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { recordOf as recordAt, root, startAudited } from '../support/audited-world.ts';
import { assume, outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, TestClock, type TestSidecar } from '../support/sidecar.ts';

const clock = new TestClock();
let sidecar: TestSidecar;

beforeAll(async () => {
  sidecar = await startAudited(clock);
});
afterAll(() => sidecar.stop());

const recordOf = (act: () => Promise<unknown>): Promise<AuditRecord> => recordAt(sidecar, act);

describe('the record of an STS call', () => {
  it('says who assumed which role with what, and names the new key', async () => {
    let issued: Awaited<ReturnType<typeof call>> | undefined;
    const Policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';
    const call = () =>
      stsClient(sidecar.url, alice, clock).send(
        new AssumeRoleCommand({
          RoleArn: roleArn('teams/data'),
          RoleSessionName: 'app',
          DurationSeconds: 900,
          ExternalId: 'external',
          SourceIdentity: 'alice-herself',
          Tags: [{ Key: 'team', Value: 'blue' }],
          TransitiveTagKeys: ['team'],
          Policy,
        }),
      );
    const record = await recordOf(async () => {
      issued = await call();
    });
    const assumedRoleArn = `arn:aws:sts::${account}:assumed-role/data/app`;
    expect(record).toMatchObject({
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      eventCategory: 'Management',
      managementEvent: true,
      readOnly: true,
      userIdentity: { type: 'IAMUser', userName: 'alice', arn: `arn:aws:iam::${account}:user/alice` },
      requestParameters: {
        roleArn: roleArn('teams/data'),
        roleSessionName: 'app',
        durationSeconds: 900,
        externalId: 'external',
        sourceIdentity: 'alice-herself',
        tags: [{ key: 'team', value: 'blue' }],
        transitiveTagKeys: ['team'],
        policy: Policy,
      },
      resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: roleArn('teams/data') }],
    });
    const { credentials, ...further } = record.responseElements ?? {};
    expect(further).toEqual({
      assumedRoleUser: { assumedRoleId: expect.stringMatching(/^AROA\w+:app$/), arn: assumedRoleArn },
      packedPolicySize: issued?.PackedPolicySize,
      sourceIdentity: 'alice-herself',
    });
    const { accessKeyId, expiration, ...secrets } = credentials as Record<string, string>;
    expect(secrets).toEqual({});
    expect(accessKeyId).toBe(issued?.Credentials?.AccessKeyId);
    expect(expiration).toMatch(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M$/);
    expect(new Date(`${expiration} UTC`)).toEqual(issued?.Credentials?.Expiration);
  });

  it('carries the source identity of a session on', async () => {
    const identified = await assume(
      sidecar.url,
      alice,
      'teams/data',
      { SourceIdentity: 'alice-herself' },
      clock,
    );
    const record = await recordOf(() =>
      stsClient(sidecar.url, identified, clock).send(new GetCallerIdentityCommand({})),
    );
    expect(record).toMatchObject({
      eventName: 'GetCallerIdentity',
      requestParameters: null,
      responseElements: null,
      userIdentity: { type: 'AssumedRole', sessionContext: { sourceIdentity: 'alice-herself' } },
    });
  });

  it('says who was not allowed to assume a role', async () => {
    const record = await recordOf(() => outcome(assume(sidecar.url, bob, 'teams/data', {}, clock)));
    expect(record).toMatchObject({
      errorCode: 'AccessDenied',
      errorMessage: expect.stringContaining('is not authorized to perform: sts:AssumeRole'),
      requestParameters: { roleArn: roleArn('teams/data'), roleSessionName: 'test' },
      responseElements: null,
      userIdentity: { type: 'IAMUser', userName: 'bob' },
    });
  });

  it.each([
    ['GetSessionToken', new GetSessionTokenCommand({}), { credentials: { accessKeyId: expect.any(String) } }],
    [
      'GetFederationToken',
      new GetFederationTokenCommand({ Name: 'partner' }),
      {
        federatedUser: {
          arn: `arn:aws:sts::${account}:federated-user/partner`,
          federatedUserId: `${account}:partner`,
        },
      },
    ],
  ])('of %s says what was issued', async (eventName, command, responseElements) => {
    const client = stsClient(sidecar.url, alice, clock);
    const record = await recordOf(() =>
      command instanceof GetSessionTokenCommand ? client.send(command) : client.send(command),
    );
    expect(record).toMatchObject({ eventName, responseElements, userIdentity: { type: 'IAMUser' } });
  });

  it('describes sessions of users, of root, of federated users, and narrower ones', async () => {
    const held = ({ Credentials: keys }: { Credentials?: Credentials | undefined }): SdkCredentials => ({
      accessKeyId: keys?.AccessKeyId ?? '',
      secretAccessKey: keys?.SecretAccessKey ?? '',
      sessionToken: keys?.SessionToken ?? '',
    });
    const identityOf = async (keys: SdkCredentials): Promise<AuditRecord['userIdentity']> =>
      (await recordOf(() => stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({}))))
        .userIdentity;
    const byAlice = stsClient(sidecar.url, alice, clock);
    const byRoot = stsClient(sidecar.url, root, clock);
    const ownKeys = held(await byAlice.send(new GetSessionTokenCommand({})));
    expect(await identityOf(ownKeys)).toMatchObject({
      type: 'IAMUser',
      userName: 'alice',
      sessionContext: { attributes: { mfaAuthenticated: 'false' } },
    });
    expect(await identityOf(root)).toEqual({
      type: 'Root',
      principalId: account,
      arn: `arn:aws:iam::${account}:root`,
      accountId: account,
      accessKeyId: root.accessKeyId,
    });
    const ofRoot = await identityOf(held(await byRoot.send(new GetSessionTokenCommand({}))));
    expect(ofRoot).toMatchObject({ type: 'Root', sessionContext: { attributes: {} } });
    const partner = held(await byAlice.send(new GetFederationTokenCommand({ Name: 'partner' })));
    expect(await identityOf(partner)).toMatchObject({
      type: 'FederatedUser',
      arn: `arn:aws:sts::${account}:federated-user/partner`,
      sessionContext: { sessionIssuer: { type: 'IAMUser', userName: 'alice' } },
    });
    const scoped = await recordOf(() =>
      stsClient(sidecar.url, ownKeys, clock).send(
        new GetScopedCredentialsCommand({ DurationSeconds: 60, ScopedSessionDescription: 'for a job' }),
      ),
    );
    expect(scoped).toMatchObject({
      requestParameters: { durationSeconds: 60, scopedSessionDescription: 'for a job' },
      responseElements: { sessionInfo: { arn: `arn:aws:iam::${account}:user/alice` } },
    });
  });

  it('has what a call asks for that breaks a constraint, but not the values that break it', async () => {
    const record = await recordOf(() =>
      outcome(
        assume(sidecar.url, alice, 'teams/data', { TokenCode: 'no-code-1', SerialNumber: 'short' }, clock),
      ),
    );
    expect(record).toMatchObject({
      errorCode: 'ValidationError',
      requestParameters: { roleArn: roleArn('teams/data'), roleSessionName: 'test' },
    });
    expect(JSON.stringify(record)).not.toContain('no-code-1');
  });
});
