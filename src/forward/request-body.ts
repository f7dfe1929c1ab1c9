import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import type { HeaderList } from '../core/header-list.ts';
import { emptySha256, type PayloadMode } from '../sigv4/payload-mode.ts';

/**
 * The length the client declares. Throws {@link BodyFault}: without a `Content-Length` an early end could not be
 * told from the end.
 */
export function declaredLength(headers: HeaderList): number {
  const values = headers.getAll('content-length');
  if (values.length === 0 || headers.has('transfer-encoding')) throw new BodyFault('length_missing');
  return parseLength(values);
}

/** Reads the values of a length header; one number of at most 15 digits. Throws {@link BodyFault}. */
export function parseLength(values: readonly string[]): number {
  const [value = ''] = values;
  if (values.length !== 1 || !/^\d{1,15}$/.test(value)) throw new BodyFault('length_invalid');
  return Number(value);
}

/** Refuses a body where the operation takes none, and a digest that is not that of the empty body. */
export function requireNoBody(headers: HeaderList, payload: PayloadMode): void {
  const length = headers.has('content-length') ? declaredLength(headers) : 0;
  if (length > 0 || headers.has('transfer-encoding')) throw new BodyFault('unexpected');
  if (payload.kind === 'digest' && payload.sha256 !== emptySha256) throw new BodyFault('digest_mismatch');
}

/**
 * Reads a small document whole and checks it against its digest and `Content-MD5`.
 * Throws {@link BodyFault}; `incomplete` when the client ends early.
 */
export async function readDocumentBody(
  message: IncomingMessage,
  headers: HeaderList,
  payload: PayloadMode,
  maxBytes: number,
): Promise<Buffer> {
  if (headers.has('content-length') && declaredLength(headers) > maxBytes) {
    throw new BodyFault('document_too_large');
  }
  const body = await collect(message, maxBytes);
  const digest = createHash('sha256').update(body).digest();
  if (payload.kind === 'digest' && !equalBytes(digest, Buffer.from(payload.sha256, 'hex'))) {
    throw new BodyFault('digest_mismatch');
  }
  const contentMd5 = headers.get('content-md5');
  if (contentMd5 !== undefined && contentMd5 !== createHash('md5').update(body).digest('base64')) {
    throw new BodyFault('md5_mismatch');
  }
  return body;
}

/** Longest time that a small body may take. */
const maxCollectMs = 30_000;

/** Reads a whole body of at most `maxBytes`. Throws {@link BodyFault}. */
export async function collect(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Small as it is, it could be sent a byte at a time for as long as anybody likes.
  const deadline = setTimeout(() => message.destroy(), maxCollectMs);
  try {
    // The message must stay open where reading ends early: the client is still to be answered.
    for await (const chunk of message.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('the request body must arrive as bytes');
      length += chunk.length;
      if (length > maxBytes) throw new BodyFault('document_too_large');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof BodyFault ? error : new BodyFault('incomplete');
  } finally {
    clearTimeout(deadline);
  }
  if (!message.complete) throw new BodyFault('incomplete');
  return Buffer.concat(chunks, length);
}
