import { type ForStore, leaveUnknownKey, leaveUnsigned } from '../authenticate/for-store.ts';
import type { SignatureClaim } from '../authenticate/scheme.ts';
import { passOn } from '../authorize/pass-on.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { s3Error } from '../s3/errors.ts';
import { allowsStreaming, type S3Request } from '../s3/operation.ts';
import { notPassedOn, requireOwnDocument, requirePlainDocument, requireUntouched } from '../s3/untouched.ts';
import type { ClientConnection } from './client-connection.ts';
import { requireNoOverride } from './identify.ts';
import { noteDecision, requireAudit, type S3Pipeline, sendToStore } from './perform-s3.ts';
import { readDocument } from './read-document.ts';
import type { RequestTrace } from './request-trace.ts';
import { StoreExchange } from './store-exchange.ts';

/**
 * A request that the configuration leaves to the store to authenticate; `undefined` for one that the sidecar judges itself.
 * @param claim the signature that it claims to have; `undefined` without credentials
 * @throws AuthenticationFault
 */
export function leaveToStore(
  request: S3Request,
  claim: SignatureClaim | undefined,
  { strangers }: S3Pipeline,
  network: string,
): ForStore | undefined {
  const { anonymous, unknownAccessKeys, region, ownKeys } = strangers;
  const facts = { network, region, allowsStreaming: allowsStreaming(request.operation) };
  if (claim === undefined) return anonymous === 'passthrough' ? leaveUnsigned(request.raw, facts) : undefined;
  return unknownAccessKeys === 'passthrough' ? leaveUnknownKey(claim, facts, ownKeys) : undefined;
}

/**
 * Sends a request to the store as it came, unless a bucket policy of the sidecar denies it to everyone. It is a stranger's for every
 * limit.
 * @throws what a stage throws; the caller renders it
 */
export async function passOnS3(
  request: S3Request,
  left: ForStore,
  pipeline: S3Pipeline,
  { connection, trace }: { readonly connection: ClientConnection; readonly trace: RequestTrace },
): Promise<void> {
  const { accessKeyId, caller, arrived } = left;
  trace.add({ caller: 'passthrough', accessKeyId });
  requireUntouched(request, arrived, { ...pipeline.routing, storeHost: pipeline.strangers.storeHost });
  if (accessKeyId === undefined) requireNoOverride(request.parameters);
  connection.place.admitAnonymous(caller.network);
  requireAudit(trace);
  const complete = await withBody(request, left, connection, pipeline.routing.partition);
  trace.audit?.asks(complete);
  requireAudit(trace);
  const passed = await passOn(complete, left, pipeline.authorization, connection.response);
  if (passed !== 'uncertain copy' && !passed.isAllowed) {
    noteDecision(passed, trace);
    trace.audit?.denied(passed.message);
    throw s3Error('AccessDenied');
  }
  if (complete.refusal !== undefined) throw complete.refusal;
  if (passed === 'uncertain copy')
    throw notPassedOn(`${request.operation.name} where a bucket policy applies`);
  const exchange = new StoreExchange(passed, left, connection, { traceHeaders: trace.askStore() });
  await sendToStore(passed.request, connection, trace, () => pipeline.forwarder.passOn(passed, exchange));
}

/** Reads the document that some operations have. Nothing may follow the head of those that have no body. */
async function withBody(
  request: S3Request,
  { payload, caller, recheck }: ForStore,
  connection: ClientConnection,
  partition: string,
): Promise<S3Request> {
  const { operation, raw } = request;
  // Only objects are sent in chunks.
  const declared = payload.kind === 'digest' ? payload : { kind: 'unsigned' as const };
  if (operation.body === 'none') requireNoBody(raw.headers, declared);
  if (operation.body !== 'document') return request;
  const sender = { caller, recheck, payload: declared, look: requirePlainDocument };
  const complete = await readDocument(request, sender, connection, partition);
  requireOwnDocument(complete);
  return complete;
}
