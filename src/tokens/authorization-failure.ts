import { withoutSecrets } from '../core/referer.ts';

/** The reason for one denial, as far as a caller who may decode it may know. Of policies only what a near miss quotes. */
export interface AuthorizationFailure {
  readonly principal: { readonly arn: string; readonly userId: string };
  /** `s3:GetObject` */
  readonly action: string;
  readonly resource: string;
  readonly isExplicitDeny: boolean;
  /** The set of policies that denied, or that should have allowed; `none` when the decision could not be made. */
  readonly policyType: string;
  /** The statement of an explicit deny, by names alone. */
  readonly statement: FailedStatement | undefined;
  /** Of an implicit deny: the Allow that came closest. */
  readonly nearMiss?: FailedNearMiss | undefined;
  /** Context keys with their values, most important first. The last ones are left out when there is not enough space. */
  readonly context: readonly FailureContextEntry[];
  readonly requestId: string;
  /** Milliseconds since the Unix epoch. */
  readonly deniedAtMs: number;
}

/** A statement by the name of its policy, its Sid and its position from 0. */
export interface FailedStatement {
  readonly policy: string;
  readonly sid?: string | undefined;
  readonly index: number;
}

/** The statement that came closest to allowing what was denied. */
export interface FailedNearMiss {
  /** The set of policies that the statement belongs to. */
  readonly policyType: string;
  readonly statement: FailedStatement;
  /** What of it did not match, in one sentence. */
  readonly text: string;
}

/** A context key with its value or values. */
export type FailureContextEntry = readonly [key: string, value: string | readonly string[]];

/** Largest encoded failure, in bytes, that fits into a sealed message of 10,240 characters. */
export const maxFailureBytes = 7_400;

const failureVersion = 1;

/** Largest size of each field as JSON, in bytes. Together they leave 250 for the context, and usually more than 6,000. */
const fieldBytes = { arn: 1_024, name: 256, action: 128, resource: 3_072, nearMiss: 1_024 } as const;
const valueBytes = 512;
const entryBytes = 1_024;

/**
 * A near miss, also one that there is not, takes one of these sizes, in bytes. Which statement comes closest can depend on what the caller
 * may not read, such as the tags of an object, and anyone sees how long a sealed message is.
 */
const nearMissSizes = [320, 640, 1_024, 1_792] as const;

/** The context key that counts the keys that were left out. */
const omittedKeys = 'sts-sidecar:OmittedKeys';
/** Space reserved for that entry. */
const omittedBytes = 64;

/**
 * The short JSON form of a failure, at most {@link maxFailureBytes} long. Texts that are too long are cut and end in `…`. From
 * the first context key that does not fit, only the number of keys is kept. Equal failures give equal texts.
 */
export function encodeFailure(failure: AuthorizationFailure): string {
  const { principal, statement, nearMiss } = failure;
  const head = [
    failureVersion,
    failure.deniedAtMs,
    bounded(principal.arn, fieldBytes.arn),
    bounded(principal.userId, fieldBytes.name),
    bounded(failure.action, fieldBytes.action),
    bounded(failure.resource, fieldBytes.resource),
    failure.isExplicitDeny ? 1 : 0,
    bounded(failure.policyType, fieldBytes.action),
    statement === undefined ? [] : encodeStatement(statement),
    bounded(failure.requestId, fieldBytes.action),
  ];
  const start = JSON.stringify(head).slice(0, -1);
  const end = `,${padded(JSON.stringify(nearMiss === undefined ? [] : encodeNearMiss(nearMiss)))}]`;
  const left = maxFailureBytes - Buffer.byteLength(start) - Buffer.byteLength(end) - 3;
  return `${start},[${encodeContext(failure.context, left)}]${end}`;
}

function padded(text: string): string {
  const bytes = Buffer.byteLength(text);
  const size = nearMissSizes.find((one) => one >= bytes) ?? bytes;
  return text + ' '.repeat(size - bytes);
}

function encodeStatement({ policy, index, sid = '' }: FailedStatement): readonly unknown[] {
  return [bounded(policy, fieldBytes.name), index, bounded(sid, fieldBytes.name)];
}

function encodeNearMiss({ policyType, statement, text }: FailedNearMiss): readonly unknown[] {
  return [
    bounded(policyType, fieldBytes.action),
    encodeStatement(statement),
    bounded(text, fieldBytes.nearMiss),
  ];
}

// Stops at the first key that does not fit. Otherwise a client could make the sidecar encode many keys only to count them.
function encodeContext(context: readonly FailureContextEntry[], maxBytes: number): string {
  const parts: string[] = [];
  let left = maxBytes - omittedBytes;
  for (const [key, value] of context) {
    const part = encodeEntry(key, value);
    left -= Buffer.byteLength(part) + 1;
    if (left < 0) break;
    parts.push(part);
  }
  const omitted = context.length - parts.length;
  if (omitted > 0) parts.push(JSON.stringify([omittedKeys, String(omitted)]));
  return parts.join(',');
}

function encodeEntry(key: string, value: string | readonly string[]): string {
  const shown: string[] = [bounded(key, fieldBytes.name)];
  let left = entryBytes;
  for (const text of typeof value === 'string' ? [value] : value) {
    const one = bounded(withoutSecrets(key, text), valueBytes);
    left -= Buffer.byteLength(one) + 1;
    if (left < 0) {
      shown.push('…');
      break;
    }
    shown.push(one);
  }
  return JSON.stringify(shown);
}

/** Cuts a text to at most `maxBytes` as JSON. A text that is cut ends in `…`. */
function bounded(text: string, maxBytes: number): string {
  if (text.length * escapedBytes <= maxBytes) return text;
  let size = 0;
  let kept = 0;
  let end = 0;
  for (const character of text) {
    size += jsonBytes(character.codePointAt(0) ?? 0);
    if (size > maxBytes) return `${text.slice(0, kept)}…`;
    end += character.length;
    if (size <= maxBytes - ellipsisBytes) kept = end;
  }
  return text;
}

const escapedBytes = 6;
const ellipsisBytes = 3;

/** Upper bound for the bytes of one code point as `JSON.stringify` writes it. */
function jsonBytes(codePoint: number): number {
  if (codePoint < 0x20 || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return escapedBytes;
  if (codePoint === 0x22 || codePoint === 0x5c) return 2;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** Reads the form that {@link encodeFailure} writes, strictly. `undefined` for anything else. */
export function decodeFailure(text: string): AuthorizationFailure | undefined {
  const value = parse(text);
  if (!Array.isArray(value) || value[0] !== failureVersion) return undefined;
  if (value.length !== 11 && value.length !== 12) return undefined;
  const [, deniedAtMs, arn, userId, action, resource, explicit, policyType, statement, requestId, ...rest] =
    value as readonly unknown[];
  const [context, nearMiss = []] = rest;
  const near = decodeNearMiss(nearMiss);
  const named = decodeStatement(statement);
  const entries = decodeContext(context);
  if (typeof deniedAtMs !== 'number' || !Number.isFinite(deniedAtMs)) return undefined;
  if (typeof arn !== 'string' || typeof userId !== 'string' || typeof action !== 'string') return undefined;
  if (typeof resource !== 'string' || typeof policyType !== 'string' || typeof requestId !== 'string')
    return undefined;
  if (named === undefined || entries === undefined || near === undefined) return undefined;
  if (explicit !== 0 && explicit !== 1) return undefined;
  return {
    principal: { arn, userId },
    action,
    resource,
    isExplicitDeny: explicit === 1,
    policyType,
    statement: named === 'none' ? undefined : named,
    nearMiss: near === 'none' ? undefined : near,
    context: entries,
    requestId,
    deniedAtMs,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decodeStatement(value: unknown): FailedStatement | 'none' | undefined {
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0) return 'none';
  const [policy, index, sid] = value as readonly unknown[];
  if (value.length !== 3 || typeof policy !== 'string' || typeof index !== 'number') return undefined;
  if (typeof sid !== 'string') return undefined;
  return sid === '' ? { policy, index } : { policy, index, sid };
}

function decodeNearMiss(value: unknown): FailedNearMiss | 'none' | undefined {
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0) return 'none';
  const [policyType, named, text] = value as readonly unknown[];
  const statement = decodeStatement(named);
  if (value.length !== 3 || typeof policyType !== 'string' || typeof text !== 'string') return undefined;
  return statement === undefined || statement === 'none' ? undefined : { policyType, statement, text };
}

function decodeContext(value: unknown): FailureContextEntry[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const entries: FailureContextEntry[] = [];
  for (const entry of value as readonly unknown[]) {
    if (!isTextList(entry)) return undefined;
    const [key, ...values] = entry;
    if (key === undefined) return undefined;
    entries.push([key, values]);
  }
  return entries;
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
