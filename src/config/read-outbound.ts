import { readCertificates } from './read-certificates.ts';
import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `outbound` with the certificates it names. */
export function readOutbound(reading: Reading): Settings['outbound'] | undefined {
  const shape = reading.read(['outbound'], sections.outbound);
  if (shape === undefined) return undefined;
  const { caFile, allowHttp, timeoutSeconds } = shape;
  if (caFile === undefined) return { allowHttp, timeoutSeconds };
  const caPem = readCertificates(reading, ['outbound', 'caFile'], caFile);
  return caPem === undefined ? undefined : { caPem, allowHttp, timeoutSeconds };
}
