import { decodeUtf8 } from '../core/bytes.ts';
import { JsonError, parseJson } from '../core/json.ts';
import { nextTurn } from '../core/turns.ts';
import { OutboundFault } from './outbound-fault.ts';

/** The fault for an unsuccessful status; `undefined` for 2xx. */
export function refuseStatus(status: number): OutboundFault | undefined {
  if (status >= 200 && status < 300) return undefined;
  const reason = status === 429 || status >= 500 ? 'server_error' : 'rejected';
  return new OutboundFault(reason, `answered with status ${status}`, { status });
}

/** Longer bodies are parsed one in each turn of the event loop, also when many arrive together. */
const longBodyBytes = 8_192;

/**
 * Reads the whole body as strict JSON, in which numbers may have any spelling.
 * @param owner takes turns with others, for a long body
 * @throws OutboundFault `oversized` or `unusable`
 */
export async function readValue(
  body: AsyncIterable<unknown>,
  maxBytes: number,
  owner: string,
): Promise<unknown> {
  const bytes = await readBody(body, maxBytes);
  if (bytes.length > longBodyBytes) await nextTurn(owner);
  return parseBody(bytes, maxBytes);
}

async function readBody(body: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
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

function parseBody(bytes: Buffer, maxBytes: number): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new OutboundFault('unusable', 'answered with something else than UTF-8');
  try {
    return parseJson(text, { maxBytes, numbers: 'any' });
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new OutboundFault('unusable', 'answered with something else than strict JSON', { cause });
  }
}
