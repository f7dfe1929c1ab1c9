/*
 * This folder owns the listener of operators, through which they revoke sessions at run time.
 * In: requests with the operators' bearer token. Out: JSON.
 * It never answers anything but 401 to a request without that token, and never handles S3 or STS requests.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BodyFault } from '../core/body-fault.ts';
import { ByteBudget, type Reservation } from '../core/byte-budget.ts';
import { decodeUtf8 } from '../core/bytes.ts';
import { JsonError, parseJson } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import { percentDecode } from '../core/uri-encode.ts';
import { connectionsCheckingIntervalMs, maxOperatorHeaders } from '../edge/limits.ts';
import { createOneAtATimeServer } from '../edge/one-at-a-time.ts';
import { endTinyRecords } from '../edge/record-debt.ts';
import { survive } from '../edge/survive-errors.ts';
import { collect } from '../forward/request-body.ts';
import type { Log } from '../observe/log.ts';
import { StateError } from '../state/shared-state.ts';
import type { ListenerTls } from '../tls/listener-tls.ts';
import { ControlFault, type ControlFaultCode, controlFaults } from './control-fault.ts';
import type { RevocationControl } from './revocation-control.ts';

/** What the control listener is made of. */
export interface ControlParts {
  /** The bearer token that operators send (RFC 6750). */
  readonly token: Secret;
  readonly revocations: RevocationControl;
  readonly log: Log;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls | undefined;
}

interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const maxBodyBytes = 16_384;
/** Of all operators together. */
const maxBufferedBytes: number = 64 * maxBodyBytes;
/** Connections without a valid token: other processes on this machine must not lock the operator out. */
const maxStrangers = 64;
/** How long a TLS handshake may take, and the head of a request, in milliseconds. */
export const controlHeadersTimeoutMs = 2_000;
const limits = {
  headersTimeout: controlHeadersTimeoutMs,
  requestTimeout: 10_000,
  connectionsCheckingInterval: connectionsCheckingIntervalMs,
  maxHeaderSize: 16_384,
};
const idleTimeoutMs = 30_000;

/** The listener of operators: `GET` and `POST /revocations`, `DELETE /revocations/<id>`, in JSON. */
export function createControlServer(parts: ControlParts): Server {
  const strangers = new Set<Socket>();
  const budget = new ByteBudget(maxBufferedBytes);
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    const reservation = budget.reserve('operators');
    response.once('close', () => reservation.release());
    void answer(message, parts, { admit: () => strangers.delete(message.socket), reservation })
      .catch((error: unknown) => refusal(error, parts.log))
      .then((result) => send(response, result))
      .catch(() => response.destroy());
  };
  const server = createOneAtATimeServer(limits, listener, parts.tls);
  endTinyRecords(server);
  server.timeout = idleTimeoutMs;
  server.maxHeadersCount = maxOperatorHeaders;
  const admitStranger = (socket: Socket): void => {
    survive(socket);
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
    const [oldest] = strangers;
    if (strangers.size > maxStrangers) oldest?.destroy();
  };
  server.on('connection', admitStranger);
  server.on('handshake', admitStranger);
  server.on('handshakeEnd', (raw: Socket) => strangers.delete(raw));
  return server;
}

async function answer(
  message: IncomingMessage,
  parts: ControlParts,
  { admit, reservation }: { readonly admit: () => void; readonly reservation: Reservation },
): Promise<ControlAnswer> {
  // First of all, so that paths and methods are not revealed without the token.
  if (!isAuthorized(message, parts.token)) throw new ControlFault('Unauthorized');
  admit();
  const { revocations } = parts;
  const { method, url = '' } = message;
  if (url === '/revocations') {
    if (method === 'GET') return { status: 200, body: revocations.list() };
    if (method !== 'POST') throw new ControlFault('MethodNotAllowed');
    return { status: 201, body: await revocations.add(await readJson(message, reservation)) };
  }
  const id = readId(url);
  if (id === undefined) throw new ControlFault('NotFound');
  if (method !== 'DELETE') throw new ControlFault('MethodNotAllowed');
  return { status: 200, body: await revocations.remove(id) };
}

// Accepts any id: other writers to the shared state choose their own, and operators must be able to delete those.
function readId(url: string): string | undefined {
  const [, id] = /^\/revocations\/([^/?#]+)$/.exec(url) ?? [];
  const decoded = id === undefined ? undefined : percentDecode(id);
  return decoded && decodeUtf8(decoded);
}

function isAuthorized({ headersDistinct }: IncomingMessage, token: Secret): boolean {
  const [value = '', ...others] = headersDistinct['authorization'] ?? [];
  const [, shown = ''] = /^bearer +(\S+)$/i.exec(value) ?? [];
  // Comparing digests leaks neither the content nor the length of the token through timing.
  return others.length === 0 && timingSafeEqual(digest(shown), digest(token.reveal()));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readJson(message: IncomingMessage, reservation: Reservation): Promise<unknown> {
  const [contentType = ''] = (message.headers['content-type'] ?? '').split(';');
  if (contentType.trim().toLowerCase() !== 'application/json') throw new ControlFault('UnsupportedMediaType');
  try {
    const body = await collect(message, maxBodyBytes, reservation);
    return parseJson(body.toString('utf8'), { maxBytes: maxBodyBytes });
  } catch (error) {
    if (error instanceof JsonError) throw new ControlFault('InvalidJson', error.message);
    if (!(error instanceof BodyFault)) throw error;
    throw new ControlFault(error.reason === 'document_too_large' ? 'BodyTooLarge' : 'InvalidJson');
  }
}

function refusal(error: unknown, log: Log): ControlAnswer {
  if (error instanceof ControlFault) return errorAnswer(error.code, error.message);
  if (error instanceof StateError) {
    log.error('control', 'shared state is not available', { cause: error.message });
    return errorAnswer('StateUnavailable');
  }
  log.error('control', 'answering failed', { cause: String(error) });
  return errorAnswer('InternalError');
}

function errorAnswer(code: ControlFaultCode, message?: string): ControlAnswer {
  const [status, text] = controlFaults[code];
  return { status, body: { error: { code, message: message ?? text } } };
}

function send(response: ServerResponse, { status, body }: ControlAnswer): void {
  const text = `${JSON.stringify(body, undefined, 2)}\n`;
  // The rest of an unread body would be parsed as the next request; unauthorized connections end anyway.
  if (!response.req.complete || status === 401) response.setHeader('connection', 'close');
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
