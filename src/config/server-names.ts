import { X509Certificate } from 'node:crypto';
import { readServerName } from '../schema/scalars.ts';
import type { Path } from './path.ts';
import { certificatesIn } from './read-certificates.ts';
import type { Reading } from './reading.ts';

/**
 * The names of clients that are shown a certificate: those of the file, or without any the DNS names of the certificate. Warns of one that
 * the certificate is not valid for. Reports that there is none and returns `undefined`.
 * @param certPem one or more certificates, the first of which is meant
 */
export function readServerNames(
  reading: Reading,
  path: Path,
  certPem: string,
  configured: readonly string[],
): readonly string[] | undefined {
  const certificate = new X509Certificate(certificatesIn(certPem)[0] ?? '');
  for (const [index, name] of configured.entries()) {
    const asked = name.replace('*', 'a');
    if (certificate.checkHost(asked, { subject: 'never' }) === undefined)
      reading.warn([...path, 'names', index], 'is no name of the certificate: clients refuse it');
  }
  const names = configured.length > 0 ? configured : dnsNamesOf(certificate);
  if (names.length > 0) return names;
  reading.problem([...path, 'certFile'], 'has no DNS name: list the names of its clients in names');
  return undefined;
}

/** The DNS names of the subject's alternative names (RFC 5280, section 4.2.1.6) that a client can ask for. */
function dnsNamesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  // Node writes a value that holds a separator in quotes, which no host name has.
  return subjectAltName.split(', ').flatMap((item) => {
    const name = item.startsWith('DNS:') ? readServerName(item.slice(4)) : undefined;
    return name === undefined ? [] : [name];
  });
}
