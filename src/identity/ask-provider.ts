import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.ts';
import type { GuardedFetch, OutboundAnswer } from '../outbound/guarded-fetch.ts';
import { OutboundFault } from '../outbound/outbound-fault.ts';
import type { OutboundRequest } from '../outbound/outbound-request.ts';
import type { IdentityObserver, IdentityOperation, IdentityRequest } from './observer.ts';

/** What every kind of provider needs to make requests. */
export interface IdentityTools {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly observer: IdentityObserver;
}

/**
 * Sends a request to a provider, reports its outcome to the observer, and returns the body of a 2xx response.
 * @throws OutboundFault
 */
export async function askProvider(
  tools: IdentityTools,
  provider: string,
  operation: IdentityOperation,
  question: OutboundRequest,
): Promise<unknown> {
  const { value } = await askForAnswer(tools, provider, operation, question);
  return value;
}

/** Like {@link askProvider}, but returns the status too. */
export function askForAnswer(
  { fetch, observer }: IdentityTools,
  provider: string,
  operation: IdentityOperation,
  question: OutboundRequest,
): Promise<OutboundAnswer> {
  return observed(observer, { provider, operation }, () => fetch.answer({ ...question, pool: provider }));
}

/** Checks that a provider is reachable. Only the observer learns the result. */
export async function reachProvider(
  { fetch, observer }: IdentityTools,
  provider: string,
  url: string,
): Promise<void> {
  try {
    await observed(observer, { provider, operation: 'probe' }, () => fetch.reach(url, provider));
  } catch (error) {
    if (!(error instanceof OutboundFault)) throw error;
  }
}

async function observed<T>(
  observer: IdentityObserver,
  request: Pick<IdentityRequest, 'provider' | 'operation'>,
  ask: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const report = (outcome: string, detail?: string): void => {
    const durationSeconds = (performance.now() - startedAt) / 1000;
    const { provider, operation } = request;
    const facts = { provider, operation, outcome, durationSeconds };
    observer.requested(detail === undefined ? facts : { ...facts, detail });
  };
  try {
    const answer = await ask();
    report('success');
    return answer;
  } catch (error) {
    if (error instanceof OutboundFault) report(error.reason, error.message);
    else report('internal', 'asking failed');
    throw error;
  }
}
