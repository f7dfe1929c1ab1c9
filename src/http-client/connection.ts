import type { Origin } from './connect.ts';
import type { Carrier, HttpExchange } from './http-exchange.ts';
import { connectFault, HttpFault, toFault } from './http-fault.ts';
import { type HttpTimeouts, keepTimeMs, Progress } from './progress.ts';
import { Wire, type WireObserver } from './wire.ts';

/** The pool that owns a connection. */
export interface ConnectionOwner {
  /** An exchange is over. */
  onExchangeOver(): void;
  /** The connection can take another exchange. */
  onIdle(connection: Connection): void;
  /** The connection is gone. */
  onClosed(connection: Connection): void;
}

/** One connection. It carries one exchange at a time. */
export class Connection implements Carrier, WireObserver {
  readonly #owner: ConnectionOwner;
  readonly #progress: Progress;
  readonly #wire: Wire;
  #exchange: HttpExchange | undefined;
  #isUsed = false;
  #isClosed = false;
  #isDraining = false;
  #keepMs = 0;

  constructor(origin: Origin, timeouts: HttpTimeouts, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#progress = new Progress(timeouts);
    this.#wire = new Wire(origin, this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes an exchange. Nothing is sent before {@link Connection.send}. */
  take(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#progress.noteWritten();
    exchange.carryOn(this);
  }

  /** Sends the head of the exchange, and its body if that is whole. */
  send(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.isSent) return;
    exchange.isSent = true;
    this.#progress.noteWritten();
    this.#wire.send(exchange.head, exchange.body);
  }

  write(piece: Buffer): boolean {
    const exchange = this.#exchange;
    if (this.#wire.isFlushed) this.#progress.noteWritten();
    const canTakeMore = this.#wire.write(piece);
    // The answer has arrived before the end of the body.
    if (exchange?.isBodyComplete === true && exchange.parser.isEnded) this.#settle(exchange);
    return canTakeMore;
  }

  setPaused(isPaused: boolean): void {
    if (isPaused) this.#wire.pause();
    else {
      this.#progress.noteRead();
      this.#wire.resume();
    }
  }

  abandon(): void {
    this.#cutOff();
  }

  /** Closes the connection when it exceeds a timeout. */
  check(nowMs: number): void {
    if (!this.#wire.isEstablished || this.#exchange !== undefined) this.#checkExchange(nowMs);
    else if (this.#isDraining) {
      if (this.#progress.isStuck(nowMs)) this.#reset();
    } else if (this.#progress.silentMs(nowMs) > this.#keepMs) this.#close();
  }

  /** Closes an idle connection in order, and any other by a reset. */
  close(): void {
    if (this.#exchange === undefined) this.#close();
    else this.#fail(new HttpFault('reset', 'the client was closed'));
  }

  onWritten(): void {
    this.#progress.noteWritten();
    if (this.#isDraining && this.#wire.isFlushed) this.#close();
  }

  onWriteFailed(): void {
    if (this.#exchange !== undefined) this.#exchange.isBroken = true;
  }

  onEstablished(): void {
    this.#progress.noteWritten();
  }

  onDrain(): void {
    this.#exchange?.handler.onDrain();
  }

  get isHoldingData(): boolean {
    return this.#exchange?.handler.isHoldingData ?? false;
  }

  onData(bytes: Buffer): void {
    const exchange = this.#exchange;
    this.#progress.noteRead();
    if (exchange === undefined) {
      // No request is pending. The bytes must not be taken for the answer to the next one.
      if (!this.#isDraining) this.#close();
      return;
    }
    if (!exchange.isSent) {
      // The peer has not seen the request, so this cannot be its answer.
      this.#fail(
        this.#withStaleness(new HttpFault('reset', 'the peer sent data before the request'), exchange),
      );
      return;
    }
    exchange.isAnswered = true;
    try {
      exchange.parser.push(bytes);
    } catch (error) {
      this.#fail(toFault(error));
      return;
    }
    if (this.#exchange === exchange && exchange.parser.isEnded) this.#finish(exchange);
  }

  onEnd(wasReset: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (!this.#isDraining) this.#close();
      return;
    }
    try {
      if (wasReset) throw new HttpFault('reset', 'the connection was reset');
      if (!exchange.parser.isEnded) exchange.parser.end();
    } catch (error) {
      this.#fail(this.#withStaleness(toFault(error), exchange));
      return;
    }
    if (!exchange.isBodyComplete) exchange.isBroken = true;
    this.#finish(exchange);
  }

  onClose(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) this.#noteClosed();
    else if (this.#wire.isEstablished)
      this.#fail(this.#withStaleness(new HttpFault('reset', 'the connection was reset'), exchange));
    else this.#fail(connectFault(this.#wire.error));
  }

  #withStaleness(fault: HttpFault, exchange: HttpExchange): HttpFault {
    const isStale = this.#isUsed && !exchange.isAnswered;
    return new HttpFault(fault.reason, fault.message, {
      cause: this.#wire.error,
      isStale,
      wasSent: exchange.isSent,
    });
  }

  // When the answer comes before the whole request has been sent, the sender decides whether to go on.
  #finish(exchange: HttpExchange): void {
    if (exchange.isBodyComplete) this.#settle(exchange);
    exchange.onEnd();
  }

  #settle(exchange: HttpExchange): void {
    const { parser, isSent } = exchange;
    const { isFlushed, hasWriteFailed } = this.#wire;
    if (!this.#isUsed) this.#keepMs = keepTimeMs(parser.keepAlive);
    this.#isUsed = true;
    this.#letGo();
    if (exchange.isPaused) this.#wire.resume();
    const isWhole = isSent && isFlushed && !hasWriteFailed && !exchange.isGivenUp;
    const canRest = isWhole && parser.isReusable && this.#keepMs > 0 && !this.#isClosed;
    if (!canRest) this.#leave(isSent, isFlushed);
    // After an early answer the peer may send a second one, which would be taken for the answer to the next request.
    // Such a connection is not used again, and times out.
    else if (!exchange.isAnsweredEarly) this.#owner.onIdle(this);
  }

  // The peer has answered. The rest of a whole request is still sent, an incomplete request is cut off. The last bytes get
  // the same timeout as those before them, because the sender may already have reported a success.
  #leave(isRequestWhole: boolean, isFlushed: boolean): void {
    if (!isRequestWhole) this.#reset();
    else if (isFlushed || this.#wire.hasWriteFailed) this.#close();
    else this.#isDraining = true;
  }

  #checkExchange(nowMs: number): void {
    const exchange = this.#exchange;
    const { isEstablished, isFlushed } = this.#wire;
    const fault =
      isEstablished && exchange !== undefined
        ? this.#progress.faultOf(exchange, !isFlushed, nowMs)
        : this.#progress.faultWhileConnecting(nowMs);
    if (fault === undefined) return;
    if (isFlushed && exchange?.outlastsTimeouts === true) exchange.handler.onOverdue?.(fault);
    else this.#fail(fault);
  }

  #fail(fault: HttpFault): void {
    const exchange = this.#exchange;
    this.#cutOff();
    exchange?.handler.onFault(fault);
  }

  // An incomplete request ends by a reset. Some servers take an orderly end for the end of the body, and keep what they have
  // (versitygw 1.8, observed 2026-11).
  #cutOff(): void {
    const isWhole = this.#exchange?.isBodyComplete === true && this.#wire.isFlushed;
    this.#letGo();
    if (isWhole) this.#close();
    else this.#reset();
  }

  #letGo(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) return;
    exchange.carryOn(undefined);
    this.#wire.forgetData();
    this.#owner.onExchangeOver();
  }

  #reset(): void {
    this.#noteClosed();
    this.#wire.reset();
  }

  #close(): void {
    this.#noteClosed();
    this.#wire.close();
  }

  #noteClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.onClosed(this);
  }
}
