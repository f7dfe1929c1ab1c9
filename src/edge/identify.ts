import { acceptAnonymous } from '../authenticate/anonymous.ts';
import { authenticateS3 } from '../authenticate/authenticate.ts';
import { claimsOf } from '../authenticate/caller.ts';
import { hasNoCredentials, requireSignature, type SignatureClaim } from '../authenticate/scheme.ts';
import { type Identified, turnOwnerOf } from '../authorize/asker.ts';
import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { MaybePromise } from '../core/maybe-promise.ts';
import { whenReady } from '../core/maybe-promise.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { s3Error } from '../s3/errors.ts';
import { allowsStreaming, type S3Request } from '../s3/operation.ts';
import type { S3Pipeline } from './perform-s3.ts';
import type { Place } from './place.ts';
import type { RequestTrace } from './request-trace.ts';

/**
 * The signature that a request claims to have; `undefined` for one without credentials, where the configuration lets anonymous callers
 * in.
 * @throws AuthenticationFault
 */
export function claimOf(raw: RawRequest, { strangers }: S3Pipeline): SignatureClaim | undefined {
  return strangers.anonymous !== 'reject' && hasNoCredentials(raw) ? undefined : requireSignature(raw);
}

/** Where the facts about a request go, and the place that it has. */
interface Arrival {
  readonly place: Place;
  readonly trace: RequestTrace;
}

/**
 * Finds out whose request it is, and gives it a place in flight.
 * @throws AuthenticationFault, NoPlaceError, and `InvalidRequest` for what only a signed request may ask for
 */
export function identify(
  request: S3Request,
  claim: SignatureClaim | undefined,
  pipeline: S3Pipeline,
  { place, trace }: Arrival,
): MaybePromise<Identified> {
  if (claim === undefined) return identifyAnonymous(request, pipeline, { place, trace });
  const authenticating = authenticateS3(claim, allowsStreaming(request.operation), pipeline.authentication);
  return whenReady(authenticating, (authenticated) => {
    const { caller } = authenticated;
    const { arn, accessKeyId } = caller;
    trace.add({ principalArn: arn, accessKeyId, sessionId: claimsOf(caller)?.sessionId });
    trace.audit?.knows(caller, authenticated);
    place.admit(turnOwnerOf(caller));
    return authenticated;
  });
}

function identifyAnonymous(
  { raw, operation, parameters }: S3Request,
  { strangers: { region } }: S3Pipeline,
  { place, trace }: Arrival,
): Identified {
  // Which buckets there are is no question to one of their policies.
  if (operation.scope === 'service') throw new AuthenticationFault('no_credentials');
  const network = place.client;
  const accepted = acceptAnonymous(raw, { network, region, allowsStreaming: allowsStreaming(operation) });
  requireNoOverride(parameters);
  trace.add({ caller: 'anonymous' });
  place.admitAnonymous(network);
  return accepted;
}

/**
 * Refuses parameters that choose headers of the answer, as AWS does: a link could make a script of any public object.
 * @throws InvalidRequest
 */
export function requireNoOverride(parameters: ReadonlyMap<string, string>): void {
  for (const name of parameters.keys()) {
    if (name.startsWith('response-')) {
      const message = 'Request specific response headers cannot be used for anonymous GET requests.';
      throw s3Error('InvalidRequest', message);
    }
  }
}
