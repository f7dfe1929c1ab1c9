import { decodeUtf8 } from '../core/bytes.ts';
import { JsonError, parseJson } from '../core/json.ts';
import { OutboundFault } from './outbound-fault.ts';

/** The fault for an unsuccessful status; `undefined` for 2xx. */
export function refuseStatus(status: number): OutboundFault | undefined {
  if (status >= 200 && status < 300) return undefined;
  const reason = status === 429 || status >= 500 ? 'server_error' : 'rejected';
  return new OutboundFault(reason, `answered with status ${status}`, { status });
}

/**
 * Reads the whole body.
 * @throws OutboundFault `oversized`
 */
export async function readBody(body: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    if (size > maxBytes) throw new OutboundFault('oversized', `answered with more than ${maxBytes} bytes`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/**
 * Parses the body as strict JSON, in which numbers may have any spelling.
 * @throws OutboundFault `unusable`
 */
export function parseBody(bytes: Buffer, maxBytes: number): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new OutboundFault('unusable', 'answered with something else than UTF-8');
  try {
    return parseJson(text, { maxBytes, numbers: 'any' });
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new OutboundFault('unusable', 'answered with something else than strict JSON', { cause });
  }
}
