/* Reads the sections of the file that refer to secrets or certificates, or that have checks and warnings of their own. */

import { isLoopbackHost } from '../core/loopback.ts';
import type { ValueRule } from '../schema/value-source.ts';
import { checkTokenKeys } from './cross-checks.ts';
import { memoryFaults } from './memory-estimate.ts';
import { openFilesFault } from './open-files.ts';
import { readCertificates } from './read-certificates.ts';
import { readKeyPair, readListenerTls } from './read-key-pair.ts';
import type { Reading } from './reading.ts';
import {
  readSecret,
  readValue,
  secretAccessKeyRule,
  storeAccessKeyIdRule,
  tokenKeyRule,
} from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';
import { contradictions, withProfile } from './store-profiles.ts';

/** Reads `server`. */
export function readServer(reading: Reading): Settings['server'] | undefined {
  const shape = reading.read(['server'], sections.server);
  if (shape === undefined) return undefined;
  return withTls(reading, 'server', shape);
}

/** Reads `admin`. */
export function readAdmin(reading: Reading): Settings['admin'] | undefined {
  const shape = reading.read(['admin'], sections.admin);
  return shape && withTls(reading, 'admin', shape);
}

type TlsFiles = Parameters<typeof readListenerTls>[2];
type WithTls<Shape> = Omit<Shape, 'tls'> & { readonly tls?: NonNullable<Settings['server']['tls']> };

function withTls<Shape extends { readonly tls?: TlsFiles | undefined }>(
  reading: Reading,
  name: string,
  { tls: files, ...others }: Shape,
): WithTls<Shape> | undefined {
  if (files === undefined) return others;
  const tls = readListenerTls(reading, [name, 'tls'], files);
  return tls && { ...others, tls };
}

/** Warns of limits that can never take effect, and of limits that need more memory or open files than there are. */
export function warnOfLimits(
  reading: Reading,
  server: Settings['server'] | undefined,
  audit: Settings['audit'] | undefined,
): void {
  if (server === undefined || audit === undefined) return;
  const { limits, tls } = server;
  const path = ['server', 'limits'];
  const { maxConnections, maxUnauthenticated } = limits;
  if (maxUnauthenticated >= maxConnections) {
    const message = `is ${maxUnauthenticated}, and maxConnections ${maxConnections}: unauthenticated clients can take them all`;
    reading.warn([...path, 'maxUnauthenticated'], message);
  }
  const { memory, maxOpenFiles } = reading.context.sources;
  const needs = { isSecure: tls !== undefined, auditBytes: queuedAuditBytes(audit) };
  const faults = memory === undefined ? [] : memoryFaults(limits, memory, needs);
  const openFiles = maxOpenFiles === undefined ? undefined : openFilesFault(limits, maxOpenFiles);
  for (const fault of openFiles === undefined ? faults : [...faults, openFiles]) reading.warn(path, fault);
}

function queuedAuditBytes({ stdout, file, webhook, otlp, maxQueuedBytes }: Settings['audit']): number {
  const sinks = [stdout, file !== undefined, webhook !== undefined, otlp !== undefined].filter(Boolean);
  return sinks.length * maxQueuedBytes;
}

const controlTokenRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e]{16,512}$/.test(text),
  message: 'must be 16 to 512 printable characters without spaces',
};

/** Reads `control` with its token; without one the listener is off. */
export function readControl(reading: Reading): Settings['control'] | undefined {
  const shape = reading.read(['control'], sections.control);
  if (shape === undefined) return undefined;
  const { token: source, ...others } = shape;
  if (others.tls === undefined && !isLoopbackHost(others.listen.host)) {
    const message = 'must be a loopback address, or have tls: its traffic is not encrypted';
    reading.problem(['control', 'listen'], message);
  }
  const settings = withTls(reading, 'control', others);
  if (source === undefined) {
    if (reading.valueAt(['control']) !== undefined)
      reading.warn(['control'], 'without a token this listener is off');
    return settings;
  }
  const token = readSecret(reading, ['control', 'token'], source, controlTokenRule);
  return settings && token && { ...settings, token };
}

/** Reads `backend` with its credentials. */
export function readBackend(reading: Reading): Settings['backend'] | undefined {
  const shape = reading.read(['backend'], sections.backend);
  if (shape === undefined) return undefined;
  for (const { setting, index, message } of contradictions(shape))
    reading.warn(['backend', setting, ...(index === undefined ? [] : [index])], message);
  const path = ['backend', 'credentials'];
  const { credentials } = shape;
  const accessKeyId = readValue(
    reading,
    [...path, 'accessKeyId'],
    credentials.accessKeyId,
    storeAccessKeyIdRule,
  );
  const secretAccessKey = readSecret(
    reading,
    [...path, 'secretAccessKey'],
    credentials.secretAccessKey,
    secretAccessKeyRule,
  );
  const { tls: files, ...others } = shape;
  const tls = files === undefined ? {} : readBackendTls(reading, shape.endpoint, files);
  if (accessKeyId === undefined || secretAccessKey === undefined || tls === undefined) return undefined;
  return {
    ...others,
    ...withProfile(shape),
    credentials: { accessKeyId, secretAccessKey },
    ...(files === undefined ? {} : { tls }),
  };
}

/** What `backend.tls` names. */
interface BackendTlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

function readBackendTls(
  reading: Reading,
  endpoint: string,
  { caFile, certFile, keyFile }: BackendTlsFiles,
): Settings['backend']['tls'] {
  const path = ['backend', 'tls'];
  if (!endpoint.startsWith('https:')) reading.problem(path, 'needs an https endpoint');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    reading.problem(path, 'must have certFile and keyFile together');
    return undefined;
  }
  const caPem = caFile === undefined ? undefined : readCertificates(reading, [...path, 'caFile'], caFile);
  const isPaired = certFile !== undefined && keyFile !== undefined;
  const pair = isPaired ? readKeyPair(reading, path, { certFile, keyFile }) : undefined;
  if ((caFile !== undefined && caPem === undefined) || (isPaired && pair === undefined)) return undefined;
  return { ...(caPem === undefined ? {} : { caPem }), ...pair };
}

/** Reads `account`. */
export function readAccount(reading: Reading): Settings['account'] | undefined {
  const account = reading.read(['account'], sections.account);
  const position = account?.disabledRegions.indexOf(account.region) ?? -1;
  if (position !== -1) {
    const message = 'must not be account.region: requests that name no region count as made there';
    reading.problem(['account', 'disabledRegions', position], message);
  }
  return account;
}

/** Reads `tokens` with the key ring's secrets. */
export function readTokens(reading: Reading): Settings['tokens'] | undefined {
  const shape = reading.read(['tokens'], sections.tokens);
  if (shape === undefined) return undefined;
  checkTokenKeys(reading, shape);
  const keys = shape.keys.flatMap(({ id, secret: source }, index) => {
    const secret = readSecret(reading, ['tokens', 'keys', index, 'secret'], source, tokenKeyRule);
    return secret === undefined ? [] : [{ id, secret }];
  });
  return keys.length === shape.keys.length ? { sealWith: shape.sealWith, keys } : undefined;
}

/** Reads `authorization`; warns when refusals are only recorded. */
export function readAuthorization(reading: Reading): Settings['authorization'] | undefined {
  const settings = reading.read(['authorization'], sections.authorization);
  if (settings?.enforcement === 'audit') reading.warn(['authorization', 'enforcement'], auditWarning);
  return settings;
}

/** The warning for every `audit` setting. */
export const auditWarning = 'audit: requests that no identity policy allows are performed and only recorded';

/** Reads `outbound` with the certificates it names. */
export function readOutbound(reading: Reading): Settings['outbound'] | undefined {
  const shape = reading.read(['outbound'], sections.outbound);
  if (shape === undefined) return undefined;
  const { caFile, allowHttp, timeoutSeconds } = shape;
  if (caFile === undefined) return { allowHttp, timeoutSeconds };
  const caPem = readCertificates(reading, ['outbound', 'caFile'], caFile);
  return caPem === undefined ? undefined : { caPem, allowHttp, timeoutSeconds };
}
