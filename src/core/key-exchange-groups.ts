import { createSecureContext } from 'node:tls';

/**
 * Groups of the key exchange of every TLS server, the first best; connections to identity providers have one more. OpenSSL's own list has ffdhe8192, of which one ClientHello of a stranger takes
 * 125 ms. X25519MLKEM768 is known from OpenSSL 3.5 on.
 */
export const keyExchangeGroups: string = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1']
  .filter(isKnown)
  .join(':');

function isKnown(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group });
    return true;
  } catch {
    return false;
  }
}
