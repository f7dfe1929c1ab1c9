import { inflateRawSync } from 'node:zlib';
import { decodeProtectedHeader } from 'jose';
import { BoundedCache } from '../core/bounded-cache.ts';
import { decodeUtf8, flatCopy } from '../core/bytes.ts';
import { longestSessionSeconds } from '../core/iam-names.ts';
import type { Secret } from '../core/secret.ts';
import { decryptCompact, isCompactJwe } from './compact-jwe.ts';
import { deriveSecretAccessKey } from './derive-secret.ts';
import type { KeyRing, RingKey } from './key-ring.ts';
import { maxPaddedBytes, maxTokenLength, sessionTokenType } from './seal.ts';
import { decodeClaims, type SessionClaims } from './session-claims.ts';

/** A decrypted token. Its expiry, its time of issue and its access key are not checked yet. */
export interface OpenedSession {
  readonly claims: SessionClaims;
  readonly secretAccessKey: Secret;
}

/** An opened session, with the memory that it takes beside its token, in characters, however well that compresses. */
interface KeptSession {
  readonly token: string;
  readonly session: OpenedSession;
  readonly characters: number;
}

/** Memory of a tag or an ancestor beside its text, in characters (Node 20, measured 2026-11). */
const charactersPerTag = 100;
const charactersPerAncestor = 150;

/** Characters of a tag of 16 bytes in base64url, at the end of a token. */
const tagLength = 22;

const maxCachedSessions = 10_000;
/** One caller can fill it, so it is a small part of the heap. */
const maxCachedCharacters = 12_000_000;

/**
 * Opens session tokens with one key ring. Opened sessions are cached, because opening takes some 40 µs. The cache belongs
 * to one configuration snapshot, so removing a key from the ring removes its sessions from the cache too.
 */
export class SessionOpener {
  readonly #ring: KeyRing;
  readonly #opened: BoundedCache<KeptSession> = new BoundedCache({
    maxEntries: maxCachedSessions,
    maxSize: maxCachedCharacters,
    sizeOf: ({ characters, token }) => token.length + tagLength + characters,
  });

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /**
   * Opens a token. `undefined` when it is malformed, lasts longer than any session, or was not sealed by this ring, and when a session
   * that it descends from was not.
   */
  open(token: string): OpenedSession | undefined {
    if (token.length > maxTokenLength) return undefined;
    // By its tag, because hashing a whole token takes longer than comparing it.
    const kept = this.#opened.get(token.slice(-tagLength));
    return kept?.token === token ? kept.session : this.#decrypt(token);
  }

  /** Forgets the opened sessions. */
  forget(): void {
    this.#opened.clear();
  }

  /** Keeps no opened sessions any more: another opener has taken the place of this one. */
  retire(): void {
    this.#opened.close();
  }

  #decrypt(token: string): OpenedSession | undefined {
    // Otherwise each spelling of a token would take an entry of its own in the cache.
    if (!isCompactJwe(token)) return undefined;
    const key = this.#keyOf(token);
    const text = key === undefined ? undefined : decrypt(token, key);
    const decoded = text === undefined ? undefined : decodeClaims(text);
    if (key === undefined || text === undefined || decoded === undefined) return undefined;
    const { tokenKeys = [] } = decoded;
    if (tokenKeys.some((id) => this.#ring.find(id) === undefined)) return undefined;
    const claims = { ...decoded, tokenKeys: [key.id, ...tokenKeys] };
    // Whoever has a token key can write any time into a token. None that was issued here lasts longer.
    if (claims.expiresAt - claims.issuedAt > longestSessionSeconds) return undefined;
    const secretAccessKey = deriveSecretAccessKey(key, claims.seed, claims.accessKeyId);
    const session = { claims, secretAccessKey };
    const { tags, ancestors = [] } = claims;
    const objects = charactersPerTag * tags.length + charactersPerAncestor * ancestors.length;
    const kept = flatCopy(token);
    this.#opened.set(flatCopy(token.slice(-tagLength)), {
      token: kept,
      session,
      characters: text.length + objects,
    });
    return session;
  }

  #keyOf(token: string): RingKey | undefined {
    try {
      const header = decodeProtectedHeader(token);
      const isOurs =
        header.alg === 'dir' &&
        header['enc'] === 'A256GCM' &&
        header.typ === sessionTokenType &&
        header['zip'] === undefined &&
        header.crit === undefined;
      return isOurs && header.kid !== undefined ? this.#ring.find(header.kid) : undefined;
    } catch {
      return undefined;
    }
  }
}

function decrypt(token: string, key: RingKey): string | undefined {
  const packed = decryptCompact(token, key.sessionTokens);
  if (packed === undefined) return undefined;
  try {
    return decodeUtf8(inflateRawSync(packed, { maxOutputLength: maxPaddedBytes }));
  } catch {
    return undefined;
  }
}
