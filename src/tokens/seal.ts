import { deflateRawSync } from 'node:zlib';
import { encodeHeader, encryptCompact } from './compact-jwe.ts';
import type { KeyRing } from './key-ring.ts';
import { encodeClaims, type SessionClaims } from './session-claims.ts';

/** `typ` of a session token; an authorization message has another. */
export const sessionTokenType = 'sts-session+jwe';

/** Longest session token, in characters: what an HTTP header field can safely carry. */
export const maxTokenLength = 8192;

/** Content of {@link sealSession} went over {@link maxTokenLength}. */
export class TokenTooLargeError extends Error {
  override readonly name = 'TokenTooLargeError';
}

/**
 * Encrypts claims into a compact JWE (RFC 7516; `dir`, A256GCM) under the ring's sealing key. Encrypted, because
 * policies and tags are not the holder's to read. Throws {@link TokenTooLargeError}.
 */
export function sealSession(claims: SessionClaims, ring: KeyRing): string {
  const { id, sessionTokens } = ring.sealWith;
  const header = encodeHeader({ alg: 'dir', enc: 'A256GCM', kid: id, typ: sessionTokenType });
  const token = encryptCompact(header, sessionTokens, deflateRawSync(encodeClaims(claims)));
  if (token.length > maxTokenLength)
    throw new TokenTooLargeError(`session token takes ${token.length} characters`);
  return token;
}
