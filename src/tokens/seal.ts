import { constants, deflateRawSync } from 'node:zlib';
import { encodeHeader, encryptCompact } from './compact-jwe.ts';
import type { KeyRing } from './key-ring.ts';
import { encodeClaimsInParts, type SessionClaims } from './session-claims.ts';

/** `typ` of a session token, which differs from that of an authorization message. */
export const sessionTokenType = 'sts-session+jwe';

/** Longest session token, in characters, that an HTTP header field carries safely. */
export const maxTokenLength = 8192;

/** Largest size of the claims before compression, in bytes. */
export const maxUnpackedBytes = 65_536;

/** A session exceeds {@link maxTokenLength} or {@link maxUnpackedBytes}. The message says by how much. */
export class TokenTooLargeError extends Error {
  override readonly name = 'TokenTooLargeError';
}

/**
 * Encrypts claims into a compact JWE (RFC 7516; `dir`, A256GCM) under the sealing key of the ring. They are encrypted because
 * the holder must not read policies and tags.
 * @throws TokenTooLargeError
 */
export function sealSession(claims: SessionClaims, ring: KeyRing): string {
  const { id, sessionTokens } = ring.sealWith;
  const header = encodeHeader({ alg: 'dir', enc: 'A256GCM', kid: id, typ: sessionTokenType });
  const parts = encodeClaimsInParts(claims);
  const text = parts.join('');
  const bytes = Buffer.byteLength(text);
  if (bytes > maxUnpackedBytes)
    throw tooLarge(`${bytes} bytes unpacked`, bytes - maxUnpackedBytes, maxUnpackedBytes);
  const token = encryptCompact(header, sessionTokens, deflateRawSync(text));
  if (token.length <= maxTokenLength) return token;
  const smaller = encryptCompact(header, sessionTokens, deflateApart(parts));
  if (smaller.length <= maxTokenLength) return smaller;
  const { length } = smaller;
  throw tooLarge(`${length} characters`, length - maxTokenLength, maxTokenLength);
}

function tooLarge(size: string, over: number, allowed: number): TokenTooLargeError {
  return new TokenTooLargeError(`the session token takes ${size}, ${over} more than the ${allowed} allowed`);
}

/**
 * Deflates each part with Huffman codes of its own (RFC 1951, 3.2.3), because texts of two scripts with common codes take up to
 * a tenth more. The result is one stream, which inflates to the joined parts.
 */
function deflateApart(parts: readonly string[]): Buffer {
  const deflated = parts.map((part, index) =>
    deflateRawSync(part, index < parts.length - 1 ? { finishFlush: constants.Z_SYNC_FLUSH } : {}),
  );
  return Buffer.concat(deflated);
}
