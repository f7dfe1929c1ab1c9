import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type Clock, httpDate } from '../core/clock.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { isBucketPost } from '../s3/form/put-request.ts';
import { isPassedPath } from '../s3/passed-path.ts';
import type { StsDependencies } from '../sts/handle.ts';
import { answerS3Error } from './answer-s3-error.ts';
import { carriesSignature } from './carries-signature.ts';
import { networkOf } from './client-address.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange-queue.ts';
import type { Gate } from './gate.ts';
import { GatheringMessage } from './gathering-message.ts';
import { handleForm } from './handle-form.ts';
import { handlePreflight, isPreflight } from './handle-preflight.ts';
import { handleS3 } from './handle-s3.ts';
import { answerSts, answerStsFault } from './handle-sts.ts';
import { HeadFault, headError } from './head-fault.ts';
import type { LimitReporter } from './limit-reporter.ts';
import { noteRequest } from './note-request.ts';
import { handlePassedPath } from './pass-path.ts';
import type { S3Pipeline } from './perform-s3.ts';
import type { Place } from './place.ts';
import { isForSts, readHead, refusedHead } from './read-head.ts';
import { countRefused } from './refused-stranger.ts';
import type { RequestTrace } from './request-trace.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Everything one configuration answers requests with. Immutable; each request takes it once. */
export interface Snapshot {
  readonly s3: S3Pipeline;
  readonly sts: StsDependencies;
  readonly trustedProxies: TrustedProxies;
  /** Of the files that it was read from: a measure of the memory that it takes. */
  readonly characters: number;
}

/** What both S3 and STS requests are answered with. */
export interface AnswerParts {
  /** The snapshot in force. */
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly reporter: LimitReporter;
  readonly preflights: Gate;
}

/** Dispatches one request to STS or S3, and answers every fault of its head. */
export async function answerRequest(
  { message, response, invite, isExpectationUnknown }: Exchange,
  place: Place,
  trace: RequestTrace,
  { snapshot, clock, reporter, preflights }: AnswerParts,
): Promise<void> {
  const receivedAtMs = clock.now();
  // SDKs correct their clock by the Date header, so it must show the clock that signatures are checked against.
  response.sendDate = false;
  const { requestId } = trace;
  const ownHeaders = ['x-amz-request-id', requestId, 'x-amz-id-2', requestId, 'date', httpDate(receivedAtMs)];
  const listener = { clock, reporter, preflights };
  const connection: ClientConnection = { message, response, invite, ownHeaders, place, ...listener };
  const { virtualHosts } = snapshot.s3.routing;
  const isSecure = message.socket instanceof TLSSocket;
  const facts = { clientAddress: trace.sourceIp, isSecure, receivedAtMs, requestId, isExpectationUnknown };
  let raw: RawRequest;
  try {
    raw = trace.addHead(readHead(message, facts, snapshot.trustedProxies));
    place.client = networkOf(raw.clientAddress);
    freeHead(message);
  } catch (error) {
    const refused = refusedHead(message, facts);
    freeHead(message);
    const protocol = isForSts(refused, virtualHosts) ? 'sts' : 's3';
    trace.add({ service: protocol });
    const fault = error instanceof HeadFault ? headError(error, protocol) : error;
    // Content-Length or Transfer-Encoding may be among the headers that Node dropped.
    if (error instanceof HeadFault && error.reason === 'too_many_headers') response.shouldKeepAlive = false;
    if (protocol === 's3') await answerS3Error(fault, connection, trace);
    else await answerStsFault(fault, refused, connection, trace);
    return;
  }
  if (isForSts(raw, virtualHosts)) {
    trace.add({ service: 'sts' });
    // Not awaited here: this function would keep the head for as long as a provider takes.
    return answerSts(raw, connection, snapshot.sts, trace);
  }
  trace.add({ service: 's3' });
  try {
    // A preflight's is not looked at.
    if (isPreflight(raw) || !carriesSignature(raw)) place.countStranger();
    await handlerOf(raw, snapshot.s3)(raw, connection, snapshot.s3, trace);
  } catch (error) {
    noteRequest(raw, snapshot.s3, trace);
    await answerS3Error(countRefused(error, place, trace), connection, trace);
  }
}

function handlerOf(
  raw: RawRequest,
  { routing: { virtualHosts }, strangers: { prefixes } }: S3Pipeline,
): typeof handleS3 {
  if (isPreflight(raw)) return handlePreflight;
  if (isPassedPath(raw, { virtualHosts, prefixes })) return handlePassedPath;
  return isBucketPost(raw, virtualHosts) ? handleForm : handleS3;
}

function freeHead(message: IncomingMessage): void {
  if (message instanceof GatheringMessage) message.freeHead();
}
