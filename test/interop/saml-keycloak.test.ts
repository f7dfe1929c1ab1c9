import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithSAMLCommand,
  type AssumeRoleWithSAMLCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp, defaultRecipient, samlNames } from '../support/saml-idp.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { Browser, firstForm } from './html-forms.ts';
import { type Keycloak, startKeycloak } from './start-keycloak.ts';

const realm = 'federation';
const password = randomBytes(20).toString('hex');
const clock = new TestClock();
const other = createSamlIdp({ entityId: 'https://other.example.com', roles: [], now: () => clock.now() });

/** A SAML client with the attributes that AWS asks for. */
const client = (
  clientId: string,
  urlName: string,
  attributes: Readonly<Record<string, string>> = {},
): Readonly<Record<string, unknown>> => ({
  clientId,
  protocol: 'saml',
  frontchannelLogout: true,
  redirectUris: [defaultRecipient],
  attributes: {
    'saml.assertion.signature': 'true',
    'saml.server.signature': 'true',
    'saml.client.signature': 'false',
    'saml.authnstatement': 'true',
    'saml.force.post.binding': 'true',
    'saml.signature.algorithm': 'RSA_SHA256',
    saml_force_name_id_format: 'true',
    saml_name_id_format: 'persistent',
    saml_idp_initiated_sso_url_name: urlName,
    saml_assertion_consumer_url_post: defaultRecipient,
    ...attributes,
  },
  protocolMappers: [
    constant('Role', samlRole('analyst')),
    constant('PrincipalTag:team', 'blue'),
    constant('SessionDuration', '1800'),
    {
      name: 'session',
      protocol: 'saml',
      protocolMapper: 'saml-user-property-mapper',
      config: {
        'user.attribute': 'username',
        'attribute.name': `${samlNames.attributes}RoleSessionName`,
        'attribute.nameformat': 'Basic',
      },
    },
  ],
});

const constant = (name: string, value: string): Readonly<Record<string, unknown>> => ({
  name,
  protocol: 'saml',
  protocolMapper: 'saml-hardcode-attribute-mapper',
  config: {
    'attribute.name': samlNames.attributes + name,
    'attribute.value': value,
    'attribute.nameformat': 'Basic',
  },
});

describe('assertions of Keycloak', () => {
  let keycloak: Keycloak;
  let sidecar: TestSidecar;

  beforeAll(async () => {
    keycloak = await startKeycloak();
    await keycloak.administer('POST', '', { realm, enabled: true });
    const create = (body: unknown): Promise<string> => keycloak.administer('POST', `/${realm}/clients`, body);
    await create(client('urn:amazon:webservices', 'aws'));
    await create(client('urn:other', 'other'));
    for (const [id, attributes] of variants) {
      await create(client(id, id, attributes));
    }
    await keycloak.administer('POST', `/${realm}/users`, {
      username: 'ada',
      enabled: true,
      firstName: 'Ada',
      lastName: 'Test',
      email: 'ada@example.com',
      emailVerified: true,
      credentials: [{ type: 'password', value: password, temporary: false }],
    });
    const answer = await fetch(`${keycloak.issuer(realm)}/protocol/saml/descriptor`);
    const audiences = ['urn:amazon:webservices', ...variants.map(([id]) => id)];
    sidecar = await startSidecar({
      clock,
      directory: samlDirectory(`, audiences: ${JSON.stringify(audiences)}`),
      files: { 'company.xml': await answer.text(), 'other.xml': other.metadata },
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await keycloak?.stop();
  });

  const variants: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['only-assertion', { 'saml.server.signature': 'false' }, 'allowed'],
    ['only-response', { 'saml.assertion.signature': 'false' }, 'allowed'],
    ['sha512', { 'saml.signature.algorithm': 'RSA_SHA512' }, 'allowed'],
    [
      'inclusive',
      { saml_signature_canonicalization_method: samlNames.inclusive, 'saml.assertion.signature': 'false' },
      'allowed',
    ],
    [
      'unsigned',
      { 'saml.server.signature': 'false', 'saml.assertion.signature': 'false' },
      'InvalidIdentityToken 400',
    ],
    ['sha1', { 'saml.signature.algorithm': 'RSA_SHA1' }, 'InvalidIdentityToken 400'],
    [
      'with-comments',
      { saml_signature_canonicalization_method: `${samlNames.exclusive}WithComments` },
      'InvalidIdentityToken 400',
    ],
  ];

  /** Signs in as a browser would and takes the response from the form that it would send to AWS. */
  async function signIn(urlName: string): Promise<string> {
    const browser = new Browser();
    const login = firstForm(await browser.open(`${keycloak.issuer(realm)}/protocol/saml/clients/${urlName}`));
    const form = firstForm(await browser.open(login.action, { username: 'ada', password }));
    expect(form.action).toBe(defaultRecipient);
    return form.fields['SAMLResponse'] ?? '';
  }

  function assume(
    assertion: string,
    role = 'analyst',
    provider = 'company',
  ): Promise<AssumeRoleWithSAMLCommandOutput> {
    const sts = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
    return sts.send(
      new AssumeRoleWithSAMLCommand({
        RoleArn: roleArn(role),
        PrincipalArn: samlProviderArn(provider),
        SAMLAssertion: assertion,
      }),
    );
  }
  const verdict = async (...parameters: Parameters<typeof assume>): Promise<string> =>
    (await outcome(assume(...parameters))).replace(/Exception /, ' ');

  it('assume a role that may use the store by its tags, and nothing else of it', async () => {
    const result = await assume(await signIn('aws'));
    expect(result).toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/analyst/ada` },
      SubjectType: 'persistent',
      Issuer: keycloak.issuer(realm),
      Audience: defaultRecipient,
    });
    const { Credentials } = result;
    expect(((Credentials?.Expiration?.getTime() ?? 0) - clock.now()) / 1000).toBeLessThanOrEqual(1800);
    const keys = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const s3 = s3Client(sidecar.url, keys, { clock });
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    const put = (Key: string): Promise<string> =>
      outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })));
    expect(await put('team/blue/x')).toBe('allowed');
    expect(await put(`${result.Subject}/x`)).toBe('allowed');
    expect(await put('team/red/x')).toBe('AccessDenied 403');
  });

  it.each(variants)('of the client %s, which has %j: %s', async (id, _, expected) => {
    expect(await verdict(await signIn(id))).toBe(expected);
  });

  it('are valid once, for the role and the provider that they name, and for five minutes', async () => {
    const assertion = await signIn('aws');
    expect(await verdict(assertion, 'analyst', 'other')).toBe('InvalidIdentityToken 400');
    expect(await verdict(assertion)).toBe('allowed');
    expect(await verdict(assertion)).toBe('InvalidIdentityToken 400');
    expect(await verdict(await signIn('aws'), 'plain')).toBe('AccessDenied 403');
    const old = await signIn('aws');
    clock.advance(301_000);
    expect(await verdict(old)).toBe('ExpiredToken 400');
    clock.advance(-301_000);
  });

  it('for another service are InvalidIdentityToken', async () => {
    expect(await verdict(await signIn('other'))).toBe('InvalidIdentityToken 400');
  });

  it('with another role written in are InvalidIdentityToken', async () => {
    const xml = Buffer.from(await signIn('aws'), 'base64').toString();
    const changed = xml.replace('role/analyst', 'role/members');
    expect(changed).not.toBe(xml);
    expect(await verdict(Buffer.from(changed).toString('base64'), 'members')).toBe(
      'InvalidIdentityToken 400',
    );
  });

  it('that are encrypted are refused with the reason', async () => {
    const [mine] = JSON.parse(
      await keycloak.administer('GET', `/${realm}/clients?clientId=urn:other`),
    ) as readonly { id: string }[];
    await keycloak.administer('PUT', `/${realm}/clients/${mine?.id}`, {
      ...client('urn:other', 'other', {
        'saml.encrypt': 'true',
        'saml.encryption.certificate': selfSigned(other.privateKey, 'encryption', '491231000000Z'),
      }),
    });
    await expect(assume(await signIn('other'))).rejects.toThrow('Encrypted assertions are not supported');
  });
});
