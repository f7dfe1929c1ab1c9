import { constants, deflateRawSync } from 'node:zlib';
import { encodeHeader, encryptCompact } from './compact-jwe.ts';
import type { KeyRing } from './key-ring.ts';
import { encodeClaims, type SessionClaims } from './session-claims.ts';

/** `typ` of a session token; an authorization message has another. */
export const sessionTokenType = 'sts-session+jwe';

/** Longest session token, in characters: what an HTTP header field can safely carry. */
export const maxTokenLength = 8192;

/** Most bytes that a token holds before compression. The parameters of one request always take less. */
export const maxUnpackedBytes = 65_536;

/** A session exceeds {@link maxTokenLength} or {@link maxUnpackedBytes}; the message says by how much. */
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
  const text = encodeClaims(claims);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxUnpackedBytes)
    throw tooLarge(`${bytes} bytes unpacked`, bytes - maxUnpackedBytes, maxUnpackedBytes);
  const token = encryptCompact(header, sessionTokens, deflateRawSync(text));
  if (token.length <= maxTokenLength) return token;
  const smaller = encryptCompact(header, sessionTokens, deflateApart(claims));
  if (smaller.length <= maxTokenLength) return smaller;
  const { length } = smaller;
  throw tooLarge(`${length} characters`, length - maxTokenLength, maxTokenLength);
}

function tooLarge(size: string, over: number, allowed: number): TokenTooLargeError {
  return new TokenTooLargeError(`the session token takes ${size}, ${over} more than the ${allowed} allowed`);
}

/**
 * Deflates what we write, the subject, and what callers pass in, which begins with the policies, each with codes of its own
 * (RFC 1951, 3.2.3): letters of two scripts that share one code take up to a tenth more. It is one stream, and is inflated
 * as any other.
 */
function deflateApart(claims: SessionClaims): Buffer {
  const text = encodeClaims(claims);
  const policy = text.indexOf('"p":');
  const passed = policy === -1 ? text.indexOf('"pa":') : policy;
  const subject = passed - JSON.stringify(claims.federation?.subject ?? '').length;
  const parts = [text.slice(0, subject), text.slice(subject, passed)].map((part) =>
    deflateRawSync(part, { finishFlush: constants.Z_SYNC_FLUSH }),
  );
  return Buffer.concat([...parts, deflateRawSync(text.slice(passed))]);
}
