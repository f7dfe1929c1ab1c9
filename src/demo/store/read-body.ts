import type { IncomingMessage } from 'node:http';
import { storeError } from './errors.ts';

/** The largest body the store takes: everything is held in memory. */
export const maxBodyBytes: number = 256 * 1024 * 1024;

/** Thrown when the client went away before its body was whole; there is nobody left to answer. */
export class BodyCutShort extends Error {
  override readonly name = 'BodyCutShort';
}

/**
 * Refuses by its headers alone a body the store would not take. Throws MissingContentLength for a chunked body
 * without a length, EntityTooLarge.
 */
export function checkBodyLength(message: IncomingMessage): void {
  const { 'content-length': length, 'transfer-encoding': coding } = message.headers;
  if (coding !== undefined && length === undefined) throw storeError('MissingContentLength');
  if (Number(length ?? '0') > maxBodyBytes) throw storeError('EntityTooLarge');
}

/** Reads a body to its declared end. Throws {@link BodyCutShort} when it ends earlier. */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of message) if (chunk instanceof Uint8Array) chunks.push(chunk);
  } catch (cause) {
    throw new BodyCutShort('body ended before its declared length', { cause });
  }
  // INVARIANT: `complete` is false when the connection closed before Content-Length bytes had come.
  if (!message.complete) throw new BodyCutShort('body ended before its declared length');
  return Buffer.concat(chunks);
}
