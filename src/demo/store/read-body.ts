import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../core/service-error.ts';
import { storeError } from './errors.ts';

/** The largest body the store takes: everything is held in memory. */
export const maxBodyBytes: number = 256 * 1024 * 1024;

/** The client went away before its body was whole, so no answer is sent. */
export class BodyCutShortError extends Error {
  override readonly name = 'BodyCutShortError';
}

/**
 * Refuses by its headers alone a body the store would not take. Throws MissingContentLength for a chunked body
 * without a length, EntityTooLarge.
 */
export function checkBodyLength(message: IncomingMessage): void {
  const { 'content-length': wireLength, 'x-amz-decoded-content-length': decoded } = message.headers;
  const length = wireLength ?? decoded;
  if (message.headers['transfer-encoding'] !== undefined && length === undefined) {
    throw storeError('MissingContentLength');
  }
  if (Number(length ?? '0') > maxBodyBytes) throw storeError('EntityTooLarge');
}

/** Reads a body to its end. Throws {@link BodyCutShortError} when it ends before its declared length, EntityTooLarge. */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    let length = 0;
    for await (const chunk of message) {
      if (!(chunk instanceof Uint8Array)) continue;
      length += chunk.length;
      // Framing adds little; only a body without a length can get here.
      if (length > 2 * maxBodyBytes) throw storeError('EntityTooLarge');
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw new BodyCutShortError('body ended before its declared length', { cause });
  }
  // INVARIANT: `complete` is false when the connection closed before Content-Length bytes had come.
  if (!message.complete) throw new BodyCutShortError('body ended before its declared length');
  return Buffer.concat(chunks);
}
