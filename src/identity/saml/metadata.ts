import { childrenOf, isElement, plainText } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { importCertificateKey } from './signing-keys.ts';
import { metadataRules, readStrictXml, StrictXmlError, type XmlNode } from './strict-xml.ts';

/** The parts of a metadata document that are used. */
export interface SamlMetadata {
  readonly entityId: string;
  /** Certificates as base64 of DER, without white space; at least one. */
  readonly certificates: readonly string[];
}

/** Unusable metadata. The message is fit for the problem list of the configuration. */
export class SamlMetadataError extends Error {
  override readonly name = 'SamlMetadataError';
}

/** No provider publishes more signing keys. Each one may cost a verification. */
const maxCertificates = 10;
const maxEntityIdLength = 1_024;
const { metadata, signature, protocol } = xmlNamespaces;

/**
 * Reads the metadata document of one identity provider (SAML 2.0 metadata, sections 2.3.2 and 2.4.3): its entity id and its
 * signing certificates. The file is trusted, so its signature, its dates and those of the certificates are ignored.
 * @throws SamlMetadataError
 */
export function readSamlMetadata(text: string): SamlMetadata {
  const root = readRoot(text);
  if (!isElement(root, metadata, 'EntityDescriptor')) {
    throw new SamlMetadataError('must be SAML 2.0 metadata with EntityDescriptor as its root element');
  }
  const entityId = root.attributes.get('entityID') ?? '';
  if (entityId.trim() !== entityId || entityId === '' || entityId.length > maxEntityIdLength) {
    throw new SamlMetadataError(`must have an entityID of 1 to ${maxEntityIdLength} characters`);
  }
  const roles = childrenOf(root, metadata, 'IDPSSODescriptor').filter(speaksSaml2);
  if (roles.length === 0) {
    throw new SamlMetadataError(
      'must describe an identity provider: it has no IDPSSODescriptor for SAML 2.0',
    );
  }
  const certificates = [...new Set(roles.flatMap(signingCertificates))];
  if (certificates.length === 0) throw new SamlMetadataError('must hold a signing certificate');
  if (certificates.length > maxCertificates) {
    throw new SamlMetadataError(`must not hold more than ${maxCertificates} signing certificates`);
  }
  for (const certificate of certificates) requireUsable(certificate);
  return { entityId, certificates };
}

function readRoot(text: string): XmlNode {
  try {
    return readStrictXml(text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n'), metadataRules);
  } catch (error) {
    if (!(error instanceof StrictXmlError)) throw error;
    throw new SamlMetadataError(`is not acceptable XML: ${error.message}`, { cause: error });
  }
}

function speaksSaml2(role: XmlNode): boolean {
  return (role.attributes.get('protocolSupportEnumeration') ?? '').split(/\s+/).includes(protocol);
}

// A key without a use serves every purpose (section 2.4.1.1).
function signingCertificates(role: XmlNode): string[] {
  return childrenOf(role, metadata, 'KeyDescriptor')
    .filter(({ attributes }) => (attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => childrenOf(key, signature, 'KeyInfo'))
    .flatMap((info) => childrenOf(info, signature, 'X509Data'))
    .flatMap((data) => childrenOf(data, signature, 'X509Certificate'))
    .map((certificate) => (plainText(certificate) ?? '').replace(/\s+/g, ''));
}

function requireUsable(certificate: string): void {
  if (importCertificateKey(certificate) !== undefined) return;
  throw new SamlMetadataError(
    'holds a signing certificate that cannot be used: RSA of 2048 to 16384 bits, or EC on P-256, P-384 or P-521',
  );
}
