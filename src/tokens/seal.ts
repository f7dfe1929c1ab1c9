import { constants, deflateRawSync } from 'node:zlib';
import { encodeHeader, encryptCompact } from './compact-jwe.ts';
import type { KeyRing } from './key-ring.ts';
import { encodeClaimsInParts, type SessionClaims } from './session-claims.ts';

/** `typ` of a session token, which differs from that of an authorization message. */
export const sessionTokenType = 'sts-session+jwe';

/** Longest session token, in characters, that an HTTP header field carries safely. */
export const maxTokenLength = 8192;

/** Largest size of the claims before compression, in bytes. */
const maxUnpackedBytes = 65_536;

/** The same with what they may be padded with. */
export const maxPaddedBytes: number = maxUnpackedBytes + maxTokenLength;

/** A session exceeds {@link maxTokenLength} or {@link maxUnpackedBytes}. The message says by how much. */
export class TokenTooLargeError extends Error {
  override readonly name = 'TokenTooLargeError';
}

/**
 * Encrypts claims into a compact JWE (RFC 7516; `dir`, A256GCM) under the sealing key of the ring. They are encrypted because
 * the holder must not read policies and tags.
 * @param minLength the token gets at least as many characters; those that are shorter without it all get the same length
 * @throws TokenTooLargeError
 */
export function sealSession(claims: SessionClaims, ring: KeyRing, minLength = 0): string {
  const { id, sessionTokens } = ring.sealWith;
  const header = encodeHeader({ alg: 'dir', enc: 'A256GCM', kid: id, typ: sessionTokenType });
  const { tokenKeys = [], ...own } = claims;
  // The header has the sealing key.
  const others = tokenKeys.filter((one) => one !== id);
  const parts = encodeClaimsInParts(others.length === 0 ? own : { ...own, tokenKeys: others });
  const text = parts.join('');
  const bytes = Buffer.byteLength(text);
  if (bytes > maxUnpackedBytes)
    throw tooLarge(`${bytes} bytes unpacked`, bytes - maxUnpackedBytes, maxUnpackedBytes);
  const deflated = deflateRawSync(text);
  const wanted = bytesInside(header, minLength);
  const content = deflated.length < wanted ? deflatedAndPadded(text, wanted + paddingBytes) : deflated;
  const token = encryptCompact(header, sessionTokens, content);
  if (token.length <= maxTokenLength) return token;
  const smaller = encryptCompact(header, sessionTokens, deflateApart(parts));
  if (smaller.length <= maxTokenLength) return smaller;
  const { length } = smaller;
  throw tooLarge(`${length} characters`, length - maxTokenLength, maxTokenLength);
}

/** Characters of a compact JWE besides the header and the ciphertext: nonce, tag and dots. */
const otherCharacters = 16 + 22 + 4;

/** The fewest bytes of ciphertext that make a token at least that long. */
function bytesInside(header: string, length: number): number {
  return Math.floor(((length - header.length - otherCharacters) * 3 + 1) / 4);
}

/** More than a flush and the head of a stored block take. With it every content that has to be padded fits. */
const paddingBytes = 16;
const storedBlockHeadBytes = 5;

/**
 * Deflates a text into exactly that many bytes: after it stands a stored block of spaces (RFC 1951, 3.2.4), which end the JSON. It
 * is inside the encrypted part, so the length of a padded token says nothing about the claims.
 */
function deflatedAndPadded(text: string, bytes: number): Buffer {
  const deflated = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  const length = bytes - deflated.length - storedBlockHeadBytes;
  // INVARIANT: flushing takes fewer bytes than are reserved for it.
  if (length < 0) throw new Error('the claims take more than the padded size');
  const head = Buffer.alloc(storedBlockHeadBytes);
  head.writeUInt8(1, 0);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(0xffff - length, 3);
  return Buffer.concat([deflated, head, Buffer.alloc(length, ' ')]);
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
