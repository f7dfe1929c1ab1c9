import { OutboundFault } from '../outbound/outbound-fault.ts';
import { IdentityFault } from './identity-fault.ts';

/** What it means for a token that its provider's keys could not be had; anything unforeseen stays what it is. */
export function keyFault(error: unknown): unknown {
  if (!(error instanceof OutboundFault)) return error;
  const facts = { detail: `the keys cannot be fetched: ${error.message}`, cause: error };
  return error.isTransient
    ? new IdentityFault('provider_unreachable', 'The identity provider could not be reached', facts)
    : unusableKeys(facts.detail, error);
}

/** The provider answered, and what it answered are no keys. */
export function unusableKeys(detail: string, cause?: unknown): IdentityFault {
  return new IdentityFault('no_key', "Couldn't retrieve verification key from your identity provider", {
    detail,
    cause,
  });
}
