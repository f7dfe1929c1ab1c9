import type { ForStore } from '../authenticate/for-store.ts';
import type { ConditionKey } from '../s3/operation.ts';
import type { Identified } from './asker.ts';

/**
 * The context keys of a request's signature; `s3:signatureAge`, in milliseconds, is that of presigned URLs only. An anonymous request
 * has only what it says about its payload. Source: AWS "Amazon S3 Signature Version 4 authentication specific policy keys".
 */
export function signatureKeys(identified: Identified | ForStore): ConditionKey[] {
  if (identified.form === 'none') {
    const { payloadHash } = identified;
    return payloadHash === undefined ? [] : [['s3:x-amz-content-sha256', [payloadHash]]];
  }
  const { form, raw, signedAtMs, payloadHash } = identified;
  const keys: ConditionKey[] = [
    ['s3:signatureversion', ['AWS4-HMAC-SHA256']],
    ['s3:x-amz-content-sha256', [payloadHash]],
  ];
  if (form === 'form') return [...keys, ['s3:authType', ['POST']]];
  if (form === 'header') return [...keys, ['s3:authType', ['REST-HEADER']]];
  const ageMs = Math.max(0, raw.receivedAtMs - signedAtMs);
  return [...keys, ['s3:authType', ['REST-QUERY-STRING']], ['s3:signatureAge', [String(ageMs)]]];
}
