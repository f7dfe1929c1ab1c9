/** The XML namespaces that are used here. */
export const xmlNamespaces = {
  /** SAML 2.0 core, section 1.4: assertions. */
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  /** SAML 2.0 core, section 1.4: protocol messages. */
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  /** SAML 2.0 metadata, section 1.1. */
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  /** XML Signature Syntax and Processing, section 1.3. */
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;
