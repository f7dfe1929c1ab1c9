import type { Settings } from '../config/settings.ts';
import { controlHeadersTimeoutMs } from '../control/control-server.ts';
import { adminHeadersTimeoutMs } from '../edge/admin.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { HandshakeReporter } from '../tls/handshake-reporter.ts';
import { ListenerTls } from '../tls/listener-tls.ts';

/** TLS of the listeners; `undefined` for one that speaks plain HTTP. */
export class ListenersTls {
  readonly server: ListenerTls | undefined;
  readonly admin: ListenerTls | undefined;
  readonly control: ListenerTls | undefined;
  readonly #metrics: Metrics;

  constructor({ server, admin, control }: Settings, metrics: Metrics, log: Log) {
    const create = (
      listener: string,
      settings: Settings['server']['tls'],
      deadlineMs: number,
    ): ListenerTls | undefined =>
      settings && new ListenerTls(settings, deadlineMs, new HandshakeReporter(listener, metrics, log));
    this.#metrics = metrics;
    this.server = create('s3', server.tls, server.limits.headersTimeoutSeconds * 1000);
    this.admin = create('admin', admin.tls, adminHeadersTimeoutMs);
    this.control = control.token && create('control', control.tls, controlHeadersTimeoutMs);
    this.#measure();
  }

  /** When the first certificate of each listener expires, in milliseconds since the Unix epoch. */
  get expiries(): ReadonlyMap<string, number> {
    const listeners = { s3: this.server, admin: this.admin, control: this.control };
    return new Map(
      Object.entries(listeners).flatMap(([name, tls]) =>
        tls === undefined ? [] : [[name, tls.expiresAtMs]],
      ),
    );
  }

  /** Uses the certificates of another configuration for new connections. */
  replace({ server, admin, control }: Settings): void {
    if (server.tls !== undefined) this.server?.replace(server.tls);
    if (admin.tls !== undefined) this.admin?.replace(admin.tls);
    if (control.tls !== undefined) this.control?.replace(control.tls);
    this.#measure();
  }

  #measure(): void {
    for (const [name, expiresAtMs] of this.expiries)
      this.#metrics.certificateExpires(name, expiresAtMs / 1000);
  }
}
