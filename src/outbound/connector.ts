import { constants } from 'node:crypto';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import {
  connect as connectTls,
  createSecureContext,
  DEFAULT_CIPHERS,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { buildConnector, errors } from 'undici';
import { keyExchangeGroups } from '../core/key-exchange-groups.ts';
import { boundAnswers, mostBytesFor } from './bounded-answers.ts';
import type { OutboundFault } from './outbound-fault.ts';
import { PacedConnection } from './paced-connection.ts';
import type { ProviderPace } from './provider-pace.ts';

/** What connections to one provider are made with. */
export interface ConnectorSettings {
  readonly lookup: LookupFunction;
  /** Limit for the connection with its handshake, in milliseconds. */
  readonly timeoutMs: number;
  readonly trust: SecureContext;
  /** Of the body of an answer. */
  readonly maxBytes: number;
  readonly pace: ProviderPace;
  /** Why an address may not be connected to. Asked before a byte is sent. */
  readonly refuse: (
    options: buildConnector.Options,
    address: string | undefined,
  ) => OutboundFault | undefined;
}

/**
 * What a server may ask for before its certificate is looked at. A Diffie-Hellman group of its own of 10,000 bits takes 0.9 s in one turn of the event
 * loop, the longest named one 0.2 s (Node 20, 2026-12); every server has elliptic curves.
 */
const keyExchange = { ciphers: `${DEFAULT_CIPHERS}:!kDHE`, ecdhCurve: `${keyExchangeGroups}:secp521r1` };

/** Authorities for connections to providers: a renegotiation would be a second handshake, with another chain. */
export function trustIn(ca: readonly string[] | undefined): SecureContext {
  const options = { ...keyExchange, secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
  return createSecureContext(ca === undefined ? options : { ...options, ca: [...ca] });
}

/** Makes connections that bound what the answers of a server cost, and its TLS. */
export function createConnector(settings: ConnectorSettings): buildConnector.connector {
  const { lookup, timeoutMs, maxBytes, pace } = settings;
  // undici ends a request that is out of time only once it has a connection.
  const connect = buildConnector({ timeout: timeoutMs, lookup });
  const handshakes = new Handshakes(settings);
  return (options, callback) => {
    const beganMs = performance.now();
    const isSecure = options.protocol === 'https:';
    const port = options.port === '' && isSecure ? '443' : options.port;
    connect({ ...options, port, protocol: 'http:' }, (...[error, socket]) => {
      // A failed connection has no socket, although the type says so.
      if (error !== null || !socket) {
        callback(error ?? new Error('no connection'), null);
        return;
      }
      const fault = settings.refuse(options, socket.remoteAddress);
      if (fault !== undefined) {
        socket.destroy();
        callback(fault, null);
      } else if (isSecure) {
        handshakes.begin(socket, options, timeoutMs - (performance.now() - beganMs), callback);
      } else {
        boundAnswers(socket, maxBytes, pace);
        callback(null, socket);
      }
    });
  };
}

/** The TLS of one provider's connections. */
class Handshakes {
  readonly #settings: ConnectorSettings;
  /** The last session of a name, so that the next handshake is short. */
  #session: { readonly name: string; readonly session: Buffer } | undefined;

  constructor(settings: ConnectorSettings) {
    this.#settings = settings;
  }

  begin(
    socket: Socket,
    { hostname, servername }: buildConnector.Options,
    leftMs: number,
    callback: buildConnector.Callback,
  ): void {
    const { pace, trust, maxBytes } = this.#settings;
    const paced = new PacedConnection(socket, pace);
    const name = servername || (isIP(hostname) === 0 ? hostname : '');
    const secured: TLSSocket = connectTls({
      socket: paced,
      host: hostname,
      servername: name,
      secureContext: trust,
      ALPNProtocols: ['http/1.1'],
      ...(this.#session?.name === hostname ? { session: this.#session.session } : {}),
    });
    const late = setTimeout(() => secured.destroy(new errors.ConnectTimeoutError()), leftMs);
    let isOver = false;
    secured.on('error', (error) => {
      clearTimeout(late);
      if (!isOver) callback(error, null);
      isOver = true;
    });
    secured.on('session', (session: Buffer) => {
      this.#session = { name: hostname, session };
    });
    secured.once('secureConnect', () => {
      clearTimeout(late);
      isOver = true;
      paced.limitAnswers(2 * mostBytesFor(maxBytes), () => secured.bytesWritten);
      boundAnswers(secured, maxBytes, pace);
      callback(null, secured);
    });
  }
}
