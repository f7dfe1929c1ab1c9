import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { decodeUtf8 } from '../core/bytes.ts';
import { type AuthorizationFailure, decodeFailure, encodeFailure } from './authorization-failure.ts';
import { decryptCompact, encodeHeader, encryptCompact } from './compact-jwe.ts';
import { type DecodedAuthorizationMessage, failureDocument } from './decoded-message.ts';
import type { KeyRing, RingKey } from './key-ring.ts';

export type { AuthorizationFailure } from './authorization-failure.ts';
export type { DecodedAuthorizationMessage } from './decoded-message.ts';

/** `typ` of an authorization message; a session token has another. */
export const authorizationMessageType = 'sts-denial+jwe';

/** Longest message, in characters, that DecodeAuthorizationMessage accepts (AWS STS API Reference, EncodedMessage). */
export const maxAuthorizationMessageLength = 10_240;

/** How long a message can be decoded, in milliseconds. */
export const authorizationMessageLifetimeMs: number = 24 * 3_600_000;

/** A decoded message, or the reason why it could not be decoded. */
export type OpenedAuthorizationMessage =
  | { readonly ok: true; readonly document: DecodedAuthorizationMessage }
  | { readonly ok: false; readonly reason: 'malformed' | 'unknown_key' | 'expired' };

interface HourKey {
  readonly hour: number;
  readonly key: KeyObject;
  /** The encoded protected header. */
  readonly header: string;
}

const hourKeys = new WeakMap<RingKey, HourKey>();

/**
 * Encrypts a denial into a compact JWE (RFC 7516; `dir`, A256GCM) of at most {@link maxAuthorizationMessageLength} characters.
 * Never fails: values that are too long are cut, see {@link encodeFailure}. A caller can cause any number of denials, so each
 * hour has a key of its own: one key must not be used with 2^32 random nonces (NIST SP 800-38D, 8.3). Not compressed, because
 * the length of a compressed message would reveal something about its content.
 */
export function sealAuthorizationMessage(failure: AuthorizationFailure, ring: KeyRing): string {
  const { header, key } = keyOfHour(ring.sealWith, Math.floor(failure.deniedAtMs / hourMs));
  return encryptCompact(header, key, encodeFailure(failure));
}

const hourMs = 3_600_000;

function keyOfHour(ringKey: RingKey, hour: number): HourKey {
  const known = hourKeys.get(ringKey);
  if (known?.hour === hour) return known;
  const fields = { alg: 'dir', enc: 'A256GCM', kid: ringKey.id, typ: authorizationMessageType, hour };
  const key = createSecretKey(deriveHourKey(ringKey, hour));
  const made = { hour, key, header: encodeHeader(fields) };
  hourKeys.set(ringKey, made);
  return made;
}

function deriveHourKey({ authorizationMessages }: RingKey, hour: number): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', authorizationMessages, new Uint8Array(0), `authorization-message/v1/${hour}`, 32),
  );
}

/** Decodes a message that this ring sealed less than 24 hours before `nowMs`. Session tokens count as malformed. */
export function openAuthorizationMessage(
  text: string,
  ring: KeyRing,
  nowMs: number,
): OpenedAuthorizationMessage {
  const header = text.length <= maxAuthorizationMessageLength ? readHeader(text) : undefined;
  if (header === undefined) return { ok: false, reason: 'malformed' };
  const key = ring.find(header.kid);
  if (key === undefined) return { ok: false, reason: 'unknown_key' };
  const failure = decrypt(text, deriveHourKey(key, header.hour));
  if (failure === undefined) return { ok: false, reason: 'malformed' };
  if (nowMs >= failure.deniedAtMs + authorizationMessageLifetimeMs) return { ok: false, reason: 'expired' };
  return { ok: true, document: failureDocument(failure) };
}

function readHeader(text: string): { kid: string; hour: number } | undefined {
  if (!isCanonical(text)) return undefined;
  try {
    const { alg, enc, typ, kid, zip, crit, hour } = decodeProtectedHeader(text);
    const isOurs = alg === 'dir' && enc === 'A256GCM' && typ === authorizationMessageType;
    if (!isOurs || zip !== undefined || crit !== undefined || typeof kid !== 'string') return undefined;
    return typeof hour === 'number' && Number.isSafeInteger(hour) ? { kid, hour } : undefined;
  } catch {
    return undefined;
  }
}

/** True when every part has the canonical base64 spelling: the last character may have unused bits. */
function isCanonical(text: string): boolean {
  const parts = text.split('.', 6);
  return (
    parts.length === 5 &&
    parts[1] === '' &&
    parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}

function decrypt(text: string, key: Uint8Array): AuthorizationFailure | undefined {
  const opened = decryptCompact(text, key);
  const json = opened === undefined ? undefined : decodeUtf8(opened);
  return json === undefined ? undefined : decodeFailure(json);
}
