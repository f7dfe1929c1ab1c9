/*
 * This folder owns the container credentials endpoint, from which the SDKs of AWS fetch credentials by themselves.
 * In: `GET /v1/credentials` with the token of a pod. Out: credentials of a role in JSON, and one `RequestRecord`.
 * It answers processes of this host only, and nothing but that request.
 * It never judges a token or a role itself: `sts` does, as for AssumeRoleWithWebIdentity.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Audit } from '../audit/audit.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import { type Clock, isoSeconds } from '../core/clock.ts';
import { isBodyUnread } from '../core/lingering.ts';
import type { Randomness } from '../core/randomness.ts';
import { askForTurn, takeShare } from '../core/turns.ts';
import { auditedSts } from '../edge/audited-sts.ts';
import { clientAddress } from '../edge/client-address.ts';
import { ConnectionTable } from '../edge/connection-table.ts';
import type { LimitReporter } from '../edge/limit-reporter.ts';
import { connectionsCheckingIntervalMs, maxOperatorHeaders } from '../edge/limits.ts';
import { createOneAtATimeServer } from '../edge/one-at-a-time.ts';
import { readHead } from '../edge/read-head.ts';
import { RequestTrace } from '../edge/request-trace.ts';
import { TrustedProxies } from '../edge/trusted-proxies.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { issueContainerCredentials } from '../sts/container-credentials.ts';
import type { IssuedCredentials } from '../sts/credentials.ts';
import { headOf, type StsDependencies } from '../sts/handle.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { readContainerRequest } from './read-request.ts';
import { refusalFor } from './refusal.ts';

/** What the listener is made of. */
export interface ContainerParts {
  /** The address that it will have. */
  readonly host: string;
  /** JSON text of the session policy that every session gets; `undefined` for none. */
  readonly scopeDownPolicy: () => string | undefined;
  /** The service of the snapshot in force now. */
  readonly service: () => StsDependencies;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  readonly log: Log;
  /** `undefined` while audit is off. */
  readonly audit: Audit | undefined;
  /** `undefined` while no spans are exported. */
  readonly tracing: () => Tracing | undefined;
  readonly reporter: LimitReporter;
}

/** The listener, and its connections for metrics. */
export interface ContainerServer {
  readonly server: Server;
  readonly connections: ConnectionTable;
}

/** Each process needs one for some milliseconds in an hour. */
const maxConnections = 128;
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: connectionsCheckingIntervalMs,
  // More than the longest token, which has 20,000 characters.
  maxHeaderSize: 32_768,
};
const idleTimeoutMs = 30_000;
/** Owner of the turns of the event loop in which requests begin. */
const turnOwner = 'container credentials';
/** The part of a turn that reading a request, verifying a usual token and deciding about a role take: half a millisecond. */
const turnShare: number = 1 / 4;
const noProxies = new TrustedProxies([]);

/** Creates the listener; it is not listening yet. */
export function createContainerServer(parts: ContainerParts): ContainerServer {
  const connections = new ConnectionTable(maxConnections, parts.reporter, 'any');
  const server = createOneAtATimeServer(limits, (message, response) => {
    const { socket } = message;
    connections.begin(message);
    response.once('close', () => connections.end(socket, false));
    void serve(message, response, parts).catch(() => response.destroy());
  });
  server.timeout = idleTimeoutMs;
  server.maxHeadersCount = maxOperatorHeaders;
  connections.watch(server, limits.maxHeaderSize);
  return { server, connections };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  parts: ContainerParts,
): Promise<void> {
  const requestId = Buffer.from(parts.randomness.bytes(8)).toString('hex').toUpperCase();
  const trace = new RequestTrace(requestId, message.method ?? '', clientAddress(message.socket) ?? '');
  trace.audit = parts.audit?.begin();
  trace.tracing = parts.tracing();
  trace.add({ service: 'sts', listener: 'container' });
  try {
    send(response, 200, bodyOf(await issueFor(message, response, trace, parts)), trace);
  } catch (error) {
    if (error instanceof ClientGoneError) {
      trace.add({ isAborted: true, status: 499 });
      response.destroy();
    } else refuse(error, response, trace);
  }
  const record = trace.finish();
  parts.metrics.record(record);
  parts.log.request(record);
  trace.audit?.write(record);
  trace.endSpan(record);
}

async function issueFor(
  message: IncomingMessage,
  response: ServerResponse,
  trace: RequestTrace,
  { host, scopeDownPolicy, service, clock }: ContainerParts,
): Promise<IssuedCredentials> {
  await waitForTurn(response, turnOwner, turnShare);
  const { requestId, sourceIp } = trace;
  const facts = {
    clientAddress: sourceIp,
    isSecure: false,
    receivedAtMs: clock.now(),
    requestId,
    isExpectationUnknown: false,
  };
  const raw = trace.addHead(readHead(message, facts, noProxies));
  const asked = readContainerRequest(raw, host);
  const policy = scopeDownPolicy();
  const sent = policy === undefined ? asked : new Map([...asked, ['Policy', policy]]);
  return issueContainerCredentials(sent, {
    raw: headOf(raw),
    dependencies: service(),
    trace: {
      client: response,
      ...auditedSts(trace, () => false),
      turn: (share, providerArn = turnOwner) => waitForTurn(response, providerArn, share),
    },
  });
}

/** Waits for a turn of the event loop, unless the work fits into this one. */
async function waitForTurn(response: ServerResponse, owner: string, share: number): Promise<void> {
  if (takeShare(owner, share)) return;
  const { comes, abandon } = askForTurn(owner, owner, share);
  await new Promise<void>((resolve, reject) => {
    const leave = (): void => {
      abandon();
      reject(new ClientGoneError());
    };
    response.once('close', leave);
    void comes.then(() => {
      response.off('close', leave);
      resolve();
    });
  });
}

/** The document that every SDK reads. */
function bodyOf({ AccessKeyId, SecretAccessKey, SessionToken, Expiration }: IssuedCredentials): object {
  return { AccessKeyId, SecretAccessKey, Token: SessionToken, Expiration: isoSeconds(Expiration.getTime()) };
}

function refuse(error: unknown, response: ServerResponse, trace: RequestTrace): void {
  const { status, code, message, detail, authenticationFailure } = refusalFor(error);
  trace.add({ errorCode: code, ...(detail === undefined ? {} : { errorDetail: detail }) });
  if (authenticationFailure !== undefined) trace.add({ authenticationFailure });
  // The SDKs for Go and Java read the names in lower case, that for JavaScript those with a capital.
  send(response, status, { code, message, Code: code, Message: message }, trace);
}

function send(response: ServerResponse, status: number, body: object, trace: RequestTrace): void {
  const text = JSON.stringify(body);
  const bytesOut = Buffer.byteLength(text);
  trace.add({ status, bytesOut });
  // Node would read on in a body for as long as a request may take.
  if (isBodyUnread(response.req)) response.setHeader('connection', 'close');
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytesOut,
    'cache-control': 'no-store',
    'x-amzn-requestid': trace.requestId,
  });
  response.end(text);
}
