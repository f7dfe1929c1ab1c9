import { AssumeRoleWithSAMLCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp, defaultRecipient, samlNames } from '../support/saml-idp.ts';
import { outcome } from '../support/sdk.ts';
import { account, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { Browser, firstForm } from './html-forms.ts';
import { type SimpleSamlPhp, startSimpleSamlPhp } from './start-simplesamlphp.ts';
import { certificatePem, pem } from './xmlsec1.ts';

const now = (): number => systemClock.now();
const keys = createSamlIdp({ roles: [], now });
const other = createSamlIdp({ entityId: 'https://other.example.com', roles: [], now });
const sha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';
const services: readonly (readonly [string, Readonly<Record<string, boolean | string>>, string])[] = [
  ['urn:amazon:webservices', {}, 'allowed'],
  ['urn:only-response', { 'saml20.sign.response': true, 'saml20.sign.assertion': false }, 'allowed'],
  ['urn:only-assertion', { 'saml20.sign.response': false, 'saml20.sign.assertion': true }, 'allowed'],
  ['urn:sha512', { 'signature.algorithm': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512' }, 'allowed'],
  [
    'urn:unsigned',
    { 'saml20.sign.response': false, 'saml20.sign.assertion': false },
    'InvalidIdentityToken 400',
  ],
  ['urn:sha1', { 'signature.algorithm': sha1 }, 'InvalidIdentityToken 400'],
  [
    'urn:elsewhere',
    { AssertionConsumerService: 'https://elsewhere.example.com/saml' },
    'InvalidIdentityToken 400',
  ],
];

describe('assertions of SimpleSAMLphp', () => {
  let idp: SimpleSamlPhp;
  let sidecar: TestSidecar;

  beforeAll(async () => {
    idp = await startSimpleSamlPhp({
      username: 'ada',
      attributes: {
        [`${samlNames.attributes}Role`]: [samlRole('analyst')],
        [`${samlNames.attributes}RoleSessionName`]: ['ada'],
        [`${samlNames.attributes}PrincipalTag:team`]: ['blue'],
      },
      services: Object.fromEntries(services.map(([entityId, choices]) => [entityId, choices])),
      key: pem(keys.privateKey),
      certificate: certificatePem(keys.certificate),
    });
    const answer = await fetch(`${idp.url}/saml2/idp/metadata.php`);
    const audiences = services.map(([entityId]) => entityId);
    sidecar = await startSidecar({
      directory: samlDirectory(`, audiences: ${JSON.stringify(audiences)}`),
      files: { 'company.xml': await answer.text(), 'other.xml': other.metadata },
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await idp?.stop();
  });

  /** Signs in as a browser would and takes the response from the form that it would send to the service. */
  async function signIn(entityId: string): Promise<string> {
    const browser = new Browser();
    const start = `${idp.url}/saml2/idp/SSOService.php?spentityid=${encodeURIComponent(entityId)}`;
    const login = firstForm(await browser.open(start));
    const { password } = idp;
    const action = login.action.startsWith('http')
      ? login.action
      : `${idp.url}/module.php/core/loginuserpass.php`;
    const form = firstForm(await browser.open(action, { ...login.fields, username: 'ada', password }));
    return form.fields['SAMLResponse'] ?? '';
  }

  const command = (assertion: string): AssumeRoleWithSAMLCommand =>
    new AssumeRoleWithSAMLCommand({
      RoleArn: roleArn('analyst'),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion: assertion,
    });
  const client = (): STSClient =>
    new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });

  it('say who a user is', async () => {
    const result = await client().send(command(await signIn('urn:amazon:webservices')));
    expect(result).toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/analyst/ada` },
      Subject: 'ada',
      SubjectType: 'persistent',
      Issuer: `${idp.url}/saml2/idp/metadata.php`,
      Audience: defaultRecipient,
    });
  });

  it.each(services)('for %s with %j are %s, and valid once', async (entityId, _, expected) => {
    const assertion = await signIn(entityId);
    expect(assertion).not.toBe('');
    expect((await outcome(client().send(command(assertion)))).replace(/Exception /, ' ')).toBe(expected);
    expect(await outcome(client().send(command(assertion)))).toBe('InvalidIdentityTokenException 400');
  });
});
