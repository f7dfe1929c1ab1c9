import { performance } from 'node:perf_hooks';
import type { HttpExchange } from './http-exchange.ts';
import { HttpFault } from './http-fault.ts';

/** Timeouts in milliseconds. */
export interface HttpTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the head of the answer. */
  readonly headersMs: number;
  /** Without progress in either direction, while the client waits for the peer. */
  readonly idleMs: number;
}

/** How long an idle connection is kept unless the peer names a time. Known peers keep it for at least 5 s. */
const defaultKeepMs = 4_000;
const maxKeepMs = 30_000;

/** When a connection was last written to and read from. A sweep over all connections replaces a timer for each. */
export class Progress {
  readonly #timeouts: HttpTimeouts;
  #writtenAtMs = performance.now();
  #readAtMs = this.#writtenAtMs;

  constructor(timeouts: HttpTimeouts) {
    this.#timeouts = timeouts;
  }

  noteWritten(): void {
    this.#writtenAtMs = performance.now();
  }

  noteRead(): void {
    this.#readAtMs = performance.now();
  }

  /** Milliseconds since the last read. */
  silentMs(nowMs: number): number {
    return nowMs - this.#readAtMs;
  }

  /** True when the peer has accepted no bytes for `idleMs`. */
  isStuck(nowMs: number): boolean {
    return nowMs - this.#writtenAtMs > this.#timeouts.idleMs;
  }

  /** Returns the fault of a connection that was not established in time; `undefined` while there is time. */
  faultWhileConnecting(nowMs: number): HttpFault | undefined {
    if (nowMs - this.#writtenAtMs <= this.#timeouts.connectMs) return undefined;
    return new HttpFault('connect_timeout', 'the connection was not established in time', { wasSent: false });
  }

  /**
   * Returns the fault of an exchange that has timed out; `undefined` while there is time. Time spent waiting for the sender
   * of the body, or the reader of the answer, does not count.
   *
   * @param hasUnsent true while bytes wait for the peer to accept them
   */
  faultOf(
    { parser, isPaused, isBodyComplete }: HttpExchange,
    hasUnsent: boolean,
    nowMs: number,
  ): HttpFault | undefined {
    const { headersMs, idleMs } = this.#timeouts;
    const unwrittenMs = nowMs - this.#writtenAtMs;
    if (hasUnsent) {
      return this.isStuck(nowMs) ? new HttpFault('idle_timeout', 'the request is not being read') : undefined;
    }
    if (parser.hasHead) {
      const isWaiting = !isPaused && !parser.isEnded;
      // The answer can have come before the end of the body.
      return isWaiting && Math.min(this.silentMs(nowMs), unwrittenMs) > idleMs
        ? new HttpFault('idle_timeout', 'the answer stopped')
        : undefined;
    }
    return isBodyComplete && unwrittenMs > headersMs
      ? new HttpFault('headers_timeout', 'no answer came in time')
      : undefined;
  }
}

/** Returns for how many milliseconds to keep an idle connection; `keepAlive` is the `Keep-Alive` of the last answer. */
export function keepTimeMs(keepAlive: string | undefined): number {
  // RFC 2068 section 19.7.1.1: `timeout=5`. One second less allows for the time on the network.
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(keepAlive ?? '')?.[1];
  return seconds === undefined ? defaultKeepMs : Math.min(Number(seconds) * 1000 - 1000, maxKeepMs);
}
