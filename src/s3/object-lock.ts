import type { ConditionKey } from './operation.ts';

/** Retention and holds that a request asks for, by headers or in a document. */
export interface ObjectLock {
  /** Milliseconds since the Unix epoch. */
  readonly retainUntilMs?: number | undefined;
  /** Whole days that an event hold lasts on. */
  readonly eventHoldDays?: number | undefined;
}

const instantSyntax =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Reads an ISO 8601 date and time with its zone, `2030-01-02T03:04:05Z`; parts of a millisecond are cut off.
 * `undefined` for anything else, days that the month does not have included.
 */
export function parseInstant(text: string): number | undefined {
  const [, local, fraction = '', zone] = instantSyntax.exec(text) ?? [];
  if (local === undefined || zone === undefined) return undefined;
  const written = `${local}.000Z`;
  const localMs = Date.parse(written);
  if (Number.isNaN(localMs) || new Date(localMs).toISOString() !== written) return undefined;
  const instantMs = localMs + Number(fraction.slice(0, 3).padEnd(3, '0')) - zoneMs(zone);
  return isFourDigitYear(instantMs) ? instantMs : undefined;
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

// Only these are written with four digits again.
function isFourDigitYear(instantMs: number): boolean {
  return instantMs >= Date.UTC(1970) && instantMs < Date.UTC(10_000);
}

/** Writes an instant in UTC, with milliseconds only where there are some. */
export function writeInstant(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}

/** Reads a whole number without leading zeros; `undefined` for anything else. */
export function parseCount(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,5})$/.test(text) ? Number(text) : undefined;
}

const dayMs = 86_400_000;
const daysOfYear = 365;

/** Days for a duration that is given in days, or in years of 365 days each; both at once are no duration. */
export function durationDays(days: number | undefined, years: number | undefined): number | undefined {
  return years === undefined ? days : years * daysOfYear;
}

/**
 * The keys whose values must be computed. A day that has begun counts as a remaining day: a request for ten days
 * still asks for ten when it arrives a moment later. Source: AWS "S3 Object Lock", condition keys.
 */
export function objectLockKeys({ retainUntilMs, eventHoldDays }: ObjectLock, nowMs: number): ConditionKey[] {
  const keys: ConditionKey[] = [];
  if (retainUntilMs !== undefined) {
    const remainingDays = Math.max(0, Math.ceil((retainUntilMs - nowMs) / dayMs));
    keys.push(
      ['s3:object-lock-retain-until-date', [writeInstant(retainUntilMs)]],
      ['s3:object-lock-remaining-retention-days', [String(remainingDays)]],
    );
  }
  if (eventHoldDays !== undefined) {
    keys.push(['s3:object-lock-event-hold-duration-days', [String(eventHoldDays)]]);
  }
  return keys;
}
