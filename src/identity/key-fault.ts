import { OutboundFault } from '../outbound/outbound-fault.ts';
import { IdentityFault } from './identity-fault.ts';

/** Converts a failure to get keys into the fault of the token. Other errors are returned unchanged. */
export function keyFault(error: unknown): unknown {
  if (!(error instanceof OutboundFault)) return error;
  const facts = { detail: `the keys cannot be fetched: ${error.message}`, cause: error };
  return error.isTransient
    ? new IdentityFault('provider_unreachable', 'The identity provider could not be reached', facts)
    : unusableKeys(facts.detail, error);
}

/**
 * True unless the provider could not be reached, did not answer in time, or answered 429 or 5xx, as a proxy in front of it does
 * during an outage.
 */
export function hasAnswered(error: unknown): boolean {
  if (error instanceof OutboundFault) return !error.isTransient;
  return !(error instanceof IdentityFault && error.reason === 'provider_unreachable');
}

/** The provider answered, but not with usable keys. */
export function unusableKeys(detail: string, cause?: unknown): IdentityFault {
  return new IdentityFault('no_key', "Couldn't retrieve verification key from your identity provider", {
    detail,
    cause,
  });
}
