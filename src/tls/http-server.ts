import { createServer, Server, type ServerOptions } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ListenerTls } from './listener-tls.ts';

/**
 * Creates an HTTP server, with TLS if there are settings for it. Its event `connection` means a connection on which HTTP is spoken.
 * One with TLS has further events before it, each with the connection below TLS: `handshake` when it has been accepted,
 * `handshakeMemory`, also with the bytes that the handshake takes, and `handshakeEnd` when it has succeeded.
 */
export function createHttpServer(options: ServerOptions, tls?: ListenerTls): Server {
  return tls === undefined ? createServer(options) : new SecureServer(options, tls);
}

/**
 * An HTTP server on connections with TLS. Node's own begins TLS on every connection at once, and its limits on heads begin
 * only when the handshake has succeeded.
 */
class SecureServer extends Server {
  readonly #tls: ListenerTls;
  readonly #underWay = new Set<Socket>();

  constructor(options: ServerOptions, tls: ListenerTls) {
    super(options);
    this.#tls = tls;
  }

  override emit(event: string, ...values: unknown[]): boolean {
    const [raw] = values;
    if (event !== 'connection' || raw instanceof TLSSocket || !(raw instanceof Socket))
      return super.emit(event, ...values);
    raw.on('error', ignore);
    this.#underWay.add(raw);
    raw.once('close', () => this.#underWay.delete(raw));
    super.emit('handshake', raw);
    this.#tls.secure(raw, {
      onMemory: (bytes) => super.emit('handshakeMemory', raw, bytes),
      onSecure: (socket) => {
        this.#underWay.delete(raw);
        super.emit('handshakeEnd', raw);
        super.emit('connection', socket);
      },
    });
    return true;
  }

  override closeAllConnections(): void {
    for (const raw of this.#underWay) raw.destroy();
    super.closeAllConnections();
  }
}

const ignore = (): void => undefined;
