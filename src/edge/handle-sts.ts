import { createHash } from 'node:crypto';
import { authenticateSts, precheckSts } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import { turnOwnerOf } from '../authorize/asker.ts';
import { AuthenticationFault } from '../core/authentication-fault.ts';
import { BodyFault, type BodyReason } from '../core/body-fault.ts';
import { BudgetExhaustedError } from '../core/byte-budget.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { ServiceError } from '../core/service-error.ts';
import { askForTurn, strangers, strangersLongWork, type TurnOwner, takeShare } from '../core/turns.ts';
import { collect } from '../forward/request-body.ts';
import { renderStsError } from '../sts/error-xml.ts';
import { type StsErrorCode, stsError } from '../sts/errors.ts';
import { handleSts, headOf, type StsDependencies, type StsResponse, type StsTrace } from '../sts/handle.ts';
import { precheckCall } from '../sts/precheck.ts';
import { maxStsBodyBytes } from '../sts/query-request.ts';
import { type Answer, sendAnswer } from './answer.ts';
import { auditedSts } from './audited-sts.ts';
import { authenticationFailureLabel } from './authentication-failure-label.ts';
import { carriesSignature } from './carries-signature.ts';
import type { ClientConnection } from './client-connection.ts';
import { strangerBodyMs } from './limits.ts';
import { NoPlaceError } from './place.ts';
import { countRefused } from './refused-stranger.ts';
import { RateExceededError } from './request-rates.ts';
import type { RequestTrace } from './request-trace.ts';
import { stopReading } from './stop-reading.ts';

/** Forms up to this length cost no more than the rest of their request. Those of usual tokens are shorter. */
const longFormBytes = 8_192;

/** Longer forms that are read in one turn of the event loop, all together: some milliseconds. */
const formBytesPerTurn = 1_048_576;

/** A form up to this length is hashed at once, to find out whether a caller has signed it: some tens of microseconds. */
const quicklyHashedBytes = 65_536;

/** Answers one STS request: reads its form, calls the service, and renders its result or error. */
export function answerSts(
  raw: RawRequest,
  connection: ClientConnection,
  dependencies: StsDependencies,
  trace: RequestTrace,
): Promise<void> {
  // Not an async function, which would keep the whole head while the call waits for an identity provider.
  return sendResult(callService(raw, connection, dependencies, trace), headOf(raw), connection, trace);
}

async function sendResult(
  result: Promise<StsResponse>,
  head: RawRequest,
  connection: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  let answer: StsResponse;
  try {
    answer = await result;
  } catch (error) {
    await answerStsFault(countRefused(error, connection.place, trace), head, connection, trace);
    return;
  }
  await send(answer, connection, trace);
}

async function callService(
  raw: RawRequest,
  connection: ClientConnection,
  dependencies: StsDependencies,
  trace: RequestTrace,
): Promise<StsResponse> {
  const { place } = connection;
  if (!carriesSignature(raw)) place.countStranger();
  let caller: TurnOwner | undefined;
  const know = (known: Caller): void => {
    const owner = turnOwnerOf(known);
    caller = owner;
    place.admit(owner);
    trace.audit?.knows(known);
  };
  const audited = auditedSts(trace, () => caller !== undefined);
  const stsTrace: StsTrace = {
    client: connection.response,
    ...audited,
    authenticated: know,
    // The calls that wait for a provider have a limit of that provider's own.
    waitsFor: (provider) => place.stepOut(provider),
    called: (parameters) => {
      // An action without a signature ignores one that was sent.
      place.countStranger();
      audited.called(parameters);
    },
    turn: (share, providerArn) => waitForTurn(connection, caller ?? ownTurns(providerArn), share),
    // Parameters may also have come in the query, which does not count. Growing could fail.
    keeps: (bytes) => place.reservation.resize(Math.min(bytes, place.reservation.bytes)),
  };
  await precheckCall(raw, dependencies, stsTrace);
  const body = await readBody(raw, connection);
  // Reading it takes up to some milliseconds, and many may arrive together. A query may be as long as a token.
  const length = raw.query.length + body.length;
  if (length > longFormBytes) {
    // So that the forms of strangers cannot displace it while it waits.
    const signer = carriesSignature(raw) ? await callerOf(raw, body, dependencies) : undefined;
    if (signer !== undefined) know(signer);
    await waitForTurn(connection, caller, length / formBytesPerTurn);
  }
  // Not awaited: this function would keep the body while the call waits for an identity provider.
  return handleSts(raw, body, dependencies, stsTrace);
}

/**
 * The caller who signed a call; `undefined` for an unsigned call, a bad signature, or one too costly to check. Decides only where
 * the call waits: an action without a signature ignores it, and the others verify it themselves.
 */
async function callerOf(
  raw: RawRequest,
  body: Buffer,
  { authentication }: StsDependencies,
): Promise<Caller | undefined> {
  if (body.length > quicklyHashedBytes) return undefined;
  try {
    // An unknown access key is refused before the body is hashed.
    await precheckSts(raw, authentication);
    const hash = createHash('sha256').update(body).digest('hex');
    return (await authenticateSts(raw, hash, authentication)).caller;
  } catch (error) {
    if (!(error instanceof AuthenticationFault)) throw error;
    return undefined;
  }
}

/** Answers any error of an STS request, in XML or JSON as its `Accept` header asks. */
export async function answerStsFault(
  error: unknown,
  raw: RawRequest,
  connection: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  if (error instanceof ClientGoneError) {
    trace.add({ isAborted: true, status: 499 });
    connection.response.destroy();
    return;
  }
  if (error instanceof BudgetExhaustedError) connection.reporter.acted('buffered_bytes');
  // The service itself throttles only calls that would wait for a provider.
  if (error instanceof ServiceError && error.code === 'Throttling')
    connection.reporter.acted('identity_provider');
  const rendered = renderStsError(toStsFault(error), raw);
  const { errorCode, errorDetail, authenticationReason, accessKeyId } = rendered;
  // Its text names the caller, the action and the resource. Those of other codes quote what was sent.
  if (error instanceof ServiceError && errorCode === 'AccessDenied' && trace.principal !== undefined)
    trace.audit?.denied(error.message);
  trace.add({
    errorCode,
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(authenticationReason === undefined
      ? {}
      : {
          authenticationFailure: authenticationFailureLabel(authenticationReason),
          errorDetail: authenticationReason,
        }),
    ...(errorDetail === undefined ? {} : { errorDetail }),
  });
  await send({ ...rendered, closes: error instanceof BodyFault }, connection, trace);
}

/** Maps errors of the edge to STS error codes. */
function toStsFault(error: unknown): unknown {
  if (
    error instanceof NoPlaceError ||
    error instanceof RateExceededError ||
    error instanceof BudgetExhaustedError
  )
    return stsError('Throttling', undefined, { cause: error, detail: error.message });
  if (!(error instanceof BodyFault)) return error;
  return stsError(bodyCodes[error.reason] ?? 'MalformedQueryString', undefined, {
    cause: error,
    detail: `the body: ${error.reason}`,
  });
}

/** SDKs send a request again after RequestTimeout. */
const bodyCodes: Partial<Record<BodyReason, StsErrorCode>> = {
  document_too_large: 'RequestEntityTooLarge',
  idle: 'RequestTimeout',
};

async function send(
  answer: Omit<Answer, 'headers'>,
  connection: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  trace.add({ status: answer.status, bytesOut: Buffer.byteLength(answer.body) });
  const headers = ['x-amzn-RequestId', trace.requestId, ...connection.ownHeaders];
  await sendAnswer(connection, { ...answer, headers });
}

/**
 * Waits for a turn of the event loop for work of that share of one, unless it can be done in this one. A stranger that has given way,
 * or one whose client has left, does not run.
 */
async function waitForTurn(
  { place, message }: ClientConnection,
  known: TurnOwner | undefined,
  share: number,
): Promise<void> {
  const isLong = share >= 1;
  const { owner, session } = known ?? ownTurns(isLong ? strangersLongWork : strangers);
  if (takeShare(owner, share)) return;
  await place.waitForTurn(askForTurn(owner, session, share), isLong);
  if (message.socket.destroyed) throw new ClientGoneError();
}

function ownTurns(owner: string): TurnOwner;
function ownTurns(owner: string | undefined): TurnOwner | undefined;
function ownTurns(owner: string | undefined): TurnOwner | undefined {
  return owner === undefined ? undefined : { owner, session: owner };
}

async function readBody(raw: RawRequest, { message, place, invite }: ClientConnection): Promise<Buffer> {
  // Before 100 Continue invites the client to send it.
  const declared = raw.headers.get('content-length') ?? '';
  if (/^\d+$/.test(declared) && Number(declared) > maxStsBodyBytes) throw new BodyFault('document_too_large');
  invite();
  return place.waitFor(collect(message, maxStsBodyBytes, place.reservation, strangerBodyMs), () => {
    stopReading(message, new BodyFault('incomplete'));
  });
}
