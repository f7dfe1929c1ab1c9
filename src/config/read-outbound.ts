import { z } from 'zod';
import { readCertificates } from './read-certificates.ts';
import type { Reading } from './reading.ts';
import { fileName, storeEndpoint, wholeNumber } from './scalars.ts';
import type { OutboundSettings } from './settings.ts';

const httpOrigin = storeEndpoint.refine((origin) => origin.startsWith('http:'), {
  error: 'must be an http URL of scheme, host and port: https needs no permission',
});

const outbound = z
  .strictObject({
    caFile: fileName.optional(),
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
  const caPem = readCertificates(reading, ['outbound', 'caFile'], caFile);
  return caPem === undefined ? undefined : { caPem, allowHttp, timeoutSeconds };
}
