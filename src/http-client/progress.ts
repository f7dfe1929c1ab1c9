import { performance } from 'node:perf_hooks';
import type { HttpExchange } from './http-exchange.ts';
import { HttpFault } from './http-fault.ts';

/** Limits in milliseconds. */
export interface HttpTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the head of the answer. */
  readonly headersMs: number;
  /** Without any progress in sending the request or receiving the answer, while it is the peer that is waited for. */
  readonly idleMs: number;
}

/** How long an unused connection is kept, unless the peer names a time: less than any known peer keeps it (5 s). */
const defaultKeepMs = 4_000;
const maxKeepMs = 30_000;

/** When a connection was last written to and read from. One sweep looks at it, instead of a timer for each. */
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

  /** Milliseconds since something was read. */
  silentMs(nowMs: number): number {
    return nowMs - this.#readAtMs;
  }

  /** True when the peer has taken nothing of what waits for it for too long. */
  isStuck(nowMs: number): boolean {
    return nowMs - this.#writtenAtMs > this.#timeouts.idleMs;
  }

  /** What to end a connection with that is still being established; `undefined` while there is time. */
  faultWhileConnecting(nowMs: number): HttpFault | undefined {
    if (nowMs - this.#writtenAtMs <= this.#timeouts.connectMs) return undefined;
    return new HttpFault('connect_timeout', 'the connection was not established in time', { wasSent: false });
  }

  /**
   * What to end an exchange with; `undefined` while there is time. Only the peer is held to it, not the sender of the body
   * or the reader of the answer.
   *
   * @param hasUnsent whether bytes wait that the peer does not take
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
      return isWaiting && this.silentMs(nowMs) > idleMs
        ? new HttpFault('idle_timeout', 'the answer stopped')
        : undefined;
    }
    return isBodyComplete && unwrittenMs > headersMs
      ? new HttpFault('headers_timeout', 'no answer came in time')
      : undefined;
  }
}

/** For how many milliseconds a connection is kept that is not used; `keepAlive` is the field of the last answer. */
export function keepTimeMs(keepAlive: string | undefined): number {
  // RFC 2068 section 19.7.1.1: `timeout=5`. A second less, for what is on its way.
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(keepAlive ?? '')?.[1];
  return seconds === undefined ? defaultKeepMs : Math.min(Number(seconds) * 1000 - 1000, maxKeepMs);
}
