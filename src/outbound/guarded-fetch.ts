/*
 * This folder is the only way out to identity providers and webhooks. Requests to the store do not pass through it.
 * In: a URL, and what to send. Out: a parsed JSON value, or an `OutboundFault`.
 * It allows https URLs, and http ones only on loopback and for configured origins.
 * It checks the connected address before it sends a byte.
 * It never follows a redirect, never uses a proxy, and never exceeds the given limits for bytes and time.
 */

import { rootCertificates, type SecureContext } from 'node:tls';
import { Agent, type buildConnector, errors, request } from 'undici';
import { NameLookups } from '../core/name-lookups.ts';
import { addressKind, isLoopbackHost } from './addresses.ts';
import { createConnector, trustIn } from './connector.ts';
import { OutboundFault } from './outbound-fault.ts';
import { type Delivery, type OutboundRequest, toOptions } from './outbound-request.ts';
import { ProviderPace } from './provider-pace.ts';
import { readValue, refuseStatus } from './read-answer.ts';

/** How long a name rests at most after its look-up has failed, so that other providers get half of the time. */
const longestRestMs = 30_000;

/** Settings of outgoing requests. */
export interface OutboundSettings {
  /** Certificates of private authorities, PEM, trusted in addition to the public ones. */
  readonly caPem?: string;
  /** Origins that are allowed over plain http, and whose names may resolve to this machine. */
  readonly allowHttp: readonly string[];
  /** Limit for one request as a whole, including the connection. */
  readonly timeoutSeconds: number;
}

/** The response of another service. */
export interface OutboundAnswer {
  readonly status: number;
  /** The parsed body. */
  readonly value: unknown;
}

/** Sends requests under the rules at the top of this file. To be closed once. */
export class GuardedFetch {
  readonly #settings: OutboundSettings;
  readonly #allowHttp: ReadonlySet<string>;
  readonly #agents = new Map<string, Agent>();
  /** By pool. */
  readonly #paces = new Map<string, ProviderPace>();
  readonly #names: NameLookups;
  #usualTrust: SecureContext | undefined;

  constructor(settings: OutboundSettings) {
    this.#settings = settings;
    this.#allowHttp = new Set(settings.allowHttp);
    this.#names = new NameLookups(settings.timeoutSeconds * 1000, longestRestMs);
  }

  /**
   * Returns a 2xx response, or one with the status that the request accepts.
   * @throws OutboundFault
   */
  async answer(question: OutboundRequest): Promise<OutboundAnswer> {
    const url = this.#checkUrl(question.url);
    if (isLoopbackHost(url.hostname) && !this.#mayBeHere(url.origin, question.namedBy)) {
      throw new OutboundFault('forbidden', 'the issuer names a service of this machine');
    }
    const signal = this.#deadline(question.timeoutSeconds);
    try {
      const { statusCode, body } = await request(url, {
        ...toOptions(question),
        dispatcher: this.#agentFor(question),
        signal,
      });
      // An abandoned body emits an error event.
      body.on('error', () => undefined);
      const refusal = statusCode === question.readStatus ? undefined : refuseStatus(statusCode);
      if (refusal !== undefined) {
        body.destroy();
        throw refusal;
      }
      const value = await readValue(body, question.maxBytes, `provider ${question.pool ?? url.host}`);
      return { status: statusCode, value };
    } catch (error) {
      throw toFault(error, signal);
    }
  }

  /**
   * Checks that a server answers, with any status.
   * @throws OutboundFault
   */
  async reach(text: string, pool?: string): Promise<void> {
    const url = this.#checkUrl(text);
    const signal = this.#deadline();
    try {
      const dispatcher = this.#agentFor(pool === undefined ? {} : { pool });
      const { body } = await request(url, { method: 'HEAD', dispatcher, signal });
      body.on('error', () => undefined);
      body.destroy();
    } catch (error) {
      throw toFault(error, signal);
    }
  }

  /**
   * Sends one JSON text, and takes any 2xx for its receipt.
   * @returns what the receipt says; `undefined` when it is no JSON of a few kilobytes
   * @throws OutboundFault
   */
  async deliver({ url: text, json, headers, pool }: Delivery): Promise<unknown> {
    const url = this.#checkUrl(text);
    const signal = this.#deadline();
    try {
      const sent = [...headers].flatMap(([name, value]) => [name, value.reveal()]);
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: ['content-type', 'application/json', ...sent],
        body: json,
        dispatcher: this.#agentFor({ pool, maxBytes: maxReceiptBytes }),
        signal,
      });
      body.on('error', () => undefined);
      const refusal = refuseStatus(statusCode);
      if (refusal === undefined) return await readReceipt(body, pool);
      // A short answer is read to its end, so that its connection can be used again.
      await body.dump({ limit: maxReceiptBytes, signal });
      throw refusal;
    } catch (error) {
      throw toFault(error, signal);
    }
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #deadline(shorterSeconds?: number): AbortSignal {
    return AbortSignal.timeout(this.#limitMs(shorterSeconds));
  }

  #limitMs(shorterSeconds = Number.POSITIVE_INFINITY): number {
    return Math.min(this.#settings.timeoutSeconds, shorterSeconds) * 1000;
  }

  #checkUrl(text: string): URL {
    if (!URL.canParse(text)) throw new OutboundFault('forbidden', 'the URL cannot be read');
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') {
      throw new OutboundFault('forbidden', 'the URL holds credentials');
    }
    if (url.protocol === 'https:') return url;
    if (url.protocol === 'http:' && (isLoopbackHost(url.hostname) || this.#allowHttp.has(url.origin)))
      return url;
    throw new OutboundFault('forbidden', 'only https is allowed: see outbound.allowHttp');
  }

  /**
   * True when a service of that origin may have a loopback address. `namedBy` is the issuer whose document names it;
   * `undefined` when it is configured.
   */
  #mayBeHere(origin: string, namedBy: string | undefined): boolean {
    const isConfigured = isLoopbackHost(new URL(origin).hostname) || this.#allowHttp.has(origin);
    if (namedBy === undefined) return isConfigured;
    const issuer = new URL(namedBy);
    return isConfigured && (isLoopbackHost(issuer.hostname) || issuer.origin === origin);
  }

  /** One pool for each name, issuer, set of authorities, and limit of time and bytes. The pool of a replaced set times out. */
  #agentFor(question: Partial<OutboundRequest>): Agent {
    const { pool = '', caPem = '', namedBy = '', timeoutSeconds = '', maxBytes = '' } = question;
    const key = [pool, namedBy, timeoutSeconds, maxBytes, caPem].join('\n');
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = new Agent({ connect: this.#connector(question), connections: maxConnectionsPerOrigin });
    this.#agents.set(key, agent);
    return agent;
  }

  #connector(question: Partial<OutboundRequest>): buildConnector.connector {
    const { pool = '', caPem, namedBy, timeoutSeconds, maxBytes = 0 } = question;
    const pace = this.#paces.get(pool) ?? new ProviderPace();
    this.#paces.set(pool, pace);
    return createConnector({
      lookup: this.#names.lookup,
      timeoutMs: this.#limitMs(timeoutSeconds),
      trust: caPem === undefined ? this.#usual() : trustIn([caPem]),
      maxBytes,
      pace,
      refuse: (options, address) => this.#refuseAddress(options, address, namedBy),
    });
  }

  /** Made once, not for every connection: reading all public authorities takes 16 ms, and strangers cause connections. */
  #usual(): SecureContext {
    const own = this.#settings.caPem;
    this.#usualTrust ??= trustIn(own === undefined ? undefined : [...rootCertificates, own]);
    return this.#usualTrust;
  }

  // The connected address, not the resolved one: a name can change between look-up and connection.
  #refuseAddress(
    { hostname, protocol, port }: buildConnector.Options,
    address: string | undefined,
    namedBy: string | undefined,
  ): OutboundFault | undefined {
    const kind = addressKind(address);
    if (kind === 'other') return undefined;
    const authority = port === '' ? hostname : `${hostname}:${port}`;
    if (kind === 'loopback' && this.#mayBeHere(`${protocol}//${authority}`, namedBy)) return undefined;
    return new OutboundFault('forbidden', `the name leads to a ${kind} address`);
  }
}

const maxReceiptBytes = 16_384;

// What was accepted stays accepted, whatever the receipt looks like.
async function readReceipt(body: AsyncIterable<unknown>, pool: string): Promise<unknown> {
  try {
    return await readValue(body, maxReceiptBytes, pool);
  } catch {
    return undefined;
  }
}

/** Connections of one pool: enough for all requests that a provider may have in flight. */
const maxConnectionsPerOrigin = 18;

function toFault(error: unknown, signal: AbortSignal): OutboundFault {
  if (error instanceof OutboundFault) return error;
  const isTimeout =
    signal.aborted ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  if (isTimeout) return new OutboundFault('timeout', 'did not answer in time', { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new OutboundFault('unreachable', `cannot be reached (${code.slice(0, 64)})`, { cause: error });
}
