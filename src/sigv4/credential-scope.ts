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
const accessKeyIdForm = /^[\w.-]{1,128}$/;

/**
 * Parses `AKID/date/region/service/aws4_request`; `undefined` unless it has exactly those five fields and a real
 * calendar date.
 */
export function parseCredential(text: string): Credential | undefined {
  const fields = text.split('/');
  if (fields.length !== 5) return undefined;
  const [accessKeyId = '', date = '', region = '', service = '', last] = fields;
  if (last !== terminator || !scopeName.test(region) || !scopeName.test(service)) return undefined;
  if (!accessKeyIdForm.test(accessKeyId) || !isCalendarDate(date)) return undefined;
  return { accessKeyId, scope: { date, region, service } };
}

/** Writes the scope as it stands in a string to sign. */
export function formatScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${terminator}`;
}

const isCalendarDate = rememberRecent(
  (text: string): boolean => parseDateTime(`${text}T000000Z`) !== undefined,
);

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
