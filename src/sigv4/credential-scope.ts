import { flatCopy } from '../core/bytes.ts';
import { rememberRecent } from '../core/remember-recent.ts';

/** The scope a signing key is bound to: `date/region/service/aws4_request`. */
export interface CredentialScope {
  /** `YYYYMMDD`, UTC. */
  readonly date: string;
  /** May be empty: STS accepts a scope without a region. */
  readonly region: string;
  readonly service: string;
}

/** An access key id with the scope it signs in. */
export interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

const terminator = 'aws4_request';
// Scopes become cache keys and log fields before anything is verified, so their size is bounded.
const scopeName = /^[A-Za-z0-9_-]{0,64}$/;
// Those of Swift's tempauth have a colon.
const accessKeyIdForm = /^[\w.:-]{1,128}$/;

/**
 * Parses `AKID/date/region/service/aws4_request`; `undefined` unless it has exactly those five fields and a real
 * calendar date.
 */
export function parseCredential(text: string): Credential | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const accessKeyId = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  const scope = rest.length <= maxScopeLength ? parseScope(rest) : undefined;
  return scope === undefined || !accessKeyIdForm.test(accessKeyId) ? undefined : { accessKeyId, scope };
}

/** More than the longest valid scope. */
const maxScopeLength = 160;

/** The requests of a day and region have the same scope. */
const parseScope = rememberRecent((text: string): CredentialScope | undefined => {
  const fields = flatCopy(text).split('/');
  if (fields.length !== 4) return undefined;
  const [date = '', region = '', service = '', last] = fields;
  if (last !== terminator || !scopeName.test(region) || !scopeName.test(service)) return undefined;
  return isCalendarDate(date) ? { date, region, service } : undefined;
});

/** Writes the scope as it stands in a string to sign. */
export function formatScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${terminator}`;
}

function isCalendarDate(text: string): boolean {
  return parseDateTime(`${text}T000000Z`) !== undefined;
}

/** Parses ISO 8601 basic form `YYYYMMDDTHHMMSSZ` to epoch milliseconds; rejects days that do not exist. */
export const parseBasicDateTime: (text: string) => number | undefined = rememberRecent(parseDateTime);

function parseDateTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(epochMs) || formatBasicDateTime(epochMs) !== text ? undefined : epochMs;
}

/** Writes epoch milliseconds as `YYYYMMDDTHHMMSSZ`. */
export function formatBasicDateTime(epochMs: number): string {
  return formatSecond(Math.floor(epochMs / 1000));
}

const formatSecond = rememberRecent((second: number): string => {
  return `${new Date(second * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
});
