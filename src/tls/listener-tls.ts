/*
 * This folder owns TLS of the listeners.
 * In: connections that were just accepted, and certificates with their keys. Out: encrypted connections, on which HTTP is spoken.
 * It limits what a handshake costs before anything is known about a client.
 * It never reads HTTP, and never decides who a caller is: a client certificate opens a connection, and no more.
 */

import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import tls, { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { fingerprintOf } from '../core/fingerprint.ts';
import { keyExchangeGroups } from '../core/key-exchange-groups.ts';
import { resetConnection } from '../core/reset-connection.ts';
import type { Secret } from '../core/secret.ts';
import { CertificatesByName } from './certificates-by-name.ts';
import { Handshake, type HandshakeCosts } from './handshake.ts';
import type { HandshakeReporter } from './handshake-reporter.ts';

/** A certificate and its key. */
interface Certificate {
  /** PEM: the certificate, then those of the authorities between it and one that clients know. */
  readonly certPem: string;
  readonly keyPem: Secret;
}

/** Certificates and keys of a listener, and whom it lets connect. */
export interface ListenerTlsSettings extends Certificate {
  /** For clients that ask for one of their names: in lower case, `*.` stands for one label. All others are shown the one above. */
  readonly certificates: readonly (Certificate & { readonly names: readonly string[] })[];
  /** PEM; clients must show a certificate of one of these authorities. */
  readonly clientCaPem?: string;
  /**
   * The highest version that is spoken; the lowest is 1.2. Absent: 1.3 where clients show certificates, else 1.2. A client of 1.3 may update its
   * keys without end, which takes OpenSSL 14 µs for 27 bytes, and nothing of it can be seen from JavaScript.
   */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Events of one connection that was accepted. */
export interface SecuringEvents {
  /** The memory that its handshake takes has changed, to so many bytes. */
  readonly onMemory: (bytes: number) => void;
  readonly onSecure: (socket: TLSSocket) => void;
}

/** Memory of a handshake that has begun, in bytes (Node 20, 800 that stop after the ClientHello, measured 2026-11). */
const memoryBytes: number = 48 * 1024;
/**
 * The same for the certificates of a client. Usual ones take some KiB; OpenSSL reads 100 KiB (SSL_CTX_set_max_cert_list), and Node
 * cannot say how much it has read.
 */
const certificatesBytes: number = 16 * 1024;
/** What encrypts, authenticates and keeps past sessions secret when the key is stolen later. */
const ciphers: string = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE+AESGCM',
  'ECDHE+CHACHA20',
].join(':');

/** The first renegotiation of a client ends its connection, at every server of the process. */
Object.assign(tls, { CLIENT_RENEG_LIMIT: 0 });

/** TLS of one listener: HTTP/1.1 only, without renegotiation. */
export class ListenerTls {
  readonly #reporter: HandshakeReporter;
  readonly #deadlineMs: number;
  readonly #underWay = new WeakMap<Socket, Underway>();
  #server!: Server;
  #costs!: HandshakeCosts;
  #expiresAtMs = 0;
  #fingerprint = '';

  /**
   * @param deadlineMs how long a handshake may take
   * @throws Error for settings that were not checked
   */
  constructor(settings: ListenerTlsSettings, deadlineMs: number, reporter: HandshakeReporter) {
    this.#reporter = reporter;
    this.#deadlineMs = deadlineMs;
    this.replace(settings);
  }

  /** When the first of its certificates expires, in milliseconds since the Unix epoch. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /**
   * Uses another certificate for new handshakes, unless it is the same. Connections go on. Sessions are not resumed across: their tickets are sealed with a
   * key of the server before, whose authorities for client certificates may not be those of this one.
   * @throws Error for settings that were not checked
   */
  replace(settings: ListenerTlsSettings): void {
    const fingerprint = fingerprintOf(settings);
    if (fingerprint === this.#fingerprint) return;
    const { certificates, clientCaPem, maxVersion } = settings;
    const isMutual = clientCaPem !== undefined;
    // INVARIANT: every certificate has all of these. OpenSSL takes the authorities of clients, and ciphers, from the chosen one.
    const contextOf = ({ certPem, keyPem }: Certificate): SecureContextOptions => ({
      cert: certPem,
      key: keyPem.reveal(),
      ...(isMutual ? { ca: clientCaPem } : {}),
      minVersion: 'TLSv1.2',
      maxVersion: maxVersion ?? (isMutual ? 'TLSv1.3' : 'TLSv1.2'),
      ciphers,
      ecdhCurve: keyExchangeGroups,
      // An abbreviated handshake would pass by the callback that withholds the answer to a renegotiation.
      secureOptions: constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
    });
    const byName = new CertificatesByName(
      certificates.map((one) => ({ names: one.names, options: contextOf(one) })),
    );
    const server = createServer({
      ...contextOf(settings),
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      SNICallback: (name, choose) => choose(null, byName.find(name)),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#deadlineMs,
    });
    server.on('secureConnection', (socket) => this.#succeed(socket));
    server.on('tlsClientError', (error, socket) => this.#fail(error, socket));
    this.#server = server;
    this.#costs = {
      deadlineMs: this.#deadlineMs,
      memoryBytes: memoryBytes + (isMutual ? certificatesBytes : 0),
      lastMs: 1,
    };
    this.#expiresAtMs = Math.min(...[settings, ...certificates].map(({ certPem }) => firstExpiry(certPem)));
    this.#fingerprint = fingerprint;
  }

  /** Starts the handshake on a connection that was just accepted. */
  secure(raw: Socket, { onMemory, onSecure }: SecuringEvents): void {
    const server = this.#server;
    const handshake = new Handshake(raw, this.#costs, {
      onMemory,
      onTurn: () => server.emit('connection', raw),
      onFailed: (reason) => this.#reporter.failed(reason),
    });
    this.#underWay.set(raw, { handshake, onSecure });
  }

  #succeed(socket: TLSSocket): void {
    const raw = underlying(socket);
    const underWay = raw && this.#underWay.get(raw);
    if (raw === undefined || underWay === undefined) {
      socket.destroy();
      return;
    }
    underWay.handshake.finish();
    this.#underWay.delete(raw);
    refuseRenegotiation(socket);
    // Node's own refuses sockets with TLS. Only a reset tells the peer that this is no orderly end.
    socket.resetAndDestroy = () => {
      // The end that TLS has announced is not one that the connection below knows of: see `resetConnection`.
      if (socket.writableEnded) raw.destroy();
      else resetConnection(raw);
      return socket.destroy();
    };
    // After a fatal alert of the client, Node leaves the socket open, and writes nothing of what is written to it.
    socket.on('error', () => socket.resetAndDestroy());
    // A client may end its side once it has sent its request.
    socket.allowHalfOpen = true;
    underWay.onSecure(socket);
  }

  #fail(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const raw = underlying(socket);
    if (raw !== undefined) this.#underWay.get(raw)?.handshake.finish();
    socket.destroy();
    // Node reports a certificate that was refused like a client that has left.
    const refusal: unknown = socket.authorizationError;
    if (typeof refusal === 'string') this.#reporter.failed('client_certificate', refusal);
    else if (error.code !== 'ECONNRESET') this.#reporter.failed(reasonOf(error), error.code);
  }
}

interface Underway {
  readonly handshake: Handshake;
  readonly onSecure: (socket: TLSSocket) => void;
}

/** The connection below TLS. Not documented; the same in Node 20 to 24. */
function underlying(socket: TLSSocket & { readonly _parent?: Socket }): Socket | undefined {
  return socket._parent;
}

/** Node's side of a session. Not documented; the same in Node 20 to 24. */
interface SessionHandle {
  /** Called before a certificate is chosen. The handshake rests until it is told to go on. */
  oncertcb: () => void;
  /** Makes the next handshake of the session call it. */
  enableCertCb(): void;
}

/**
 * Refuses renegotiations. Node reports one from within OpenSSL, whose memory is freed when a listener destroys the socket: a stranger
 * could end the process with it (Node 20 and 24). So the report is deferred. Until then OpenSSL rests: it would sign for the ClientHello, or, told not
 * to renegotiate (`SSL_OP_NO_RENEGOTIATION`), answer each of thousands in one read with a warning.
 */
function refuseRenegotiation(socket: TLSSocket & { readonly _handle?: SessionHandle | null }): void {
  const { _handle: handle } = socket;
  if (handle) {
    handle.oncertcb = () => undefined;
    handle.enableCertCb();
  }
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event !== 'error' || !isRenegotiation(values[0])) return emit(event, ...values);
    setImmediate(() => emit(event, ...values));
    return true;
  };
}

function isRenegotiation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_TLS_SESSION_ATTACK';
}

function reasonOf({ code }: NodeJS.ErrnoException): 'client_certificate' | 'timeout' | 'protocol' {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' ? 'client_certificate' : 'protocol';
}

/** When the first certificate of a chain expires, in milliseconds since the Unix epoch. */
function firstExpiry(pem: string): number {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return Math.min(...certificates.map((one) => Date.parse(new X509Certificate(one).validTo)));
}
