import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Audit } from '../audit/audit.ts';
import { BodyFault } from '../core/body-fault.ts';
import type { ByteBudget } from '../core/byte-budget.ts';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ListenerTls } from '../tls/listener-tls.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { type AnswerParts, answerRequest, type Snapshot } from './answer-request.ts';
import { answerUnreadable } from './answer-unreadable.ts';
import { clientAddress, networkOf } from './client-address.ts';
import type { ConnectionTable } from './connection-table.ts';
import { type Exchange, ExchangeQueue } from './exchange-queue.ts';
import { Gate } from './gate.ts';
import { HeldSnapshots } from './held-snapshots.ts';
import type { LimitReporter } from './limit-reporter.ts';
import { type ListenerLimits, preflightsAtOnce } from './limits.ts';
import type { Place } from './place.ts';
import { Places } from './places.ts';
import { RequestIds } from './request-ids.ts';
import { RequestTrace } from './request-trace.ts';
import { RequestTurns } from './request-turns.ts';
import { stopReading } from './stop-reading.ts';
import type { WaitingTotal } from './waiting-bytes.ts';

/** What the S3 listener is built from. */
export interface EdgeParts {
  /** The snapshot in force now. */
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly limits: ListenerLimits;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  /** `undefined` while audit is off. */
  readonly audit: Audit | undefined;
  /** `undefined` while no spans are exported. */
  readonly tracing: () => Tracing | undefined;
  readonly reporter: LimitReporter;
  /** Budget for everything that is held whole in memory. */
  readonly budget: ByteBudget;
}

/** Takes the requests of the listener's connections, and serves those of each one after the other. */
export class Edge {
  readonly places: Places;
  readonly snapshots: HeldSnapshots<Snapshot> = new HeldSnapshots();
  readonly #parts: EdgeParts;
  readonly #server: Server;
  readonly #connections: ConnectionTable;
  #answering: AnswerParts;
  readonly #queues = new WeakMap<Socket, ExchangeQueue>();
  readonly #waiting: WaitingTotal = { bytes: 0 };
  readonly #requestIds: RequestIds;

  constructor(parts: EdgeParts, server: Server, connections: ConnectionTable) {
    this.#parts = parts;
    this.#server = server;
    this.#requestIds = new RequestIds(parts.randomness);
    this.#answering = {
      ...parts,
      snapshot: parts.snapshot(),
      preflights: new Gate(preflightsAtOnce(parts.limits)),
    };
    this.places = new Places(parts.limits, parts.budget, parts.reporter);
    this.#connections = connections;
  }

  accept(
    message: IncomingMessage,
    response: ServerResponse,
    { invite = () => undefined, isExpectationUnknown = false }: Partial<Exchange> = {},
  ): void {
    const { socket } = message;
    const isServed = this.#queueOf(socket).push({
      message,
      response,
      invite,
      isExpectationUnknown,
      arrivedAt: performance.now(),
    });
    if (isServed) this.#connections.begin(message);
    else this.#connections.drop(socket);
  }

  #queueOf(socket: Socket): ExchangeQueue {
    const known = this.#queues.get(socket);
    if (known !== undefined) return known;
    const turns = new RequestTurns(networkOf(clientAddress(socket) ?? ''));
    const queue = new ExchangeQueue(
      socket,
      (exchange) => this.#serve(exchange, turns),
      {
        onIdle: () => this.#connections.end(socket, turns.wasKnown),
        onOverflow: () => this.#parts.reporter.acted('pipelined'),
        onGivenWay: () => this.#parts.reporter.acted('unauthenticated'),
      },
      { turns, total: this.#waiting },
    );
    this.#queues.set(socket, queue);
    return queue;
  }

  /** Never rejects. */
  async #serve(exchange: Exchange, turns: RequestTurns): Promise<void> {
    const { message, response } = exchange;
    const { metrics, log } = this.#parts;
    const address = clientAddress(message.socket);
    // After a reset the socket has no address, and the request would be decided without `aws:SourceIp`.
    if (address === undefined || message.socket.destroyed) {
      message.socket.destroy();
      return;
    }
    // While draining: a client that sends request after request would be cut off at the deadline, in the middle of one.
    if (!this.#server.listening) response.shouldKeepAlive = false;
    const trace = new RequestTrace(
      this.#requestIds.next(),
      message.method ?? '',
      address,
      exchange.arrivedAt,
    );
    this.#follow(trace);
    turns.know(undefined);
    const place = this.places.enter(turns);
    metrics.inFlight(1);
    const snapshot = this.#parts.snapshot();
    const holding = { socket: message.socket, place };
    this.snapshots.hold(snapshot, holding);
    try {
      const beganAt = performance.now();
      const answering = answerRequest(exchange, place, trace, this.#answeringWith(snapshot));
      turns.noteWork(performance.now() - beganAt);
      await answering;
    } catch (error) {
      response.destroy();
      log.error('edge', 'answering failed', { request_id: trace.requestId, cause: String(error) });
    } finally {
      this.snapshots.letGo(snapshot, holding);
      const { keptUntil } = place;
      if (keptUntil === undefined) this.#leave(place);
      this.#note(trace);
      if (keptUntil !== undefined) void keptUntil.then(() => this.#leave(place));
    }
  }

  #answeringWith(snapshot: Snapshot): AnswerParts {
    if (this.#answering.snapshot !== snapshot) this.#answering = { ...this.#answering, snapshot };
    return this.#answering;
  }

  #leave(place: Place): void {
    place.leave();
    this.#parts.metrics.inFlight(-1);
  }

  #follow(trace: RequestTrace): void {
    trace.audit = this.#parts.audit?.begin();
    trace.tracing = this.#parts.tracing();
  }

  // An error in a record must not end the process.
  #note(trace: RequestTrace): void {
    const { metrics, log } = this.#parts;
    try {
      const record = trace.finish();
      metrics.record(record);
      log.request(record);
      trace.audit?.write(record);
      trace.endSpan(record);
    } catch (error) {
      log.error('edge', 'recording failed', { request_id: trace.requestId, cause: String(error) });
    } finally {
      // It holds the caller, and with it a configuration. A completion that goes on without its client still holds the trace.
      trace.audit = undefined;
    }
  }

  /** Answers a request that the HTTP parser could not read, and closes the connection. */
  refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const queue = this.#queues.get(socket);
    if (queue?.isBusy === true) {
      const unread = queue.cut();
      if (unread !== undefined) stopReading(unread.message, new BodyFault('chunk_malformed'));
      return;
    }
    const trace = new RequestTrace(this.#requestIds.next(), '', clientAddress(socket) ?? '');
    this.#follow(trace);
    answerUnreadable(error, socket, trace, this.#parts.clock.now());
    this.#note(trace);
  }
}
