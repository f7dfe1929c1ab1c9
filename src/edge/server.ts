import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, httpDate } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import { type RawRequest, readRawRequest } from '../core/raw-request.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { bucketOfHost } from '../s3/addressing.ts';
import { renderS3Error } from '../s3/error-xml.ts';
import { s3Error } from '../s3/errors.ts';
import type { StsDependencies } from '../sts/handle.ts';
import { isStsRequest } from '../sts/query-request.ts';
import { answerS3Error } from './answer-s3-error.ts';
import { clientAddress } from './client-address.ts';
import { handlePreflight, isPreflight } from './handle-preflight.ts';
import { type ClientConnection, handleS3, type S3Pipeline } from './handle-s3.ts';
import { answerSts } from './handle-sts.ts';
import { keepAliveTimeoutMs, type ListenerLimits, maxConditionHeader } from './limits.ts';
import { RequestTrace } from './request-trace.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Everything one request is answered with; immutable, taken once per request. */
export interface Snapshot {
  readonly s3: S3Pipeline;
  readonly sts: StsDependencies;
}

/** What the S3 listener is made of. */
export interface EdgeParts {
  /** The snapshot in force now. */
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly limits: ListenerLimits;
  readonly trustedProxies: TrustedProxies;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The listener that answers S3 and STS on one port. */
export function createEdgeServer(parts: EdgeParts): Server {
  const { limits } = parts;
  const server = createServer({
    // Node would end every upload after 300 s; idle connections are ended by `timeout` instead.
    requestTimeout: 0,
    headersTimeout: limits.headersTimeoutSeconds * 1000,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: false,
    insecureHTTPParser: false,
  });
  server.timeout = limits.idleTimeoutSeconds * 1000;
  server.maxConnections = limits.maxConnections;
  const edge = new Edge(parts);
  server.on('request', (message, response) => edge.accept(message, response, () => undefined));
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    edge.accept(message, response, () => response.writeContinue());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    edge.refuseUnreadable(error, socket),
  );
  return server;
}

/** Requests that may wait on one connection; SDKs send one at a time. */
const maxPipelined = 64;

class Edge {
  readonly #parts: EdgeParts;
  readonly #open = new WeakMap<Socket, Set<ServerResponse>>();
  #inFlight = 0;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
  }

  accept(message: IncomingMessage, response: ServerResponse, invite: () => void): void {
    const address = clientAddress(message.socket);
    // A client that reset the connection has no address any more. Its request would be decided without a source.
    if (address === undefined) {
      message.socket.destroy();
      return;
    }
    const open = this.#openOn(message.socket);
    if (open.size >= maxPipelined) {
      message.socket.destroy();
      return;
    }
    open.add(response);
    void this.#serve(message, response, invite, address).finally(() => open.delete(response));
  }

  /**
   * The answers that are due on a connection. When it goes, those that wait behind another one learn it here: Node tells
   * only the one whose turn it is.
   */
  #openOn(socket: Socket): Set<ServerResponse> {
    const known = this.#open.get(socket);
    if (known !== undefined) return known;
    const open = new Set<ServerResponse>();
    this.#open.set(socket, open);
    socket.once('close', () => {
      for (const response of open) {
        if (response.socket !== null) continue;
        response.destroy();
        response.emit('close');
      }
    });
    return open;
  }

  async #serve(
    message: IncomingMessage,
    response: ServerResponse,
    invite: () => void,
    address: string,
  ): Promise<void> {
    const { metrics, log } = this.#parts;
    const trace = new RequestTrace(this.#newRequestId(), message.method ?? '', address);
    this.#inFlight += 1;
    metrics.inFlight('s3', 1);
    try {
      await this.#answer(message, response, invite, trace);
    } catch (error) {
      response.destroy();
      log.error('edge', 'answering failed', { request_id: trace.requestId, cause: String(error) });
    } finally {
      this.#inFlight -= 1;
      metrics.inFlight('s3', -1);
      this.#note(trace);
    }
  }

  // Whatever goes wrong with a record, it must not reach the process.
  #note(trace: RequestTrace): void {
    const { metrics, log } = this.#parts;
    try {
      const record = trace.finish();
      metrics.record(record);
      log.request(record);
    } catch (error) {
      log.error('edge', 'recording failed', { request_id: trace.requestId, cause: String(error) });
    }
  }

  async #answer(
    message: IncomingMessage,
    response: ServerResponse,
    invite: () => void,
    trace: RequestTrace,
  ): Promise<void> {
    const receivedAtMs = this.#parts.clock.now();
    // SDKs set their clock by this header, so it must be the one that signatures are held against.
    response.sendDate = false;
    const date = httpDate(receivedAtMs);
    const ownHeaders = ['x-amz-request-id', trace.requestId, 'x-amz-id-2', trace.requestId, 'date', date];
    const connection: ClientConnection = { message, response, invite, ownHeaders };
    const snapshot = this.#parts.snapshot();
    let raw: RawRequest;
    try {
      raw = this.#readHead(message, receivedAtMs, trace);
    } catch (error) {
      await answerS3Error(error, connection, trace);
      return;
    }
    const isOnBucketHost =
      bucketOfHost(raw.headers.get('host') ?? '', snapshot.s3.routing.virtualHosts) !== undefined;
    if (isStsRequest(raw) && !isOnBucketHost) {
      trace.add({ service: 'sts' });
      await answerSts(raw, connection, snapshot.sts, trace);
      return;
    }
    trace.add({ service: 's3' });
    try {
      await (isPreflight(raw) ? handlePreflight : handleS3)(raw, connection, snapshot.s3, trace);
    } catch (error) {
      await answerS3Error(error, connection, trace);
    }
  }

  #readHead(message: IncomingMessage, receivedAtMs: number, trace: RequestTrace): RawRequest {
    const { limits } = this.#parts;
    if (this.#inFlight > limits.maxInFlight) throw s3Error('SlowDown');
    const arrived = readRawRequest(message, {
      clientAddress: trace.sourceIp,
      isSecure: false,
      receivedAtMs,
      requestId: trace.requestId,
    });
    if (arrived === undefined) throw s3Error('InvalidURI');
    if (arrived.headers.count('host') !== 1)
      throw s3Error('InvalidRequest', 'Exactly one Host header is required.');
    const raw = this.#parts.trustedProxies.seenThrough(arrived);
    trace.addHead(raw);
    for (const name of ['user-agent', 'referer']) {
      if ((raw.headers.get(name)?.length ?? 0) > maxConditionHeader) {
        throw s3Error('InvalidRequest', `The ${name} header is too long.`);
      }
    }
    return raw;
  }

  /** Answers what the HTTP parser could not read; the connection is closed. */
  refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    // Behind or inside another answer, a second one would be read as part of it.
    const hasOpenAnswers = (this.#open.get(socket)?.size ?? 0) > 0;
    if (error.code === 'ECONNRESET' || !socket.writable || hasOpenAnswers) {
      socket.destroy();
      return;
    }
    const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const requestId = this.#newRequestId();
    const fault = s3Error(
      isTooLarge
        ? 'RequestHeaderSectionTooLarge'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'RequestTimeout'
          : 'BadRequest',
    );
    const body = renderS3Error(fault, '', requestId);
    socket.end(
      `HTTP/1.1 ${fault.status} Bad Request\r\ndate: ${httpDate(this.#parts.clock.now())}\r\ncontent-type: application/xml\r\nx-amz-request-id: ${requestId}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
    this.#parts.metrics.record({ ...new RequestTrace(requestId, '', '').finish(), status: fault.status });
  }

  #newRequestId(): string {
    return Buffer.from(this.#parts.randomness.bytes(8)).toString('hex').toUpperCase();
  }
}
