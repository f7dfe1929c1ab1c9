/*
 * This folder owns the listeners for S3 and STS, and for health and metrics.
 * In: connections from clients. Out: one response and one `RequestRecord` for each request.
 * It limits what each client can take up, calls the stages in order, and renders S3 errors.
 * It never verifies a signature, evaluates a policy or talks to the store itself.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { maxHeaders } from '../core/header-list.ts';
import { createHttpServer } from '../tls/http-server.ts';
import { ConnectionTable } from './connection-table.ts';
import { Edge, type EdgeParts } from './edge.ts';
import { GatheringMessage } from './gathering-message.ts';
import { connectionsCheckingIntervalMs } from './limits.ts';
import type { Places } from './places.ts';

export type { Snapshot } from './answer-request.ts';

/** The listener for S3 and STS, and its places and connections for metrics. */
export interface EdgeServer {
  readonly server: Server;
  readonly places: Places;
  readonly connections: ConnectionTable;
  /** Closes connections whose unfinished heads and refused uploads take memory. False when these take little. */
  readonly endUnplaced: () => boolean;
  /** Resets all requests in progress that began with an earlier configuration than the one in force. False when there are none. */
  readonly endEarlier: () => boolean;
  /** Resets all requests in progress of so many users and roles that have most of them, if they are many. False when they are not. */
  readonly endBusiest: (callers: number) => boolean;
}

/** One of so many parts of `maxInFlight` is many requests: what fewer hold in memory hardly matters. */
const manyInFlight = 8;

/** Creates the listener; it is not listening yet. */
export function createEdgeServer(parts: EdgeParts): EdgeServer {
  const { limits, reporter, log } = parts;
  const noted = (which: string, requests: number): boolean => {
    if (requests > 0) log.warn('edge', 'requests were reset to make room for a reload', { which, requests });
    return requests > 0;
  };
  const options = {
    IncomingMessage: GatheringMessage,
    // Node's default ends every upload after 300 s. `timeout` ends idle connections instead.
    requestTimeout: 0,
    headersTimeout: limits.headersTimeoutSeconds * 1000,
    connectionsCheckingInterval: connectionsCheckingIntervalMs,
    // By default longer than load balancers keep their side of an idle connection (60 s), so that they close it first.
    keepAliveTimeout: limits.idleTimeoutSeconds * 1000,
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
  const server = createHttpServer(options, parts.tls);
  server.timeout = limits.idleTimeoutSeconds * 1000;
  // One more than allowed, since Node drops further headers silently.
  server.maxHeadersCount = maxHeaders + 1;
  const connections = new ConnectionTable(limits.maxConnections, reporter);
  connections.watch(server, limits.maxHeaderBytes);
  const edge = new Edge(parts, server, connections);
  server.on('request', (message, response) => edge.accept(message, response));
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    edge.accept(message, response, { invite: () => response.writeContinue() });
  });
  server.on('checkExpectation', (message: IncomingMessage, response: ServerResponse) => {
    edge.accept(message, response, { isExpectationUnknown: true });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    edge.refuseUnreadable(error, socket),
  );
  return {
    server,
    places: edge.places,
    connections,
    endUnplaced: () => connections.closeUnplaced(),
    endEarlier: () => noted('of earlier configurations', edge.snapshots.endEarlier(parts.snapshot())),
    endBusiest: (callers) =>
      noted(
        'of the busiest callers',
        edge.snapshots.endBusiest(callers, Math.ceil(limits.maxInFlight / manyInFlight)),
      ),
  };
}
