import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { requireClient } from '../core/client-gone.ts';
import { isBodyUnread } from '../core/lingering.ts';
import { nextTurn, strangersAdmin, takeShare } from '../core/turns.ts';
import type { ListenerTls } from '../tls/listener-tls.ts';
import { clientAddress, networkOf } from './client-address.ts';
import type { ConnectionTable } from './connection-table.ts';
import { connectionsCheckingIntervalMs, maxOperatorHeaders } from './limits.ts';
import { createOneAtATimeServer } from './one-at-a-time.ts';
import { isReady, isVerbose, type PartState, renderParts } from './readyz.ts';

/** The exposition text of all metrics. */
export interface RenderedMetrics {
  readonly body: string;
  readonly contentType: string;
}

/** What the admin listener reads its answers from. */
export interface AdminSources {
  /** Every part that readiness is made of, as it is now. Asks nothing of anyone. */
  readonly parts: () => readonly PartState[];
  readonly renderMetrics: () => Promise<RenderedMetrics>;
  readonly connections: ConnectionTable;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls | undefined;
}

/** Most connections to the admin listener. Scrapers and probes need a handful. */
export const maxAdminConnections = 128;

/** How long a TLS handshake may take, and the head of a request, in milliseconds. */
export const adminHeadersTimeoutMs = 5_000;

const limits = {
  headersTimeout: adminHeadersTimeoutMs,
  requestTimeout: 10_000,
  connectionsCheckingInterval: connectionsCheckingIntervalMs,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
};
/** A connection is closed after this long without traffic. */
const idleTimeoutMs = 30_000;
/** Rendering blocks the event loop, so scrapes beyond this rate share one rendering. */
const maxRendersPerSecond = 10;

/** The part of a turn of the event loop that one request takes. */
const shareOfRequest: number = 1 / 16;

/** The admin listener: `/livez`, `/readyz`, `/metrics`. It never answers S3 or STS. */
export function createAdminServer(sources: AdminSources): Server {
  const { connections } = sources;
  const renderMetrics = sharedRendering(sources.renderMetrics);
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    const { socket } = message;
    connections.begin(message);
    response.once('close', () => connections.end(socket, false));
    void answer(message, response, { ...sources, renderMetrics }).catch(() => response.destroy());
  };
  const server = createOneAtATimeServer(limits, listener, sources.tls);
  server.timeout = idleTimeoutMs;
  server.maxHeadersCount = maxOperatorHeaders;
  connections.watch(server, limits.maxHeaderSize);
  return server;
}

function sharedRendering(render: () => Promise<RenderedMetrics>): () => Promise<RenderedMetrics> {
  let last: Promise<RenderedMetrics> | undefined;
  let renders = 0;
  const renew = (): void => {
    last = undefined;
    renders = 0;
  };
  return () => {
    if (last !== undefined && renders >= maxRendersPerSecond) return last;
    if (renders === 0) setTimeout(renew, 1_000).unref();
    renders += 1;
    last = render();
    return last;
  };
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  sources: AdminSources,
): Promise<void> {
  if (!takeShare(strangersAdmin, shareOfRequest)) {
    await nextTurn(strangersAdmin, networkOf(clientAddress(message.socket) ?? ''), shareOfRequest);
    requireClient(response);
  }
  if (message.method !== 'GET' && message.method !== 'HEAD') {
    send(response, 405, 'method not allowed\n');
    return;
  }
  switch ((message.url ?? '').replace(/\?.*$/s, '')) {
    case '/livez':
      send(response, 200, 'ok\n');
      return;
    case '/readyz': {
      const parts = sources.parts();
      const [status, short] = isReady(parts) ? ([200, 'ok\n'] as const) : ([503, 'not ready\n'] as const);
      send(response, status, isVerbose(message.url ?? '') ? renderParts(parts) : short);
      return;
    }
    case '/metrics': {
      const { body, contentType } = await sources.renderMetrics();
      send(response, 200, body, contentType);
      return;
    }
    default:
      send(response, 404, 'not found\n');
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  // Node would read on in a body for as long as a request may take.
  if (isBodyUnread(response.req)) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
