import { constants, createHash, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import { selfSigned } from './certificates.ts';

export const samlNames = {
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  inclusive: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  attributes: 'https://aws.amazon.com/SAML/Attributes/',
} as const;

const more2001 = 'http://www.w3.org/2001/04/xmldsig-more#';

/** What an assertion says; each member replaces the usual. `undefined` leaves an element or attribute out. */
export interface AssertionFacts {
  readonly id: string;
  readonly issuer: string;
  readonly nameId: string;
  readonly format: string | undefined;
  readonly recipient: string;
  readonly audience: string;
  readonly issuedAtMs: number;
  readonly notBeforeMs: number | undefined;
  readonly notOnOrAfterMs: number | undefined;
  readonly confirmedUntilMs: number | undefined;
  readonly sessionUntilMs: number | undefined;
  /** Values by name; the names without a colon are those of AWS. */
  readonly attributes: Readonly<Record<string, readonly string[] | undefined>>;
}

/** How something is signed; each member replaces the usual. */
export interface SignatureFacts {
  readonly key: KeyObject;
  readonly algorithm: string;
  /** Of the algorithm when absent. */
  readonly digest: string;
  readonly canonicalization: string;
  readonly transforms: readonly string[];
  /** What the reference points to instead of the element's identifier. */
  readonly uri: string;
  /** XML behind the signature value. */
  readonly keyInfo: string;
  /** How often the reference is there. */
  readonly references: number;
}

/** A SAML 2.0 identity provider that signs whatever it is told to. */
export interface SamlIdp {
  readonly entityId: string;
  readonly privateKey: KeyObject;
  readonly certificate: string;
  /** Its metadata document. */
  readonly metadata: string;
  /** An assertion that is not signed, in canonical form. */
  assertion(facts?: Partial<AssertionFacts>): string;
  /** Puts a signature behind the issuer of an element that is in canonical form. */
  sign(xml: string, facts?: Partial<SignatureFacts>): string;
  /** The base64 of a response around a signed assertion. */
  respond(facts?: Partial<AssertionFacts>, signature?: Partial<SignatureFacts>): string;
}

export interface SamlIdpOptions {
  readonly entityId?: string;
  readonly roles: readonly string[];
  readonly now: () => number;
  readonly keyType?: 'rsa' | 'ec';
  /** A new one of the type when absent. */
  readonly key?: KeyObject;
}

export const defaultRecipient = 'https://signin.aws.amazon.com/saml';

// As canonical XML writes them.
const text = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const quoted = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const time = (ms: number): string => new Date(ms).toISOString();
const optional = (name: string, ms: number | undefined): string =>
  ms === undefined ? '' : ` ${name}="${time(ms)}"`;
export const toBase64 = (xml: string): string => Buffer.from(xml).toString('base64');

let count = 0;

/** Makes an identity provider with a key of its own. */
export function createSamlIdp(options: SamlIdpOptions): SamlIdp {
  const { entityId, roles, now, keyType = 'rsa' } = options;
  const issuer = entityId ?? 'https://idp.example.com/metadata';
  const privateKey = options.key ?? makePrivateKey(keyType);
  const certificate = selfSigned(privateKey);
  const assertion = (changes: Partial<AssertionFacts> = {}): string => {
    count += 1;
    const at = changes.issuedAtMs ?? now();
    const { attributes = {}, ...others } = changes;
    return writeAssertion({
      id: `_assertion-${count}`,
      issuer,
      nameId: 'ada@example.com',
      format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      recipient: defaultRecipient,
      audience: 'urn:amazon:webservices',
      issuedAtMs: at,
      notBeforeMs: at - 1000,
      notOnOrAfterMs: at + 300_000,
      confirmedUntilMs: at + 300_000,
      sessionUntilMs: undefined,
      ...others,
      attributes: { Role: roles, RoleSessionName: ['ada'], ...attributes },
    });
  };
  const usual = { key: privateKey, algorithm: `${more2001}${keyType === 'rsa' ? 'rsa' : 'ecdsa'}-sha256` };
  const sign = (xml: string, facts: Partial<SignatureFacts> = {}): string =>
    addSignature(xml, { ...usual, ...facts });
  return {
    entityId: issuer,
    privateKey,
    certificate,
    metadata: writeMetadata(issuer, [certificate]),
    assertion,
    sign,
    respond: (facts, signature) => toBase64(writeResponse(sign(assertion(facts), signature), issuer, now())),
  };
}

function makePrivateKey(type: 'rsa' | 'ec'): KeyObject {
  return type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function writeMetadata(entityId: string, certificates: readonly string[]): string {
  const keys = certificates.map(
    (one) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${samlNames.signature}"><ds:X509Data><ds:X509Certificate>${one}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- made by a test -->
<md:EntityDescriptor xmlns:md="${samlNames.metadata}" entityID="${quoted(entityId)}">
  <md:IDPSSODescriptor protocolSupportEnumeration="${samlNames.protocol}">${keys.join('')}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;
}

/** A response, in canonical form when its content is. */
export function writeResponse(content: string, issuer: string, issuedAtMs: number, id = '_response'): string {
  return `<samlp:Response xmlns:samlp="${samlNames.protocol}" ID="${id}" IssueInstant="${time(issuedAtMs)}" Version="2.0"><saml:Issuer xmlns:saml="${samlNames.assertion}">${text(issuer)}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>${content}</samlp:Response>`;
}

function writeAssertion(facts: AssertionFacts): string {
  const { id, issuer, nameId, format, recipient, audience, issuedAtMs } = facts;
  const conditions = `${optional('NotBefore', facts.notBeforeMs)}${optional('NotOnOrAfter', facts.notOnOrAfterMs)}`;
  const confirmation = `${optional('NotOnOrAfter', facts.confirmedUntilMs)} Recipient="${quoted(recipient)}"`;
  const kind = format === undefined ? '' : ` Format="${quoted(format)}"`;
  const session = optional('SessionNotOnOrAfter', facts.sessionUntilMs);
  const attributes = Object.entries(facts.attributes)
    .map(([name, values]) => (values === undefined ? '' : writeAttribute(name, values)))
    .join('');
  return `<saml:Assertion xmlns:saml="${samlNames.assertion}" ID="${id}" IssueInstant="${time(issuedAtMs)}" Version="2.0"><saml:Issuer>${text(issuer)}</saml:Issuer><saml:Subject><saml:NameID${kind}>${text(nameId)}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${confirmation}></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions${conditions}><saml:AudienceRestriction><saml:Audience>${text(audience)}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${time(issuedAtMs)}"${session}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion>`;
}

function writeAttribute(name: string, values: readonly string[]): string {
  const full = /^\w+:\/\/|^urn:/.test(name) ? name : samlNames.attributes + name;
  const list = values.map((value) => `<saml:AttributeValue>${text(value)}</saml:AttributeValue>`);
  return `<saml:Attribute Name="${quoted(full)}">${list.join('')}</saml:Attribute>`;
}

type Signing = Partial<SignatureFacts> & Pick<SignatureFacts, 'key' | 'algorithm'>;

function addSignature(xml: string, facts: Signing): string {
  const place = xml.indexOf('</saml:Issuer>') + '</saml:Issuer>'.length;
  return xml.slice(0, place) + signatureOf(xml, facts) + xml.slice(place);
}

/** A signature over text that is in canonical form. */
function signatureOf(xml: string, facts: Signing): string {
  const { key, algorithm, keyInfo = '' } = facts;
  const hash = /sha(?:1|224|256|384|512)/.exec(algorithm)?.[0] ?? 'sha256';
  const { digest = digestName(hash), canonicalization = samlNames.exclusive } = facts;
  const { transforms = [samlNames.enveloped, samlNames.exclusive] } = facts;
  const uri = facts.uri ?? `#${/ ID="([^"]*)"/.exec(xml)?.[1] ?? ''}`;
  const digestHash = /sha\d+/.exec(digest)?.[0] ?? 'sha256';
  const list = transforms.map((one) => `<ds:Transform Algorithm="${one}"></ds:Transform>`).join('');
  const value = createHash(digestHash).update(xml).digest('base64');
  const reference = `<ds:Reference URI="${uri}"><ds:Transforms>${list}</ds:Transforms><ds:DigestMethod Algorithm="${digest}"></ds:DigestMethod><ds:DigestValue>${value}</ds:DigestValue></ds:Reference>`;
  const content = `<ds:CanonicalizationMethod Algorithm="${canonicalization}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${algorithm}"></ds:SignatureMethod>${reference.repeat(facts.references ?? 1)}`;
  const canonical = `<ds:SignedInfo xmlns:ds="${samlNames.signature}">${content}</ds:SignedInfo>`;
  const signed = signBytes(hash, Buffer.from(canonical), signingOptions(key, algorithm)).toString('base64');
  return `<ds:Signature xmlns:ds="${samlNames.signature}"><ds:SignedInfo>${content}</ds:SignedInfo><ds:SignatureValue>${signed}</ds:SignatureValue>${keyInfo}</ds:Signature>`;
}

function signingOptions(key: KeyObject, algorithm: string): Parameters<typeof signBytes>[2] {
  if (key.asymmetricKeyType === 'ec') return { key, dsaEncoding: 'ieee-p1363' };
  return algorithm.endsWith('MGF1')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };
}

function digestName(hash: string): string {
  if (hash === 'sha1') return 'http://www.w3.org/2000/09/xmldsig#sha1';
  return hash === 'sha384' ? `${more2001}sha384` : `http://www.w3.org/2001/04/xmlenc#${hash}`;
}
