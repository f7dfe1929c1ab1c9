import { type KeyObject, X509Certificate } from 'node:crypto';

const minRsaBits = 2_048;
/** Verifying with a much larger key takes too long. */
const maxRsaBits = 16_384;
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * The public key of a base64 certificate; `undefined` when it is not a certificate, or its key cannot sign. Nothing else of the
 * certificate counts: in SAML metadata it is only a container for a key.
 */
export function importCertificateKey(certificate: string): KeyObject | undefined {
  const bytes = Buffer.from(certificate, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== certificate) return undefined;
  try {
    const { publicKey } = new X509Certificate(bytes);
    return isAcceptable(publicKey) ? publicKey : undefined;
  } catch {
    return undefined;
  }
}

function isAcceptable({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa') {
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    return bits >= minRsaBits && bits <= maxRsaBits;
  }
  return asymmetricKeyType === 'ec' && curves.has(asymmetricKeyDetails?.namedCurve ?? '');
}
