import type { Log } from '../observe/log.ts';
import type { HandshakeFailure, Metrics } from '../observe/metrics.ts';

const oneSecondMs = 1_000;

/** Counts the handshakes that fail on one listener, and logs at most one line a second about them. */
export class HandshakeReporter {
  readonly #listener: string;
  readonly #metrics: Metrics;
  readonly #log: Log;
  #pending: number | undefined;

  constructor(listener: string, metrics: Metrics, log: Log) {
    this.#listener = listener;
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * Notes a handshake that failed.
   * @param cause a code of Node or OpenSSL, which holds nothing that the client has sent
   */
  failed(reason: HandshakeFailure, cause?: string): void {
    this.#metrics.handshakeFailed(this.#listener, reason);
    if (this.#pending !== undefined) {
      this.#pending += 1;
      return;
    }
    this.#pending = 0;
    this.#log.warn('tls', 'handshake failed', { listener: this.#listener, reason, cause });
    setTimeout(() => this.#endSecond(), oneSecondMs).unref();
  }

  #endSecond(): void {
    const times = this.#pending ?? 0;
    this.#pending = undefined;
    if (times === 0) return;
    this.#pending = 0;
    this.#log.warn('tls', 'further handshakes failed', { listener: this.#listener, times });
    setTimeout(() => this.#endSecond(), oneSecondMs).unref();
  }
}
