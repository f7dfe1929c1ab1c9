import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { AssumeRoleWithSAMLCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp, defaultRecipient, samlNames, toBase64, writeResponse } from '../support/saml-idp.ts';
import { outcome } from '../support/sdk.ts';
import { account, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { run } from './clients/client.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { runPython } from './python.ts';
import {
  certificatePem,
  isValidForXmlsec1,
  pem,
  signWithHmac,
  signWithXmlsec1,
  withTemplate,
  type XmlsecTemplate,
} from './xmlsec1.ts';

const roles = [samlRole('analyst')];
const now = (): number => systemClock.now();
const idp = createSamlIdp({ roles, now });
const elliptic = createSamlIdp({
  entityId: 'https://other.example.com',
  roles: [samlRole('others', 'other')],
  now,
  keyType: 'ec',
});

/** What the sidecar says to an assertion, through an SDK. */
async function verdict(
  url: string,
  assertion: string,
  role = 'analyst',
  provider = 'company',
): Promise<string> {
  const client = new STSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });
  const command = new AssumeRoleWithSAMLCommand({
    RoleArn: roleArn(role),
    PrincipalArn: samlProviderArn(provider),
    SAMLAssertion: assertion,
  });
  return (await outcome(client.send(command))).replace(/Exception /, ' ');
}

const more = 'http://www.w3.org/2001/04/xmldsig-more#';
const usual: XmlsecTemplate = {
  algorithm: `${more}rsa-sha256`,
  digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
  canonicalization: samlNames.exclusive,
  transforms: [samlNames.enveloped, samlNames.exclusive],
};

describe('assertions that xmlsec1 signed', () => {
  let sidecar: TestSidecar;
  beforeAll(async () => {
    const files = { 'company.xml': idp.metadata, 'other.xml': elliptic.metadata };
    sidecar = await startSidecar({ directory: samlDirectory(), files });
  });
  afterAll(() => sidecar.stop());

  const sign = (xml: string): Promise<string> => signWithXmlsec1(xml, idp.privateKey, idp.certificate);
  const response = (template: Partial<XmlsecTemplate> = {}): string =>
    writeResponse(withTemplate(idp.assertion(), { ...usual, ...template }), idp.entityId, now());
  const say = (xml: string): Promise<string> => verdict(sidecar.url, toBase64(xml));
  /** The verdicts of xmlsec1 and of the sidecar on a signed document that was changed afterwards. */
  const both = async (xml: string): Promise<readonly [xmlsec1: string, sidecar: string]> => [
    (await isValidForXmlsec1(xml, idp.certificate)) ? 'valid' : 'invalid',
    await say(xml),
  ];
  const refused = 'InvalidIdentityToken 400';

  it.each<[string, Partial<XmlsecTemplate>]>([
    ['as usual', {}],
    [
      'with inclusive canonicalization',
      { canonicalization: samlNames.inclusive, transforms: [samlNames.enveloped, samlNames.inclusive] },
    ],
    ['without naming the canonicalization of the reference', { transforms: [samlNames.enveloped] }],
    ['with SHA-384', { algorithm: `${more}rsa-sha384`, digest: `${more}sha384` }],
    ['with SHA-512', { algorithm: `${more}rsa-sha512`, digest: 'http://www.w3.org/2001/04/xmlenc#sha512' }],
    ['with their certificate', { keyInfo: '<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>' }],
  ])('are accepted: %s', async (_, template) => {
    expect(await say(await sign(response(template)))).toBe('allowed');
  });

  it('are accepted with ECDSA', async () => {
    const assertion = withTemplate(elliptic.assertion(), { ...usual, algorithm: `${more}ecdsa-sha256` });
    const signed = await signWithXmlsec1(
      writeResponse(assertion, elliptic.entityId, now()),
      elliptic.privateKey,
      elliptic.certificate,
    );
    expect(await verdict(sidecar.url, toBase64(signed), 'others', 'other')).toBe('allowed');
  });

  it('are accepted when the response is signed, and when both are', async () => {
    const whole = (assertion: string): string =>
      withTemplate(writeResponse(assertion, idp.entityId, now()), usual);
    expect(await say(await sign(whole(idp.assertion())))).toBe('allowed');
    expect(await say(await sign(whole(idp.sign(idp.assertion()))))).toBe('allowed');
  });

  it('are accepted when both are with inclusive canonicalization, each among namespaces of its own', async () => {
    const inclusive = {
      canonicalization: samlNames.inclusive,
      transforms: [samlNames.enveloped, samlNames.inclusive],
    };
    const inner = await sign(response(inclusive));
    const spaced = inner.replace('<samlp:Status>', '<samlp:Status xmlns:unused="urn:x">');
    const signed = await sign(withTemplate(spaced, { ...usual, ...inclusive }));
    expect(await both(signed)).toEqual(['valid', 'allowed']);
  });

  it('are accepted with white space, umlauts and references', async () => {
    const spaced = response().replaceAll('><', '>\n  <').replace('ada@example.com', '&#x41;d&#xE4; &amp; Ü');
    const signed = await sign(spaced);
    expect(await both(signed)).toEqual(['valid', 'allowed']);
  });

  it('are refused when another key signed them, though they contain its certificate', async () => {
    const stranger = createSamlIdp({ roles, now });
    const template = response({ keyInfo: '<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>' });
    const signed = await signWithXmlsec1(template, stranger.privateKey, stranger.certificate);
    expect(signed).toContain('<ds:X509Certificate>');
    expect(await isValidForXmlsec1(signed, stranger.certificate)).toBe(true);
    expect(await say(signed)).toBe(refused);
  });

  it.each<[string, Partial<XmlsecTemplate>]>([
    ['SHA-1', { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }],
    ['a digest of SHA-1', { digest: 'http://www.w3.org/2000/09/xmldsig#sha1' }],
    ['comments', { canonicalization: `${samlNames.exclusive}WithComments` }],
    [
      'comments in what is signed',
      { transforms: [samlNames.enveloped, `${samlNames.exclusive}WithComments`] },
    ],
    ['another version of canonicalization', { canonicalization: 'http://www.w3.org/2006/12/xml-c14n11' }],
  ])('are refused with %s, which xmlsec1 accepts', async (_, template) => {
    expect(await both(await sign(response(template)))).toEqual(['valid', refused]);
  });

  it('are refused with an HMAC whose secret is the public key', async () => {
    const secret = createPublicKey(idp.privateKey).export({ type: 'spki', format: 'pem' });
    const template = response({ algorithm: `${more}hmac-sha256` });
    expect(await say(await signWithHmac(template, Buffer.from(secret)))).toBe(refused);
  });

  // xmlsec1 verifies what a signature refers to, wherever that is; the reader has to judge the arrangement.
  const evil = (): string => idp.assertion({ id: '_evil', nameId: 'root@example.com' });
  it.each<[string, (signed: string) => string]>([
    ['an assertion in front', (signed) => signed.replace('<saml:Assertion', `${evil()}<saml:Assertion`)],
    ['an assertion behind', (signed) => signed.replace('</samlp:Response>', `${evil()}</samlp:Response>`)],
    [
      'the signed one among extensions',
      (signed) => {
        const assertion = /<saml:Assertion.*<\/saml:Assertion>/s.exec(signed)?.[0] ?? '';
        return signed
          .replace(assertion, evil())
          .replace('<samlp:Status>', `<samlp:Extensions>${assertion}</samlp:Extensions><samlp:Status>`);
      },
    ],
    [
      'the signed one inside another',
      (signed) => {
        const assertion = /<saml:Assertion.*<\/saml:Assertion>/s.exec(signed)?.[0] ?? '';
        return signed.replace(
          assertion,
          evil().replace('</saml:Assertion>', `<saml:Advice>${assertion}</saml:Advice></saml:Assertion>`),
        );
      },
    ],
    [
      'its signature elsewhere',
      (signed) => {
        const signature = /<ds:Signature .*<\/ds:Signature>\s*/s.exec(signed)?.[0] ?? '';
        return signed.replace(signature, '').replace('<samlp:Status>', `${signature}<samlp:Status>`);
      },
    ],
    ['a comment in the name', (signed) => signed.replace('ada@example.com', 'ada@example<!-- -->.com')],
    ['a comment anywhere', (signed) => signed.replace('<samlp:Status>', '<!-- --><samlp:Status>')],
    ['an instruction', (signed) => signed.replace('<samlp:Status>', '<?x?><samlp:Status>')],
    ['a section of characters', (signed) => signed.replace('ada@example.com', '<![CDATA[ada@example.com]]>')],
    [
      'a DOCTYPE',
      (signed) => signed.replace(/^<\?xml[^>]*>\s*/, '<!DOCTYPE Response [<!ENTITY x "ada@example.com">]>'),
    ],
  ])('are refused with %s, which xmlsec1 accepts', async (_, change) => {
    const signed = await sign(response());
    const changed = change(signed);
    expect(changed).not.toBe(signed);
    expect(await both(changed)).toEqual(['valid', refused]);
  });

  it('are refused by both with one byte changed', async () => {
    const signed = await sign(response());
    expect(await both(signed.replace('ada@example.com', 'adb@example.com'))).toEqual(['invalid', refused]);
    expect(await both(signed.replace('role/analyst', 'role/Analyst'))).toEqual(['invalid', refused]);
  });
});

describe('clients of Python', () => {
  let sidecar: TestSidecar;
  beforeAll(async () => {
    const files = { 'company.xml': idp.metadata, 'other.xml': elliptic.metadata };
    sidecar = await startSidecar({ directory: samlDirectory(), files });
  });
  afterAll(() => sidecar.stop());

  const parameters = (assertion: string): Readonly<Record<string, string>> => ({
    RoleArn: roleArn('analyst'),
    PrincipalArn: samlProviderArn('company'),
    SAMLAssertion: assertion,
  });
  const answer = {
    AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/analyst/ada` },
    Subject: 'ada@example.com',
    SubjectType: 'persistent',
    Issuer: idp.entityId,
    Audience: defaultRecipient,
    SourceIdentity: 'ada',
  };
  const respond = (): string =>
    idp.respond({ attributes: { SourceIdentity: ['ada'], 'PrincipalTag:team': ['blue'] } });

  it.each(['debian', 'current'] as const)('get credentials and refusals with boto3 (%s)', async (which) => {
    const call = (assertion: string): Promise<unknown> =>
      runPython(which, 'assume_with_saml.py', { endpoint: sidecar.url, parameters: parameters(assertion) });
    const assertion = respond();
    const result = await call(assertion);
    expect(result).toMatchObject({ ...answer, Credentials: { AccessKeyId: expect.stringMatching(/^ASIA/) } });
    expect(result).toMatchObject({
      PackedPolicySize: expect.any(Number),
      NameQualifier: expect.stringMatching(/=$/),
    });
    expect(await call(assertion)).toEqual({
      code: 'InvalidIdentityToken',
      message: 'Invalid SAML response: the assertion was used before',
      status: 400,
    });
    expect(await call(idp.respond({ attributes: { Role: [] } }))).toEqual({
      code: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithSAML',
      status: 403,
    });
  });

  it.each<[string, () => readonly [program: string, first: readonly string[]]]>([
    ['of Debian', () => [requireComponent('aws'), []]],
    ['current', () => [join(cachedFolder('awscli'), 'bin', 'python'), ['-m', 'awscli']]],
  ])('get credentials and refusals with the AWS CLI (%s)', async (_, find) => {
    const [program, first] = find();
    const call = (assertion: string): Promise<string> =>
      run(
        program,
        [
          ...first,
          ...['--endpoint-url', sidecar.url, '--region', 'us-east-1', '--output', 'json', 'sts'],
          ...['assume-role-with-saml', '--role-arn', roleArn('analyst')],
          ...['--principal-arn', samlProviderArn('company'), '--saml-assertion', assertion],
        ],
        { PYTHONWARNINGS: 'ignore' },
      );
    const assertion = respond();
    expect(JSON.parse(await call(assertion))).toMatchObject(answer);
    await expect(call(assertion)).rejects.toThrow('(InvalidIdentityToken)');
    await expect(call(idp.respond({ issuedAtMs: now() - 301_000 }))).rejects.toThrow(
      '(ExpiredTokenException)',
    );
  });
});

describe('assertions of pysaml2', () => {
  interface Answer {
    readonly metadata: string;
    readonly responses: readonly string[];
  }
  const both = { sign_assertion: true, sign_response: true };
  const sha512 = { sign_alg: `${more}rsa-sha512`, digest_alg: 'http://www.w3.org/2001/04/xmlenc#sha512' };
  const sha1 = {
    sign_alg: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    digest_alg: 'http://www.w3.org/2000/09/xmldsig#sha1',
  };
  const sha256 = { sign_alg: usual.algorithm, digest_alg: usual.digest };
  const kinds = [
    [{ sign_assertion: true, sign_response: false, ...sha256 }, 'allowed'],
    [{ sign_assertion: false, sign_response: true, ...sha256 }, 'allowed'],
    [{ ...both, ...sha256 }, 'allowed'],
    [{ ...both, ...sha512 }, 'allowed'],
    [{ ...both, ...sha1 }, 'InvalidIdentityToken 400'],
    [{ sign_assertion: false, sign_response: false }, 'InvalidIdentityToken 400'],
  ] as const;
  let sidecar: TestSidecar;
  let answer: Answer;
  beforeAll(async () => {
    answer = (await runPython('debian', 'saml_idp.py', {
      entityId: 'https://pysaml2.example.com/idp',
      xmlsec1: requireComponent('xmlsec1'),
      key: pem(idp.privateKey),
      certificate: certificatePem(idp.certificate),
      recipient: defaultRecipient,
      audience: 'urn:amazon:webservices',
      subject: 'grace@example.com',
      attributes: {
        [`${samlNames.attributes}Role`]: roles,
        [`${samlNames.attributes}RoleSessionName`]: ['grace'],
        [`${samlNames.attributes}PrincipalTag:team`]: ['blue'],
      },
      responses: kinds.map(([choices]) => choices),
    })) as Answer;
    const files = { 'company.xml': answer.metadata, 'other.xml': elliptic.metadata };
    sidecar = await startSidecar({ directory: samlDirectory(), files });
  });
  afterAll(() => sidecar?.stop());

  it.each(kinds.map(([choices, expected], index) => [choices, expected, index] as const))(
    'with %j are %s, and once only',
    async (_, expected, index) => {
      const assertion = answer.responses[index] ?? '';
      expect(await verdict(sidecar.url, assertion)).toBe(expected);
      expect(await verdict(sidecar.url, assertion)).toBe('InvalidIdentityToken 400');
    },
  );
});
