/*
 * This folder is the Security Token Service: its actions and their parameters, trust decisions, and issuing credentials.
 * In: an STS request whose body has been read. Out: an XML or JSON response.
 * It issues credentials only for a grant, which is the proof that the session is allowed.
 * It never stores a session: the encrypted token that the client keeps says everything about it.
 * It never talks to the store, and reaches identity providers through interfaces.
 */

import { createHash } from 'node:crypto';
import { authenticateSts } from '../authenticate/authenticate.ts';
import { claimsOf } from '../authenticate/caller.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { SignedCall, StsAction, StsDependencies, StsTrace } from './action.ts';
import { stsActions } from './actions/index.ts';
import { readStsCall, unknownOperation } from './query-request.ts';
import { renderStsResult, type StsResponse } from './response-xml.ts';

export type { StsDependencies, StsFacts, StsTrace } from './action.ts';
export { precheckCall } from './precheck.ts';
export type { StsResponse } from './response-xml.ts';

/**
 * Answers one STS request whose body has been read: parameters, authentication for signed actions, caller rule, constraints,
 * the action. `trace` collects the facts, also of a refused request. `renderStsError` renders everything that this throws.
 * @throws ServiceError of the STS table
 * @throws AuthenticationFault
 */
export async function handleSts(
  raw: RawRequest,
  body: Uint8Array,
  dependencies: StsDependencies,
  trace: StsTrace,
): Promise<StsResponse> {
  const { action: actionName, parameters } = readStsCall(raw, body);
  const action = findAction(actionName, trace);
  const result =
    action.kind === 'unsigned'
      ? await action.run(parameters, { raw, dependencies, trace })
      : await action.run(parameters, await authenticateCall(raw, body, dependencies, trace));
  return renderStsResult(action.name, result, raw);
}

async function authenticateCall(
  raw: RawRequest,
  body: Uint8Array,
  dependencies: StsDependencies,
  trace: StsTrace,
): Promise<SignedCall> {
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const authenticated = await authenticateSts(raw, bodySha256, dependencies.authentication);
  const { caller } = authenticated;
  trace.authenticated?.(caller);
  const { arn, accessKeyId } = caller;
  trace.add({ principalArn: arn, accessKeyId, sessionId: claimsOf(caller)?.sessionId });
  // The session was valid when the head arrived, but may have expired while the form was on its way.
  authenticated.recheck(dependencies.clock.now());
  return { authenticated, dependencies, trace };
}

function findAction(name: string, trace: StsTrace): StsAction {
  const action = stsActions.get(name);
  // Only known names are recorded, because the operation becomes a metric label.
  if (action === undefined) throw unknownOperation(name);
  trace.add({ operation: name });
  return action;
}
