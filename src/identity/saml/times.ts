import { IdentityFault } from '../identity-fault.ts';
import { rejected } from './rejected.ts';
import type { XmlNode } from './strict-xml.ts';

/** How far the provider's clock may be ahead of ours; expiry has no such grace. */
const maxClockAheadMs = 60_000;

// The fraction may be long: .NET writes seven digits. A time without a zone is not of SAML (core, section 1.3.3).
const instant = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/;

/** An instant of an attribute in milliseconds since the Unix epoch; `undefined` when there is none. Throws `IdentityFault`. */
export function timeOf({ attributes }: XmlNode, name: string): number | undefined {
  const value = attributes.get(name);
  if (value === undefined) return undefined;
  const [, seconds = '', fraction = ''] = instant.exec(value) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  // Parsing rolls some dates over that do not exist, for example February 30.
  if (!Number.isFinite(ms) || new Date(ms).toISOString().slice(0, 19) !== seconds) {
    throw rejected('bad_claims', `${name} is no time in UTC`);
  }
  return ms + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}

/** Refuses an instant at which something had ended. */
export function requireBefore(endMs: number | undefined, nowMs: number, what: string): void {
  if (endMs === undefined || nowMs < endMs) return;
  const [now, end] = [Math.floor(nowMs / 1000), Math.floor(endMs / 1000)];
  throw new IdentityFault(
    'expired',
    `Token expired: current date/time ${now} must be before the expiration date/time ${end}`,
    { detail: `${what} is over` },
  );
}

/** Refuses an instant at which something had not begun. */
export function requireBegun(startMs: number | undefined, nowMs: number, what: string): void {
  if (startMs === undefined || startMs <= nowMs + maxClockAheadMs) return;
  const [now, start] = [Math.floor(nowMs / 1000), Math.floor(startMs / 1000)];
  throw new IdentityFault(
    'not_yet_valid',
    `Token not yet valid: current date/time ${now} must be after the issue and not-before date/time ${start}`,
    { detail: `${what} has not begun` },
  );
}
