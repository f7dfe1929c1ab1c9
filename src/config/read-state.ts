import { readCertificates } from './read-certificates.ts';
import type { Reading } from './reading.ts';
import { readSecret, type ValueRule } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** A URL of one Redis; its password makes the whole of it a secret. */
const redisUrlRule: ValueRule = {
  isValid: (text) =>
    /^rediss?:\/\/[^/?#\s]+(?:\/\d{0,4})?$/.test(text) && URL.canParse(text) && isUsable(new URL(text)),
  message:
    'must be redis://host:port or rediss://host:port, with user:password@ before it (% written as %25) and /number after it if needed',
};

function isUsable({ hostname, username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return hostname !== '';
  } catch {
    return false;
  }
}

/** Reads `state`, with the URL and the certificates that it names. */
export function readState(reading: Reading): Settings['state'] | undefined {
  const shape = reading.read(['state'], sections.state);
  if (shape === undefined) return undefined;
  const { redis, maxStalenessSeconds } = shape;
  if (redis === undefined) return { maxStalenessSeconds };
  const path = ['state', 'redis'];
  const url = readSecret(reading, [...path, 'url'], redis.url, redisUrlRule);
  const caPem =
    redis.caFile === undefined ? undefined : readCertificates(reading, [...path, 'caFile'], redis.caFile);
  if (url === undefined || (redis.caFile !== undefined && caPem === undefined)) return undefined;
  return { redis: caPem === undefined ? { url } : { url, caPem }, maxStalenessSeconds };
}
