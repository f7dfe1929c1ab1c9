import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { systemClock } from '../core/clock.ts';
import { Secret } from '../core/secret.ts';
import type { Path } from './path.ts';
import { certificatesIn, readCertificates } from './read-certificates.ts';
import type { Reading } from './reading.ts';
import { readServerNames } from './server-names.ts';
import type { Settings } from './settings.ts';

const maxFileBytes = 256 * 1024;

/** A certificate with the chain behind it, and its key. */
export interface KeyPair {
  /** PEM: the certificate, then those of the authorities between. */
  readonly certPem: string;
  /** PEM. */
  readonly keyPem: Secret;
}

/** A `tls` section of the file. */
interface TlsShape extends PairFiles {
  readonly certificates: readonly NamedFiles[];
  readonly clientCaFile?: string | undefined;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface NamedFiles extends PairFiles {
  /** Empty: those of the certificate. */
  readonly names: readonly string[];
}

/** A certificate for clients that ask for one of some names. */
export interface NamedKeyPair extends KeyPair {
  /** In lower case; `*.` stands for one label. */
  readonly names: readonly string[];
}

/** Reads the `tls` of a listener. Reports why it cannot and returns `undefined`. */
export function readListenerTls(
  reading: Reading,
  path: Path,
  { clientCaFile, maxVersion, certificates: named, ...files }: TlsShape,
): Settings['server']['tls'] {
  const pair = readKeyPair(reading, path, files);
  const certificates = readNamedPairs(reading, [...path, 'certificates'], named);
  const caPath = [...path, 'clientCaFile'];
  const clientCaPem =
    clientCaFile === undefined ? undefined : readCertificates(reading, caPath, clientCaFile);
  if (pair === undefined || certificates === undefined) return undefined;
  if (clientCaFile !== undefined && clientCaPem === undefined) return undefined;
  return {
    ...pair,
    certificates,
    ...(clientCaPem === undefined ? {} : { clientCaPem }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

function readNamedPairs(
  reading: Reading,
  path: Path,
  named: readonly NamedFiles[],
): readonly NamedKeyPair[] | undefined {
  const pairs: NamedKeyPair[] = [];
  const taken = new Map<string, number>();
  for (const [index, files] of named.entries()) {
    const own = [...path, index];
    const pair = readKeyPair(reading, own, files);
    const names = pair && readServerNames(reading, own, pair.certPem, files.names);
    if (pair === undefined || names === undefined) continue;
    for (const name of names) {
      const first = taken.get(name);
      if (first === undefined) taken.set(name, index);
      else reading.warn(own, `certificates[${first}] is shown to clients that ask for ${name}, not this one`);
    }
    pairs.push({ ...pair, names });
  }
  return pairs.length === named.length ? pairs : undefined;
}

/**
 * Reads a certificate with its chain and the key that belongs to it. Warns of one that is not valid now. Reports why it cannot and
 * returns `undefined`.
 */
export function readKeyPair(
  reading: Reading,
  path: Path,
  { certFile, keyFile }: PairFiles,
): KeyPair | undefined {
  const chain = readPem(reading, [...path, 'certFile'], certFile, parseChain);
  const key = readPem(reading, [...path, 'keyFile'], keyFile, createPrivateKey);
  if (chain === undefined || key === undefined) return undefined;
  const fault = pairFault(chain.text, chain.parsed, key.parsed);
  if (fault !== undefined) {
    reading.problem([...path, fault.setting], fault.message);
    return undefined;
  }
  warnOfTimes(reading, [...path, 'certFile'], chain.parsed);
  return { certPem: chain.text, keyPem: new Secret(key.text) };
}

interface Pem<T> {
  readonly text: string;
  readonly parsed: T;
}

function readPem<T>(
  reading: Reading,
  path: Path,
  name: string,
  parse: (pem: string) => T,
): Pem<T> | undefined {
  const file = reading.context.sources.readText(name, maxFileBytes);
  if (!file.ok) {
    reading.problem(path, `the file ${JSON.stringify(name)} ${file.reason}`);
    return undefined;
  }
  try {
    return { text: file.text, parsed: parse(file.text) };
  } catch {
    // The error of OpenSSL could quote the file.
    reading.problem(path, `the file ${JSON.stringify(name)} cannot be read as PEM without a passphrase`);
    return undefined;
  }
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

/** @throws Error for a text without certificates, or with one that is broken */
function parseChain(pem: string): Chain {
  const [first, ...others] = certificatesIn(pem).map((one) => new X509Certificate(one));
  if (first === undefined) throw new Error('no certificate');
  return [first, ...others];
}

interface PairFault {
  readonly setting: 'certFile' | 'keyFile';
  readonly message: string;
}

function pairFault(certPem: string, [leaf]: Chain, key: KeyObject): PairFault | undefined {
  if (!leaf.checkPrivateKey(key))
    return { setting: 'keyFile', message: 'is not the key of the first certificate in certFile' };
  try {
    createSecureContext({ cert: certPem, key: key.export({ type: 'pkcs8', format: 'pem' }) });
    return undefined;
  } catch {
    return { setting: 'certFile', message: 'cannot be used for TLS: its key or signature is too weak' };
  }
}

function warnOfTimes(reading: Reading, path: Path, chain: Chain): void {
  const now = systemClock.now();
  for (const { validFrom, validTo } of chain) {
    if (Date.parse(validTo) <= now) reading.warn(path, `has a certificate that expired on ${validTo}`);
    else if (Date.parse(validFrom) > now)
      reading.warn(path, `has a certificate that is valid from ${validFrom}`);
  }
}
