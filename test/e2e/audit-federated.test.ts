import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { samlNameQualifier } from '../../src/identity/saml/saml-provider.ts';
import { auditToStdout } from '../support/audit.ts';
import { own, recordOf } from '../support/audited-world.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { providerArn, webIdentityDirectory } from '../support/web-identity.ts';
import { startWebhook, type TestWebhook } from '../support/webhook.ts';

let idp: TestIdentityProvider;
let webhook: TestWebhook;
const saml = createSamlIdp({ roles: [samlRole('analyst')], now: () => Date.now() });
let byToken: TestSidecar;
let bySaml: TestSidecar;

beforeAll(async () => {
  idp = await startIdentityProvider();
  webhook = await startWebhook();
  const plugin = `
    - { kind: custom-token, name: plugin, url: "${webhook.url}", rolePolicies: [DataBucket], roleId: main }`;
  const directory = webIdentityDirectory({ issuer: idp.issuer }).replace(
    /identityProviders: \[(.*)\]\n/,
    (_, one: string) => `identityProviders:\n    - ${one}${plugin}\n`,
  );
  byToken = await startSidecar({
    directory,
    further: `${auditToStdout}\ncontainerCredentials: { listen: "127.0.0.1:0" }`,
  });
  const files = {
    'company.xml': saml.metadata,
    'other.xml': saml.metadata.replace('idp.example', 'other.example'),
  };
  bySaml = await startSidecar({ directory: samlDirectory(), files, further: auditToStdout });
});
afterAll(async () => {
  await byToken.stop();
  await bySaml.stop();
  await idp.stop();
  await webhook.stop();
});

const unsigned = ({ url }: TestSidecar): STSClient =>
  new STSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });

function present(token: string, role = 'pod'): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const parameters = { RoleArn: roleArn(role), RoleSessionName: 'app', WebIdentityToken: token };
  return unsigned(byToken).send(new AssumeRoleWithWebIdentityCommand(parameters));
}

function byProof(sidecar: TestSidecar, act: () => Promise<unknown>): Promise<AuditRecord> {
  return recordOf(sidecar, act);
}

describe('the record of a web identity', () => {
  it('says whose token it was, and what was issued for it', async () => {
    const token = await idp.mint();
    let issued: AssumeRoleWithWebIdentityCommandOutput | undefined;
    const record = await byProof(byToken, async () => {
      issued = await present(token);
    });
    const provider = providerArn(idp.issuer);
    expect(record).toMatchObject({
      eventName: 'AssumeRoleWithWebIdentity',
      userIdentity: {
        type: 'WebIdentityUser',
        principalId: `${provider}:sts-sidecar:subject-1`,
        userName: 'subject-1',
        identityProvider: provider,
      },
      requestParameters: { roleArn: roleArn('pod'), roleSessionName: 'app' },
      responseElements: {
        credentials: { accessKeyId: issued?.Credentials?.AccessKeyId },
        subjectFromWebIdentityToken: 'subject-1',
        audience: 'sts-sidecar',
        provider: idp.issuer,
        assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/pod/app` },
      },
      resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: roleArn('pod') }],
    });
    expect(JSON.stringify(record)).not.toContain(token);
    const { Credentials: keys } = issued ?? {};
    const s3 = s3Client(byToken.url, {
      accessKeyId: keys?.AccessKeyId ?? '',
      secretAccessKey: keys?.SecretAccessKey ?? '',
      sessionToken: keys?.SessionToken ?? '',
    });
    const used = await byProof(byToken, () => outcome(s3.send(new ListBucketsCommand({}))));
    expect(used.userIdentity).toMatchObject({
      type: 'AssumedRole',
      sessionContext: { webIdFederationData: { federatedProvider: provider, attributes: {} } },
    });
  });

  it('names the user of a verified token who may not have the role', async () => {
    const token = await idp.mint({ sub: 'subject-2' });
    const record = await byProof(byToken, () => outcome(present(token)));
    expect(record).toMatchObject({
      errorCode: 'AccessDenied',
      responseElements: null,
      userIdentity: { type: 'WebIdentityUser', userName: 'subject-2' },
    });
  });

  it('is well-formed text, whatever is in the token', async () => {
    const token = await idp.mint({ sub: 'subject-\ud83d' });
    const before = byToken.logged.length;
    const record = await byProof(byToken, () => outcome(present(token)));
    expect(record).toMatchObject({ errorCode: 'AccessDenied' });
    const line = byToken.logged.slice(before).find((text) => text.startsWith('{"eventVersion"'));
    expect(line).toContain('subject-');
    expect(line).not.toMatch(/\\ud[89a-f]/);
  });

  it('names nobody when the token was not verified', async () => {
    const [head = '', body = ''] = (await idp.mint()).split('.');
    const record = await byProof(byToken, () => outcome(present(`${head}.${body}.AAAA`)));
    expect(record).toMatchObject({ errorCode: 'InvalidIdentityToken' });
    expect(record.userIdentity).toEqual({ type: 'WebIdentityUser' });
    expect(JSON.stringify(record)).not.toContain('subject-1');
  });

  it('is written for the container credentials endpoint, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    const token = await idp.mint();
    await writeFile(join(folder, 'token'), token);
    const record = await byProof(byToken, async () => {
      await fetch(`${byToken.containerUrl}/v1/credentials?roleArn=${roleArn('pod')}`, {
        headers: { authorization: token },
      });
    });
    await rm(folder, { recursive: true });
    expect(record).toMatchObject({
      eventName: 'AssumeRoleWithWebIdentity',
      userIdentity: { type: 'WebIdentityUser', userName: 'subject-1' },
      responseElements: { subjectFromWebIdentityToken: 'subject-1' },
    });
    expect(own(record).listener).toBe('container');
    expect(JSON.stringify(record)).not.toContain(token);
  });
});

describe('the record of another proof', () => {
  it('says whose assertion it was', async () => {
    const SAMLAssertion = saml.respond();
    const parameters = {
      RoleArn: roleArn('analyst'),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion,
    };
    const record = await byProof(bySaml, () =>
      unsigned(bySaml).send(new AssumeRoleWithSAMLCommand(parameters)),
    );
    const { subject, nameQualifier } = record.responseElements as Record<string, string>;
    expect(record).toMatchObject({
      eventName: 'AssumeRoleWithSAML',
      userIdentity: {
        type: 'SAMLUser',
        principalId: `${nameQualifier}:${subject}`,
        userName: subject,
        identityProvider: nameQualifier,
      },
      requestParameters: { roleArn: roleArn('analyst'), principalArn: samlProviderArn('company') },
      resources: [
        { accountId: account, type: 'AWS::IAM::Role', ARN: roleArn('analyst') },
        { accountId: account, type: 'AWS::IAM::SAMLProvider', ARN: samlProviderArn('company') },
      ],
    });
    expect(nameQualifier).toBe(samlNameQualifier(saml.entityId, account, 'company'));
    expect(JSON.stringify(record)).not.toContain(SAMLAssertion.slice(0, 64));
  });

  it('says for whom a plugin vouched, without the token', async () => {
    const query = new URLSearchParams({
      Action: 'AssumeRoleWithCustomToken',
      Version: '2011-06-15',
      Token: 'aaa',
      RoleArn: 'arn:minio:iam:::role/idmp-main',
    });
    const record = await byProof(byToken, () =>
      fetch(byToken.url, {
        method: 'POST',
        body: query.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    );
    expect(record).toMatchObject({
      eventName: 'AssumeRoleWithCustomToken',
      userIdentity: { type: 'WebIdentityUser', principalId: 'plugin:Alice', userName: 'Alice' },
      responseElements: { assumedUser: 'custom:Alice' },
    });
    expect(JSON.stringify(record.requestParameters)).not.toContain('aaa');
  });
});
