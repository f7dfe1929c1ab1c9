/*
 * This folder owns the admission webhook that gives pods what SDKs need: a projected token and variables.
 * In: an AdmissionReview from the API server of a cluster. Out: a JSON patch, or a refusal of the pod.
 * It holds no key and no policy: what a role may do, and for which pods it is, only the sidecar decides.
 * It changes nothing in the cluster's own namespaces, and nothing of a container that has an identity of its own.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { BodyFault } from '../core/body-fault.ts';
import { BudgetExhaustedError, ByteBudget, type Reservation } from '../core/byte-budget.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import { JsonError, parseJson } from '../core/json.ts';
import { keyExchangeGroups } from '../core/key-exchange-groups.ts';
import { isBodyUnread } from '../core/lingering.ts';
import { connectionsCheckingIntervalMs, maxOperatorHeaders } from '../edge/limits.ts';
import { answerOneAtATime } from '../edge/one-at-a-time.ts';
import { survive } from '../edge/survive-errors.ts';
import { collect } from '../forward/request-body.ts';
import type { Log } from '../observe/log.ts';
import {
  decideReview,
  type ReadServiceAccount,
  ReviewError,
  readReview,
  type Subject,
  type Verdict,
} from './admission.ts';
import type { InjectorSettings } from './settings.ts';

/** What the webhook is made of. */
export interface InjectorParts {
  readonly settings: InjectorSettings;
  readonly readServiceAccount: ReadServiceAccount;
  readonly log: Log;
}

interface InjectorAnswer {
  readonly status: number;
  readonly body: object;
}

/** Pods have some kilobytes. */
const maxBodyBytes = 1_048_576;
/** Memory of a document that was parsed, for each byte of its text: `{}` takes 64. */
const parsedFactor = 32;
/** What is kept of a review while its service account is being read, and its answer: 128 containers and their patch. */
const subjectBytes = 131_072;
/** All reviews together may take half of it, parsed. */
const maxBufferedBytes = 100_663_296;
const bodyDeadlineMs = 5_000;
const answerTimeoutMs = 10_000;
/** Anything in the cluster can open connections; the API server keeps a few. */
const maxConnections = 128;
const limits = {
  handshakeTimeout: 5_000,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: connectionsCheckingIntervalMs,
  // The API server keeps its side open for 90 seconds.
  keepAliveTimeout: 120_000,
  maxHeaderSize: 16_384,
};

/** The webhook: `POST /inject`, and `GET /livez` for the kubelet. It is not listening yet. */
export function createInjectorServer(parts: InjectorParts): Server {
  const { certPem: cert, keyPem: key } = parts.settings.tls;
  const budget = new ByteBudget(maxBufferedBytes);
  const open = new Set<Socket>();
  const server = createServer({
    ...limits,
    cert,
    key,
    minVersion: 'TLSv1.2',
    // A client of 1.3 could update its keys without end (decision 44).
    maxVersion: 'TLSv1.2',
    ecdhCurve: keyExchangeGroups,
    requireHostHeader: false,
  });
  answerOneAtATime(server, (message, response) => {
    const reservation = budget.reserve('reviews');
    const closed = new Promise((resolve) => response.once('close', resolve));
    const answered = answer({ message, response, reservation }, parts)
      .catch((error: unknown) => refusalFor(error, parts.log))
      .then((result) => send(response, result))
      .catch(() => response.destroy());
    // Work goes on after a client has left, and an answer may wait for a client.
    void Promise.all([answered, closed]).then(() => reservation.release());
  });
  server.maxHeadersCount = maxOperatorHeaders;
  // For an answer that is not read. An unused connection has `keepAliveTimeout`.
  server.timeout = answerTimeoutMs;
  server.on('connection', (socket: Socket) => {
    survive(socket);
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > maxConnections) oldest?.destroy();
  });
  return server;
}

/** One call. */
interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly reservation: Reservation;
}

async function answer(
  { message, response, reservation }: Exchange,
  { settings, readServiceAccount, log }: InjectorParts,
): Promise<InjectorAnswer> {
  // The API server adds `?timeout=10s`.
  const path = (message.url ?? '').replace(/\?.*$/s, '');
  if (path === '/livez' && message.method === 'GET') return { status: 200, body: { status: 'ok' } };
  if (path !== '/inject') return { status: 404, body: { error: 'there is only /inject' } };
  if (message.method !== 'POST') return { status: 405, body: { error: 'there is only POST' } };
  const subject = await readSubject(message, reservation, settings);
  const { verdict, answer: body } = await decideReview(subject, settings, (namespace, name) =>
    readServiceAccount(namespace, name, response),
  );
  note(verdict, log);
  return { status: 200, body };
}

/** A function of its own: a suspended one would keep the parsed review, with all its variables, until it resumes. */
async function readSubject(
  message: IncomingMessage,
  reservation: Reservation,
  settings: InjectorSettings,
): Promise<Subject> {
  const bytes = await collect(message, maxBodyBytes, reservation, bodyDeadlineMs);
  reservation.growTo(bytes.length * parsedFactor);
  const source = parseJson(bytes.toString('utf8'), { maxBytes: maxBodyBytes, numbers: 'any' });
  const subject = readReview(source, settings);
  reservation.resize(subjectBytes);
  return subject;
}

function note({ roleArn, refusal, injection, ...about }: Verdict, log: Log): void {
  if (roleArn === undefined) return;
  const { namespace, pod, serviceAccount } = about;
  const facts = { namespace, pod, service_account: serviceAccount, role_arn: roleArn.slice(0, 256) };
  if (refusal !== undefined) log.warn('injector', 'pod refused', { ...facts, cause: refusal });
  else {
    const { containers = [], warnings = [] } = injection ?? {};
    const shown = { containers: shownSome(containers), warnings: shownSome(warnings) };
    log.info('injector', 'pod given a role', { ...facts, ...shown });
  }
}

/** Bounds a line of the log, together with the length of each name. */
function shownSome(texts: readonly string[]): readonly string[] {
  if (texts.length <= maxShown) return texts;
  return [...texts.slice(0, maxShown), `and ${texts.length - maxShown} more`];
}

const maxShown = 16;

/**
 * An error status makes the API server follow the failure policy of the webhook.
 * @throws ClientGoneError when there is no client to answer
 */
function refusalFor(error: unknown, log: Log): InjectorAnswer {
  if (error instanceof ClientGoneError) throw error;
  if (error instanceof ReviewError || error instanceof JsonError)
    return { status: 400, body: { error: `the review cannot be read: ${error.message}` } };
  if (error instanceof BodyFault)
    return { status: error.reason === 'document_too_large' ? 413 : 400, body: { error: error.reason } };
  if (error instanceof BudgetExhaustedError)
    return { status: 503, body: { error: 'too many reviews at once' } };
  log.error('injector', 'the service account cannot be read', { cause: String(error) });
  return { status: 500, body: { error: 'the service account of the pod cannot be read' } };
}

function send(response: ServerResponse, { status, body }: InjectorAnswer): void {
  const text = JSON.stringify(body);
  if (isBodyUnread(response.req)) response.setHeader('connection', 'close');
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
