import { childText } from '../../core/xml.ts';
import { type Answer, xmlAnswer } from './answer.ts';
import { readDocument } from './bucket-operations.ts';
import { verifyIntegrity } from './checksum.ts';
import { bucketOf, type Contents } from './contents.ts';
import { storeError } from './errors.ts';
import type { StoreCall } from './store-call.ts';

const limits = { maxBytes: 2 * 1024 * 1024, maxDepth: 4 };
const maxKeys = 1000;

/**
 * DeleteObjects. AWS demands a Content-MD5 or a checksum. Throws InvalidRequest, InvalidDigest, BadDigest,
 * MalformedXML; NotImplemented for versions and per-key conditions.
 */
export function deleteObjects(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const checksum = verifyIntegrity(call.headers, call.body);
  if (checksum === undefined && !call.headers.has('content-md5')) {
    throw storeError('InvalidRequest', { message: 'missing required header for this request: Content-MD5' });
  }
  const { keys, isQuiet } = readDelete(call.body);
  for (const key of keys) bucket.objects.delete(key);
  return xmlAnswer('DeleteResult', { Deleted: isQuiet ? [] : keys.map((Key) => ({ Key })) });
}

function readDelete(body: Buffer): { readonly keys: readonly string[]; readonly isQuiet: boolean } {
  const document = readDocument(body, 'Delete', limits);
  const keys: string[] = [];
  for (const element of document.children) {
    if (element.name === 'Quiet') continue;
    const key = childText(element, 'Key');
    if (element.name !== 'Object' || key === undefined || key === '') throw storeError('MalformedXML');
    if (element.children.length > 1) throw storeError('NotImplemented');
    keys.push(key);
  }
  const quiet = childText(document, 'Quiet')?.trim() ?? 'false';
  const isBoolean = quiet === 'true' || quiet === 'false';
  if (keys.length === 0 || keys.length > maxKeys || !isBoolean) throw storeError('MalformedXML');
  return { keys, isQuiet: quiet === 'true' };
}
