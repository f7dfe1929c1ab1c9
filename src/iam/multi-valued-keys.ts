/**
 * Keys that can have several values by their type, in lower case (IAM user guide, "AWS global condition context keys",
 * "Available keys for SAML-based AWS STS federation", "IAM and AWS STS condition context keys"; service authorization
 * reference, "Amazon S3").
 */
const names: ReadonlySet<string> = new Set([
  ...['aws:calledvia', 'aws:principalorgpaths', 'aws:principalservicenameslist', 'aws:resourceorgpaths'],
  ...['aws:sourceorgpaths', 'aws:tagkeys', 'aws:vpceorgpaths'],
  ...['s3:inventoryaccessibleoptionalfields', 's3:requestobjecttagkeys', 'sts:transitivetagkeys'],
  ...['saml:cn', 'saml:eduorghomepageuri', 'saml:eduorgidentityauthnpolicyuri', 'saml:eduorglegalname'],
  ...['saml:eduorgsuperioruri', 'saml:eduorgwhitepagesuri', 'saml:edupersonaffiliation'],
  ...['saml:edupersonassurance', 'saml:edupersonentitlement', 'saml:edupersonnickname'],
  ...['saml:edupersonorgunitdn', 'saml:edupersonscopedaffiliation', 'saml:edupersontargetedid'],
]);

/** True for a key, in lower case, whose type is a list; a policy variable cannot refer to it, even when it holds one value. */
export function isMultiValued(key: string): boolean {
  // `<issuer>:amr`, the authentication methods of a token.
  return names.has(key) || key.endsWith(':amr');
}
