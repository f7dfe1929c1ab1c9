import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { Reading } from './reading.ts';
import { storeEndpoint, wholeNumber } from './scalars.ts';
import type { OutboundSettings } from './settings.ts';

const maxCaFileBytes = 1024 * 1024;

const httpOrigin = storeEndpoint.refine((origin) => origin.startsWith('http:'), {
  error: 'must be an http URL of scheme, host and port: https needs no permission',
});

const outbound = z
  .strictObject({
    caFile: z.string().min(1, { error: 'must be the path of a file' }).optional(),
    allowHttp: z.array(httpOrigin).default([]),
    timeoutSeconds: wholeNumber(1, 60).default(5),
  })
  .prefault({});

/** Reads `outbound` with the certificates it names. */
export function readOutbound(reading: Reading): OutboundSettings | undefined {
  const shape = reading.read(['outbound'], outbound);
  if (shape === undefined) return undefined;
  const { caFile, allowHttp, timeoutSeconds } = shape;
  if (caFile === undefined) return { allowHttp, timeoutSeconds };
  const caPem = readCertificates(reading, caFile);
  return caPem === undefined ? undefined : { caPem, allowHttp, timeoutSeconds };
}

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function readCertificates(reading: Reading, path: string): string | undefined {
  const at = ['outbound', 'caFile'];
  const file = reading.context.sources.readText(path, maxCaFileBytes);
  if (!file.ok) {
    reading.problem(at, `the file ${JSON.stringify(path)} ${file.reason}`);
    return undefined;
  }
  // Node takes a file without certificates, or with broken ones, for no authority at all and says nothing.
  const found = file.text.match(certificate) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return found.join('\n');
  reading.problem(at, `the file ${JSON.stringify(path)} must hold certificates in PEM form`);
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
