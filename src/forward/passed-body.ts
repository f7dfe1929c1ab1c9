import type { PassedOn } from '../authorize/pass-on.ts';
import type { MaybePromise } from '../core/maybe-promise.ts';
import { type ArrivingBody, type OutgoingBody, prepareUntouchedBody } from './object-body.ts';

/**
 * Prepares the body of a request that reaches the store as it came.
 * @throws BodyFault, BudgetExhaustedError
 */
export function passedBody(
  { request, document, payload, arrived }: PassedOn,
  {
    message,
    invite,
    reservation,
    recheck,
  }: Pick<ArrivingBody, 'message' | 'invite' | 'reservation' | 'recheck'>,
): MaybePromise<OutgoingBody> {
  if (document !== undefined) return { length: document.length, content: document };
  if (request.operation.body === 'none') return { length: 0, content: undefined };
  const { headers } = arrived;
  const arriving = { message, headers, forwarded: request.headers, reservation, invite, recheck };
  return prepareUntouchedBody(arriving, payload);
}
