/* Reads the section `state`, with the secrets and certificates that it names. */

import type { z } from 'zod';
import type { Secret } from '../core/secret.ts';
import type { ValueRule } from '../schema/value-source.ts';
import { readCertificates } from './read-certificates.ts';
import { readKeyPair } from './read-key-pair.ts';
import type { Reading } from './reading.ts';
import { readSecret } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

type RedisShape = NonNullable<z.infer<typeof sections.state>['redis']>;
type RedisSettings = NonNullable<Settings['state']['redis']>;

const path = ['state', 'redis'];

/** Reads `state`. */
export function readState(reading: Reading): Settings['state'] | undefined {
  const shape = reading.read(['state'], sections.state);
  if (shape === undefined) return undefined;
  const { redis: redisShape, maxStalenessSeconds } = shape;
  if (redisShape === undefined) return { maxStalenessSeconds };
  const redis = readRedis(reading, redisShape);
  return redis && { redis, maxStalenessSeconds };
}

function readRedis(reading: Reading, shape: RedisShape): RedisSettings | undefined {
  const places = [shape.url, shape.sentinels, shape.cluster].filter((place) => place !== undefined);
  if (places.length !== 1) {
    reading.problem(path, 'must have one of url, sentinels and cluster');
    return undefined;
  }
  checkSentinels(reading, shape);
  const secrets = readSecrets(reading, shape);
  const pems = readPems(reading, shape, usesTls(shape, secrets?.url));
  checkUsers(reading, shape, secrets?.url);
  checkSchemes(reading, shape);
  if (secrets === undefined || pems === undefined) return undefined;
  const { sentinels, masterName, database, cluster, sentinelUsername, username, tls } = shape;
  return {
    ...given({ sentinels, masterName, database, cluster, sentinelUsername, username, tls }),
    ...secrets,
    ...pems,
  };
}

/** A URL of one Redis; its password makes the whole of it a secret. */
const urlRule: ValueRule = {
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

const passwordRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e]{1,512}$/.test(text),
  message: 'must be 1 to 512 printable characters without spaces',
};

interface Secrets {
  readonly url?: Secret;
  readonly password?: Secret;
  readonly sentinelPassword?: Secret;
}

function readSecrets(reading: Reading, shape: RedisShape): Secrets | undefined {
  const secrets: Record<string, Secret> = {};
  let isComplete = true;
  for (const [name, rule] of [
    ['url', urlRule],
    ['password', passwordRule],
    ['sentinelPassword', passwordRule],
  ] as const) {
    const source = shape[name];
    if (source === undefined) continue;
    const secret = readSecret(reading, [...path, name], source, rule);
    if (secret === undefined) isComplete = false;
    else secrets[name] = secret;
  }
  return isComplete ? secrets : undefined;
}

function readPems(
  reading: Reading,
  { caFile, certFile, keyFile }: RedisShape,
  isTls: boolean,
): Pick<RedisSettings, 'caPem' | 'certPem' | 'keyPem'> | undefined {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    reading.problem(path, 'must have certFile and keyFile together');
    return undefined;
  }
  if (certFile !== undefined && !isTls)
    reading.problem([...path, 'certFile'], 'needs TLS: it would not be shown');
  const caPem = caFile === undefined ? undefined : readCertificates(reading, [...path, 'caFile'], caFile);
  const isPaired = certFile !== undefined && keyFile !== undefined;
  const pair = isPaired ? readKeyPair(reading, path, { certFile, keyFile }) : undefined;
  if ((caFile !== undefined && caPem === undefined) || (isPaired && pair === undefined)) return undefined;
  return { ...(caPem === undefined ? {} : { caPem }), ...pair };
}

function usesTls({ cluster, tls }: RedisShape, url: Secret | undefined): boolean {
  const addresses = url === undefined ? (cluster ?? []) : [url.reveal()];
  return tls === true || addresses.some((address) => address.startsWith('rediss:'));
}

/** Settings that mean nothing without Sentinels. */
const ofSentinels = ['masterName', 'database', 'sentinelUsername', 'sentinelPassword', 'tls'] as const;

function checkSentinels(reading: Reading, shape: RedisShape): void {
  if (shape.sentinels === undefined) {
    for (const name of ofSentinels)
      if (shape[name] !== undefined) reading.problem([...path, name], 'needs sentinels');
    return;
  }
  if (shape.masterName === undefined) reading.problem([...path, 'masterName'], 'is required with sentinels');
}

/** A user without a password cannot be authenticated, and the client would take one of two. */
function checkUsers(reading: Reading, shape: RedisShape, url: Secret | undefined): void {
  for (const [user, password] of [
    ['username', 'password'],
    ['sentinelUsername', 'sentinelPassword'],
  ] as const)
    if (shape[user] !== undefined && shape[password] === undefined)
      reading.problem([...path, user], `needs ${password}`);
  if (shape.password === undefined || url === undefined) return;
  const { username, password } = new URL(url.reveal());
  if (username !== '' || password !== '')
    reading.problem([...path, 'password'], 'must not be there when the URL has a user or a password');
}

/** All nodes of a Cluster are reached in the same way, also those that others name. */
function checkSchemes(reading: Reading, { cluster = [] }: RedisShape): void {
  if (new Set(cluster.map((url) => new URL(url).protocol)).size > 1)
    reading.problem([...path, 'cluster'], 'must have one scheme: TLS with all nodes, or with none');
}

type Given<Values> = { readonly [Name in keyof Values]?: Exclude<Values[Name], undefined> };

function given<Values extends Readonly<Record<string, unknown>>>(values: Values): Given<Values>;
function given(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
