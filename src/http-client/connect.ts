import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Certificates of a TLS session, PEM. */
export interface TlsCredentials {
  /** Authorities that are trusted, instead of Node's. */
  readonly ca?: string;
  /** What the server is shown when it asks, and its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** The server that requests go to. */
export interface Origin {
  readonly isSecure: boolean;
  /** A host name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: TlsCredentials;
  /** Looks up the host's addresses. */
  readonly lookup: LookupFunction;
}

/** Parses a URL such as `http://host:port`. */
export function originOf(url: string): Pick<Origin, 'isSecure' | 'host' | 'port'> {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === 'https:';
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { isSecure, host, port: port === '' ? (isSecure ? 443 : 80) : Number(port) };
}

/**
 * Starts to connect. The socket is half-open, so that the end of the peer's data does not end the request.
 *
 * @param onread receives what is read, instead of events
 */
export function dial({ host, port, lookup }: Origin, onread?: OnReadOpts): Socket {
  const reading = onread === undefined ? {} : { onread };
  return connectTcp({ host, port, lookup, noDelay: true, allowHalfOpen: true, ...reading });
}

/**
 * Starts a TLS session on a connection.
 *
 * INVARIANT: `tcp` is connected. While Node tries the addresses of a name, it replaces the handle of the socket. A TLS
 * session on the closed handle crashes the process (Node 20 to 24).
 */
export function startTls(tcp: Socket, { host, tls }: Origin): Socket {
  return connectTls({
    socket: tcp,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...tls,
  });
}
