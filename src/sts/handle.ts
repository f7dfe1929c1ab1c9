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
import { flatCopy } from '../core/bytes.ts';
import { type HeaderField, HeaderList } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { SignedAction, SignedCall, StsAction, StsDependencies, StsTrace } from './action.ts';
import { stsActions, unsupportedActions } from './actions/index.ts';
import { stsError } from './errors.ts';
import type { SentParameters } from './parameters.ts';
import { readStsCall, unknownOperation } from './query-request.ts';
import { renderStsResult, type StsResponse, type StsResult } from './response-xml.ts';
import { identityOf } from './session-facts.ts';

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
  const call = readStsCall(raw, body);
  const action = findAction(call.action, trace);
  const head = headOf(raw);
  if (action.kind === 'signed') trace.add(action.asks(call.parameters));
  // Not awaited here: while an action waits for an identity provider, this function would keep the form and all that was read
  // from it.
  const result =
    action.kind === 'unsigned'
      ? action.run(call.parameters, { raw: head, dependencies, trace })
      : runSigned(action, call.parameters, authenticateCall(raw, bodyOf(body), dependencies, trace));
  return result.then((members) => {
    trace.answered?.(members);
    return renderStsResult(action.name, members, head);
  });
}

async function runSigned(
  action: SignedAction,
  parameters: SentParameters,
  call: Promise<SignedCall>,
): Promise<StsResult> {
  return action.run(parameters, await call);
}

/** The headers that an action or its answer looks at. */
const usedHeaders: ReadonlySet<string> = new Set(['accept', 'user-agent', 'referer']);

/** The head without what has been read already: its query may be as long as a form. */
export function headOf(raw: RawRequest): RawRequest {
  const used: HeaderField[] = [];
  for (const { name, value } of raw.headers) {
    if (usedHeaders.has(name)) used.push({ name, value: flatCopy(value) });
  }
  return { ...raw, query: '', parameters: [], headers: new HeaderList(used) };
}

/** What a signed call needs of its form. */
interface CallBody {
  readonly sha256: string;
  /** The part of a turn of the event loop that the call takes. */
  readonly share: number;
}

function bodyOf(form: Uint8Array): CallBody {
  const sha256 = createHash('sha256').update(form).digest('hex');
  return { sha256, share: Math.min(leastShare + form.length / formBytesPerTurn, mostShare) };
}

/**
 * The part of a turn of the event loop that deciding about a signed call and issuing credentials take at least, and at most: 200
 * connections of one caller that repeated AssumeRole made others wait a hundred times as long.
 */
const leastShare: number = 1 / 8;
const mostShare: number = 1 / 2;
/** Forms that take a turn all together: a session policy is compiled, tags are compared. One of 6 KB takes a millisecond. */
const formBytesPerTurn = 16_384;

async function authenticateCall(
  raw: RawRequest,
  { sha256: bodySha256, share }: CallBody,
  dependencies: StsDependencies,
  trace: StsTrace,
): Promise<SignedCall> {
  const authenticated = await authenticateSts(raw, bodySha256, dependencies.authentication);
  const { caller } = authenticated;
  trace.authenticated?.(caller);
  const { arn, accessKeyId } = caller;
  const claims = claimsOf(caller);
  trace.add({ principalArn: arn, accessKeyId, sessionId: claims?.sessionId });
  if (claims !== undefined) trace.add(identityOf(claims));
  await trace.turn?.(share);
  // The session was valid when the head arrived, but may have expired while the form was on its way.
  authenticated.recheck(dependencies.clock.now());
  return { authenticated, dependencies, trace };
}

function findAction(name: string, trace: StsTrace): StsAction {
  const action = stsActions.get(name);
  // Only known names are recorded, because the operation becomes a metric label.
  if (action === undefined) {
    const reason = unsupportedActions.get(name);
    if (reason === undefined) throw unknownOperation(name);
    throw stsError('InvalidAction', reason, { detail: `${flatCopy(name)} is not supported` });
  }
  // Not the name as sent, which is a slice of the form and would keep all of it.
  trace.add({ operation: action.name });
  return action;
}
