import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type Credential, parseCredential } from './credential-scope.ts';
import { parseSignedHeaders, type SignedHeaderNames } from './signed-header-names.ts';

/** The one algorithm this sidecar verifies and signs with. */
export const algorithm = 'AWS4-HMAC-SHA256';

const start = `${algorithm} `;

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
  if (!value.startsWith(start)) throw malformed('the authorization header is not AWS4-HMAC-SHA256');
  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  let hasOthers = false;
  for (let from = start.length; from <= value.length; ) {
    const comma = value.indexOf(',', from);
    const end = comma < 0 ? value.length : comma;
    const equals = value.indexOf('=', from);
    if (equals < 0 || equals > end) throw malformed('the authorization header is malformed');
    const name = value.slice(from, equals).trim();
    const part = value.slice(equals + 1, end).trim();
    if (name === 'Credential') credential = once(part, credential);
    else if (name === 'SignedHeaders') signedHeaders = once(part, signedHeaders);
    else if (name === 'Signature') signature = once(part, signature);
    else hasOthers = true;
    from = end + 1;
  }
  if (credential === undefined || signedHeaders === undefined || signature === undefined || hasOthers)
    throw malformed('the authorization header needs exactly Credential, SignedHeaders and Signature');
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

function once(part: string, before: string | undefined): string {
  if (before !== undefined) throw malformed('the authorization header is malformed');
  return part;
}

function malformed(message: string): AuthenticationFault {
  return new AuthenticationFault('malformed_authorization', { message });
}
