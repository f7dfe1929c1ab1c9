/*
 * This folder implements AWS Signature Version 4. It parses, verifies and makes signatures, and it reads and writes chunked
 * payloads.
 * In: a `RawRequest` or the parts of an outgoing one, and a secret. Out: a `SignedRequest`, a signature, or an
 * `AuthenticationFault`.
 * It never looks up a key, and does not know whose it is.
 * It never normalises a path beyond what Signature V4 itself does, and never reveals the signature that it expected.
 */

import { AuthenticationFault } from '../core/authentication-fault.ts';
import { equalTexts } from '../core/bytes.ts';
import type { Secret } from '../core/secret.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { canonicalRequest } from './canonical-request.ts';
import type { ChunkSeed } from './chunk-signatures.ts';
import { formatBasicDateTime } from './credential-scope.ts';
import type { SignedRequest } from './signed-request.ts';
import type { SigningKeyCache } from './signing-key.ts';
import { stringToSign } from './string-to-sign.ts';

/**
 * Verifies the signature with the secret that belongs to the access key. `payloadHash` is what the client
 * declared, or the body's own digest where the protocol hashes it. Returns what the signatures of the body's chunks begin with.
 * @throws AuthenticationFault `signature_mismatch` with the canonical request and string to sign that were computed here,
 * the session token's value redacted; never the expected signature
 */
export function verifySignature(
  request: SignedRequest,
  secret: Secret,
  payloadHash: string,
  keys: SigningKeyCache,
): ChunkSeed {
  const { raw, scope, accessKeyId, signature } = request;
  const canonical = canonicalRequest({
    method: raw.method,
    path: raw.path,
    parameters: request.signedParameters,
    headers: raw.headers,
    signedHeaders: request.signedHeaders,
    payloadHash,
  });
  if (canonical === undefined) {
    throw new AuthenticationFault('signature_mismatch', {
      accessKeyId,
      detail: 'a signed header is absent or the path is malformed',
    });
  }
  const timestamp = formatBasicDateTime(request.signedAtMs);
  const toSign = stringToSign(timestamp, scope, canonical);
  const { key, keep } = keys.find(secret, scope);
  if (equalTexts(key.sign(toSign), signature)) {
    keep();
    return { key, timestamp, scope, signature };
  }
  throw new AuthenticationFault('signature_mismatch', {
    accessKeyId,
    stringToSign: toSign,
    canonicalRequest: withoutToken(canonical, request.securityToken),
  });
}

// A header holds the token as it is, a query holds it encoded.
function withoutToken(canonical: string, token: string | undefined): string {
  if (token === undefined) return canonical;
  return canonical.replaceAll(token, '[redacted]').replaceAll(uriEncode(token), '[redacted]');
}
