import { afterEach, describe, expect, it } from 'vitest';
import { startIdentityProvider } from '../support/identity-provider.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp, toBase64 } from '../support/saml-idp.ts';
import { roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { startWebhook } from '../support/webhook.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** The log line of one unsigned call to STS. */
async function lineOf(sidecar: TestSidecar, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const before = sidecar.logged.length;
  const body = new URLSearchParams({ Version: '2011-06-15', ...parameters });
  await (await fetch(sidecar.url, { method: 'POST', body })).text();
  await expect.poll(() => sidecar.logged.length).toBe(before + 1);
  return JSON.parse(sidecar.logged[before] ?? '{}');
}

const issued = {
  status: 200,
  issued_access_key_id: expect.stringMatching(/^ASIA/),
  expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
};

describe('the log line says who signed in', () => {
  it('with SAML', async () => {
    const idp = createSamlIdp({ roles: [samlRole('analyst'), samlRole('others')], now: () => Date.now() });
    const files = { 'company.xml': idp.metadata, 'other.xml': idp.metadata.replaceAll('//idp.', '//other.') };
    const sidecar = await startSidecar({ directory: samlDirectory(), files });
    stops.push(() => sidecar.stop());
    const present = (role: string, SAMLAssertion: string): Promise<unknown> =>
      lineOf(sidecar, {
        Action: 'AssumeRoleWithSAML',
        RoleArn: roleArn(role),
        PrincipalArn: samlProviderArn('company'),
        SAMLAssertion,
      });
    const assertion = idp.respond({ attributes: { SourceIdentity: ['ada@work'] } });
    const who = {
      identity_provider: 'company',
      subject: 'ada@example.com',
      audience: 'https://signin.aws.amazon.com/saml',
      session_name: 'ada',
    };
    const allowed = { ...who, ...issued, role_arn: roleArn('analyst'), source_identity: 'ada@work' };
    expect(await present('analyst', assertion)).toMatchObject(allowed);
    expect(await present('others', idp.respond())).toMatchObject({
      ...who,
      status: 403,
      role_arn: roleArn('others'),
    });
    const forged = toBase64(Buffer.from(idp.respond(), 'base64').toString().replaceAll('ada@', 'eve@'));
    const refused = await present('analyst', forged);
    expect(refused).toMatchObject({ error_code: 'InvalidIdentityToken', role_arn: roleArn('analyst') });
    expect(JSON.stringify(refused)).not.toMatch(/(ada|eve)@/);
  });

  it('with a token for a webhook', async () => {
    const webhook = await startWebhook();
    stops.push(() => webhook.stop());
    const directory = `
directory:
  policies: { Get: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }] } }
  identityProviders: [{ kind: custom-token, name: plugin, url: "${webhook.url}", rolePolicies: [Get], roleId: main }]
`;
    const sidecar = await startSidecar({ directory });
    stops.push(() => sidecar.stop());
    const RoleArn = 'arn:minio:iam:::role/idmp-main';
    const call = { Action: 'AssumeRoleWithCustomToken', RoleArn };
    expect(await lineOf(sidecar, { ...call, Token: 'aaa' })).toMatchObject({
      ...issued,
      identity_provider: 'plugin',
      role_arn: RoleArn,
      subject: 'Alice',
      session_name: 'Alice',
    });
    const refused = await lineOf(sidecar, { ...call, Token: 'unknown-token' });
    expect(refused).toMatchObject({ error_code: 'AccessDenied', role_arn: RoleArn });
    expect(refused).not.toHaveProperty('subject');
    expect(JSON.stringify(refused)).not.toContain('unknown-token');
  });

  it('with a role of its provider, which the call need not name', async () => {
    const idp = await startIdentityProvider();
    stops.push(() => idp.stop());
    const directory = `
directory:
  policies: { Get: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }] } }
  identityProviders: [{ kind: oidc, name: claims, issuer: "${idp.issuer}", clientIds: [sts-sidecar], claimName: policy }]
`;
    const sidecar = await startSidecar({ directory });
    stops.push(() => sidecar.stop());
    const present = async (policy: string): Promise<unknown> => {
      const token = await idp.mint({ sub: 'ada@work', policy });
      return lineOf(sidecar, { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: token });
    };
    const who = {
      identity_provider: 'claims',
      role_arn: expect.stringMatching(/^arn:\w+:iam:.*:role\//),
      subject: 'ada@work',
      audience: 'sts-sidecar',
      session_name: 'ada@work',
    };
    expect(await present('Get')).toMatchObject({ ...who, ...issued });
    expect(await present('Missing')).toMatchObject({ ...who, error_code: 'AccessDenied' });
  });
});
