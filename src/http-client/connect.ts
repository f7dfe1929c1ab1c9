import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where requests go. */
export interface Origin {
  readonly isSecure: boolean;
  /** A host name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Further certificate authorities, PEM; the system's when absent. */
  readonly ca?: string;
}

/** A connection that is being established. */
export interface Dialled {
  /** What is read and written. */
  readonly socket: Socket;
  /** What is reset: the same, or the connection below TLS. */
  readonly tcp: Socket;
  /** The event of `socket` that says that it is established. */
  readonly readyEvent: 'connect' | 'secureConnect';
}

/** Reads `http://host:port`. */
export function originOf(url: string): Origin {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === 'https:';
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { isSecure, host, port: port === '' ? (isSecure ? 443 : 80) : Number(port) };
}

/** Starts to connect. Half-open on purpose: the end of what the peer says must not end what it is told. */
export function dial({ isSecure, host, port, ca }: Origin): Dialled {
  const tcp = connectTcp({ host, port, noDelay: true, allowHalfOpen: true });
  if (!isSecure) return { socket: tcp, tcp, readyEvent: 'connect' };
  const socket = connectTls({
    socket: tcp,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(ca === undefined ? {} : { ca }),
  });
  return { socket, tcp, readyEvent: 'secureConnect' };
}
