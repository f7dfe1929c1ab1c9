/*
 * This folder holds what every other folder needs: raw requests, headers, ARNs, XML, JSON, the clock, secrets, byte budget.
 * It imports no other folder of the project.
 * It never opens a connection, and never decides who a caller is or what they may do.
 *
 * This file is where a request enters. In: the head that `node:http` read. Out: a `RawRequest`, which is never changed.
 */

import type { IncomingMessage } from 'node:http';
import { HeaderList } from './header-list.ts';
import { parseQuery, type QueryParameter, splitTarget } from './request-target.ts';

/** One request as it arrived, before anything is believed. Built once, at the edge; never changed. */
export interface RawRequest {
  readonly method: string;
  /** The raw path up to the first `?`, latin1 characters, not decoded. */
  readonly path: string;
  /** The raw query after the first `?`. */
  readonly query: string;
  /** The query split and decoded once; order and repeats kept. */
  readonly parameters: readonly QueryParameter[];
  readonly headers: HeaderList;
  /** The client's address, `::ffff:` forms as IPv4. */
  readonly clientAddress: string;
  /** True when the client-facing hop is TLS. */
  readonly isSecure: boolean;
  /** Milliseconds since the Unix epoch, read once per request. */
  readonly receivedAtMs: number;
  readonly requestId: string;
  /** Headers that join requests to the store to the trace before it is asked what the client wants, flat; absent without a trace. */
  readonly traceHeaders?: readonly string[];
}

/** What the listener knows about a request beside the message itself. */
export interface ArrivalFacts {
  readonly clientAddress: string;
  readonly isSecure: boolean;
  readonly receivedAtMs: number;
  readonly requestId: string;
}

/**
 * Reads the head of an incoming message without changing a byte. `undefined` when the target is not in
 * origin-form or its query does not decode.
 */
export function readRawRequest(
  message: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
  facts: ArrivalFacts,
): RawRequest | undefined {
  const target = splitTarget(message.url ?? '');
  const parameters = target === undefined ? undefined : parseQuery(target.query);
  if (target === undefined || parameters === undefined) return undefined;
  return {
    method: message.method ?? '',
    path: target.path,
    query: target.query,
    parameters,
    headers: HeaderList.fromRaw(message.rawHeaders),
    clientAddress: facts.clientAddress,
    isSecure: facts.isSecure,
    receivedAtMs: facts.receivedAtMs,
    requestId: facts.requestId,
  };
}
