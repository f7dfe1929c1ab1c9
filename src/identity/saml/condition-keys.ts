import type { SamlIdentity } from '../saml-identity.ts';

const eduPerson = 'urn:oid:1.3.6.1.4.1.5923.1.1.1.';
const eduOrg = 'urn:oid:1.3.6.1.4.1.5923.1.2.1.';
const claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';

/**
 * Attributes that become condition keys, by their exact names: those of eduPerson, eduOrg, Active Directory and X.500 (IAM user
 * guide, "Mapping SAML attributes to AWS trust policy context keys").
 */
const keysByAttribute: ReadonlyMap<string, string> = new Map([
  [`${eduPerson}1`, 'saml:edupersonaffiliation'],
  [`${eduPerson}2`, 'saml:edupersonnickname'],
  [`${eduPerson}3`, 'saml:edupersonorgdn'],
  [`${eduPerson}4`, 'saml:edupersonorgunitdn'],
  [`${eduPerson}5`, 'saml:edupersonprimaryaffiliation'],
  [`${eduPerson}6`, 'saml:edupersonprincipalname'],
  [`${eduPerson}7`, 'saml:edupersonentitlement'],
  [`${eduPerson}8`, 'saml:edupersonprimaryorgunitdn'],
  [`${eduPerson}9`, 'saml:edupersonscopedaffiliation'],
  [`${eduPerson}10`, 'saml:edupersontargetedid'],
  [`${eduPerson}11`, 'saml:edupersonassurance'],
  [`${eduOrg}2`, 'saml:eduorghomepageuri'],
  [`${eduOrg}3`, 'saml:eduorgidentityauthnpolicyuri'],
  [`${eduOrg}4`, 'saml:eduorglegalname'],
  [`${eduOrg}5`, 'saml:eduorgsuperioruri'],
  [`${eduOrg}6`, 'saml:eduorgwhitepagesuri'],
  ['urn:oid:2.5.4.3', 'saml:cn'],
  [`${claims}name`, 'saml:name'],
  ['http://schemas.xmlsoap.org/claims/CommonName', 'saml:commonName'],
  [`${claims}givenname`, 'saml:givenName'],
  [`${claims}surname`, 'saml:surname'],
  [`${claims}emailaddress`, 'saml:mail'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid', 'saml:primaryGroupSID'],
  ['2.5.4.3', 'saml:commonName'],
  ['2.5.4.4', 'saml:surname'],
  ['2.5.4.42', 'saml:givenName'],
  ['2.5.4.45', 'saml:x500UniqueIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'saml:uid'],
  ['0.9.2342.19200300.100.1.3', 'saml:mail'],
  ['0.9.2342.19200300.100.1.45', 'saml:organizationStatus'],
]);

/** The `saml:` keys that an assertion can have: those of its attributes, and those that {@link conditionKeys} adds. */
export const samlConditionKeys: readonly string[] = [
  ...new Set(keysByAttribute.values()),
  'saml:aud',
  'saml:iss',
  'saml:sub',
  'saml:sub_type',
  'saml:doc',
  'saml:namequalifier',
];

/** The facts from which the keys of every assertion are built. */
export interface SubjectFacts
  extends Pick<SamlIdentity, 'issuer' | 'subject' | 'subjectType' | 'recipient' | 'nameQualifier'> {
  /** `<account id>/<provider name>`. */
  readonly doc: string;
}

/** The `saml:` keys of a trust decision (IAM user guide, "Available keys for SAML-based AWS STS federation"). */
export function conditionKeys(
  facts: SubjectFacts,
  attributes: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  for (const [name, values] of attributes) {
    const key = keysByAttribute.get(name);
    if (key !== undefined && values.length > 0) keys.set(key, [...(keys.get(key) ?? []), ...values]);
  }
  return new Map([
    ...keys,
    ['saml:aud', [facts.recipient]],
    ['saml:iss', [facts.issuer]],
    ['saml:sub', [facts.subject]],
    ['saml:sub_type', [facts.subjectType]],
    ['saml:doc', [facts.doc]],
    ['saml:namequalifier', [facts.nameQualifier]],
  ]);
}
