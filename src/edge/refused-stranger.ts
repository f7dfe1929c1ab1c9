import { AuthenticationFault } from '../core/authentication-fault.ts';
import { authenticationFailureLabel } from './authentication-failure-label.ts';
import type { Place } from './place.ts';
import { RateExceededError } from './request-rates.ts';

/** Where the facts of a failed authentication go. */
interface FactsOfFailure {
  add(facts: {
    readonly authenticationFailure: ReturnType<typeof authenticationFailureLabel>;
    readonly accessKeyId?: string;
  }): void;
}

/**
 * Counts a refused request for the network that it came from, unless its caller is known. A request with a signature is counted only
 * here: a caller is never refused for what strangers of its network send.
 * @returns what to answer: the error, or in place of a failed authentication that the network sends too many requests
 */
export function countRefused(error: unknown, place: Place, trace: FactsOfFailure): unknown {
  try {
    place.countStranger();
    return error;
  } catch (exceeded) {
    if (!(exceeded instanceof RateExceededError && error instanceof AuthenticationFault)) return error;
    const { accessKeyId } = error.facts;
    const authenticationFailure = authenticationFailureLabel(error.reason);
    trace.add({ authenticationFailure, ...(accessKeyId === undefined ? {} : { accessKeyId }) });
    return exceeded;
  }
}
