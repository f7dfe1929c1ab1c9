import type { ComparisonOperator } from './operator.ts';
import { orderedOperators } from './ordering.ts';

/**
 * Date condition operators (IAM JSON policy elements: Condition operators, "Date condition operators"). A date is in
 * one of the six formats of the W3C note "Date and Time Formats", or in whole seconds since 1970. It means an instant:
 * `2026` is the start of that year in UTC. Four digits are a year, other numbers are seconds.
 */
export const dateOperators: readonly ComparisonOperator[] = orderedOperators({
  name: 'Date',
  noun: 'a date in W3C format or in seconds since 1970',
  stepsToParse: 800,
  parse: parseInstant,
  compare: compareInstants,
});

interface Instant {
  /** Whole seconds since 1970, rounded down. */
  readonly seconds: number;
  /** Decimals of the second, without zeros at the end. */
  readonly fraction: string;
}

const epochSyntax = /^(?:0|[1-9][0-9]{0,2}|[1-9][0-9]{4,11})$/;
const dateSyntax = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9:.]+)(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/;
const timeSyntax = /^([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?$/;

/** The last second of the year 9999. A larger number is probably in milliseconds. */
const maxEpochSeconds = 253_402_300_799;

/** Leaves room for more decimals of a second than any clock has. */
const maxDateLength = 48;

function parseInstant(text: string): Instant | undefined {
  if (text.length > maxDateLength) return undefined;
  if (epochSyntax.test(text)) {
    const seconds = Number(text);
    return seconds > maxEpochSeconds ? undefined : { seconds, fraction: '' };
  }
  const [, year, month = '01', day = '01', time = '00:00', zone = 'Z'] = dateSyntax.exec(text) ?? [];
  const [, minutes, second = '00', fraction = ''] = timeSyntax.exec(time) ?? [];
  const offset = offsetSeconds(zone);
  if (year === undefined || minutes === undefined || offset === undefined) return undefined;
  const written = `${year}-${month}-${day}T${minutes}:${second}.000Z`;
  const milliseconds = Date.parse(written);
  // Date.parse may read 31 February as a day in March, and 24:00 as the next day.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== written) return undefined;
  return { seconds: milliseconds / 1000 - offset, fraction: fraction.replace(/0+$/, '') };
}

/** The offset of a zone from UTC in seconds; `undefined` when it is out of range. */
function offsetSeconds(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function compareInstants(left: Instant, right: Instant): number {
  if (left.seconds !== right.seconds) return left.seconds - right.seconds;
  if (left.fraction === right.fraction) return 0;
  return left.fraction < right.fraction ? -1 : 1;
}
