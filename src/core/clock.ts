import { rememberRecent } from './remember-recent.ts';

/** Where the time comes from; handed in by the composition root so that tests can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** The machine's clock: the only place of the program that reads it. */
export const systemClock: Clock = { now: () => Date.now() };

/** ISO 8601 in UTC with whole seconds, for example `2026-11-22T10:00:00Z`; STS prints `Expiration` so. */
export function isoSeconds(epochMs: number): string {
  return formatSecond(Math.floor(epochMs / 1000));
}

const formatSecond = rememberRecent(
  (second: number) => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`,
);

/** RFC 9110 `Date` of an instant, in whole seconds. */
export function httpDate(epochMs: number): string {
  return formatHttpDate(Math.floor(epochMs / 1000));
}

const formatHttpDate = rememberRecent((second: number) => new Date(second * 1000).toUTCString());
