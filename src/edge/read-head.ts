import type { IncomingMessage } from 'node:http';
import { HeaderList, maxHeaders } from '../core/header-list.ts';
import { type RawRequest, readRawRequest } from '../core/raw-request.ts';
import { bucketOfHost } from '../s3/addressing.ts';
import { isStsRequest } from '../sts/query-request.ts';
import { HeadFault } from './head-fault.ts';
import { maxConditionHeader } from './limits.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** What the listener knows about a request beside the message itself. */
export interface HeadFacts {
  readonly clientAddress: string;
  readonly receivedAtMs: number;
  readonly requestId: string;
  readonly isExpectationUnknown: boolean;
}

/**
 * Reads the head of a request that is to be served, seen through the proxies in front.
 * @throws HeadFault for a head that could be read in two ways, or not at all
 */
export function readHead(
  message: IncomingMessage,
  { clientAddress, receivedAtMs, requestId, isExpectationUnknown }: HeadFacts,
  trustedProxies: TrustedProxies,
): RawRequest {
  if (message.rawHeaders.length > 2 * maxHeaders) throw new HeadFault('too_many_headers');
  const arrived = readRawRequest(message, { clientAddress, isSecure: false, receivedAtMs, requestId });
  if (arrived === undefined) throw new HeadFault('target');
  if (arrived.headers.count('host') !== 1) throw new HeadFault('host');
  requireChunkedOnly(arrived.headers, message.httpVersion);
  if (isExpectationUnknown) throw new HeadFault('expectation');
  const raw = trustedProxies.seenThrough(arrived);
  for (const name of ['user-agent', 'referer']) {
    if ((raw.headers.get(name)?.length ?? 0) > maxConditionHeader) {
      throw new HeadFault('header_too_long', `The ${name} header is too long.`);
    }
  }
  return raw;
}

// Node takes `x, chunked` for chunked. A proxy in front may take it for something else.
function requireChunkedOnly(headers: HeaderList, httpVersion: string): void {
  const codings = headers.getAll('transfer-encoding');
  if (codings.length === 0) return;
  // In HTTP/1.0 it is faulty framing (RFC 9112, section 6.1).
  const isKnown = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked' && httpVersion !== '1.0';
  if (!isKnown) throw new HeadFault('transfer_coding');
}

/** True when a request is for STS: its form says so, and its Host names no bucket. */
export function isForSts(raw: RawRequest, virtualHosts: readonly string[]): boolean {
  return isStsRequest(raw) && bucketOfHost(raw.headers.get('host') ?? '', virtualHosts) === undefined;
}

/** What is left of a request whose head was refused, as far as answering it needs. */
export function refusedHead(message: IncomingMessage, facts: HeadFacts): RawRequest {
  const [path = '', query = ''] = (message.url ?? '').split('?', 2);
  // Of an unreadable query only this is looked for: it decides in which protocol the refusal is written.
  const hasAction = query.split('&', 1000).some((piece) => piece.startsWith('Action='));
  const action = { name: 'Action', value: '', rawName: 'Action', rawValue: '', hasValue: true };
  const { clientAddress, receivedAtMs, requestId } = facts;
  return {
    method: message.method ?? '',
    path,
    query: '',
    parameters: hasAction ? [action] : [],
    headers: HeaderList.fromRaw(message.rawHeaders),
    clientAddress,
    isSecure: false,
    receivedAtMs,
    requestId,
  };
}
