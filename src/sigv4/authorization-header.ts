import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type Credential, parseCredential } from './credential-scope.ts';
import { parseSignedHeaders, type SignedHeaderNames } from './signed-header-names.ts';

/** The one algorithm this sidecar verifies and signs with. */
export const algorithm = 'AWS4-HMAC-SHA256';

/** The three parts of a Signature V4 `Authorization` header. */
export interface ParsedAuthorization {
  readonly credential: Credential;
  readonly signedHeaders: SignedHeaderNames;
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
}

/**
 * Parses `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; white space after the commas is
 * optional, the order of the parts is free, and each occurs exactly once.
 * Source: AWS "Signature Version 4", header form.
 * @throws AuthenticationFault `malformed_authorization`
 */
export function parseAuthorizationHeader(value: string): ParsedAuthorization {
  if (!value.startsWith(`${algorithm} `)) throw malformed('the authorization header is not AWS4-HMAC-SHA256');
  const parts = new Map<string, string>();
  for (const piece of value.slice(algorithm.length + 1).split(',')) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || parts.has(name)) throw malformed('the authorization header is malformed');
    parts.set(name, piece.slice(equals + 1).trim());
  }
  const credential = parts.get('Credential');
  const signedHeaders = parts.get('SignedHeaders');
  const signature = parts.get('Signature');
  if (
    credential === undefined ||
    signedHeaders === undefined ||
    signature === undefined ||
    parts.size !== 3
  ) {
    throw malformed('the authorization header needs exactly Credential, SignedHeaders and Signature');
  }
  const parsedCredential = parseCredential(credential);
  if (parsedCredential === undefined) {
    throw malformed('the credential must be access-key-id/YYYYMMDD/region/service/aws4_request');
  }
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed('the signature must be 64 lower-case hex digits');
  const names = parseSignedHeaders(signedHeaders);
  if (names === undefined)
    throw malformed('the signed header list has an empty or repeated name, or too many');
  return { credential: parsedCredential, signedHeaders: names, signature };
}

function malformed(message: string): AuthenticationFault {
  return new AuthenticationFault('malformed_authorization', { message });
}
