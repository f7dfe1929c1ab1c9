import { IdentityFault } from '../identity-fault.ts';
import { rejected } from './rejected.ts';
import type { XmlNode } from './strict-xml.ts';

/** How far the provider's clock may be ahead of this one. The expiry has no such tolerance. */
const maxClockAheadMs = 60_000;

// .NET writes seven digits of fraction. SAML times are in UTC (core, section 1.3.3).
const instant = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/;

/**
 * The time in an attribute, in milliseconds since the Unix epoch; `undefined` without the attribute.
 * @throws IdentityFault
 */
export function timeOf({ attributes }: XmlNode, name: string): number | undefined {
  const value = attributes.get(name);
  if (value === undefined) return undefined;
  const [, seconds = '', fraction = ''] = instant.exec(value) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  // Parsing changes some dates that do not exist, such as February 30, into others.
  if (!Number.isFinite(ms) || new Date(ms).toISOString().slice(0, 19) !== seconds) {
    throw rejected('bad_claims', `${name} is no time in UTC`);
  }
  return ms + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}

/**
 * Requires that a period has not ended.
 * @throws IdentityFault
 */
export function requireBefore(endMs: number | undefined, nowMs: number, what: string): void {
  if (endMs === undefined || nowMs < endMs) return;
  const [now, end] = [Math.floor(nowMs / 1000), Math.floor(endMs / 1000)];
  throw new IdentityFault(
    'expired',
    `Token expired: current date/time ${now} must be before the expiration date/time ${end}`,
    { detail: `${what} is over` },
  );
}

/**
 * Requires that a period has begun.
 * @throws IdentityFault
 */
export function requireBegun(startMs: number | undefined, nowMs: number, what: string): void {
  if (startMs === undefined || startMs <= nowMs + maxClockAheadMs) return;
  const [now, start] = [Math.floor(nowMs / 1000), Math.floor(startMs / 1000)];
  throw new IdentityFault(
    'not_yet_valid',
    `Token not yet valid: current date/time ${now} must be after the issue and not-before date/time ${start}`,
    { detail: `${what} has not begun` },
  );
}
