import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.ts';
import type { GuardedFetch, OutboundRequest } from '../outbound/guarded-fetch.ts';
import { OutboundFault } from '../outbound/outbound-fault.ts';
import type { IdentityObserver, IdentityOperation } from './observer.ts';

/** What every kind of provider works with. */
export interface IdentityTools {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly observer: IdentityObserver;
}

/** Asks a provider and tells the observer how it went. Throws {@link OutboundFault}. */
export async function askProvider(
  { fetch, observer }: IdentityTools,
  provider: string,
  operation: IdentityOperation,
  question: OutboundRequest,
): Promise<unknown> {
  const startedAt = performance.now();
  const report = (outcome: string, detail?: string): void => {
    const durationSeconds = (performance.now() - startedAt) / 1000;
    const request = { provider, operation, outcome, durationSeconds };
    observer.requested(detail === undefined ? request : { ...request, detail });
  };
  try {
    const answer = await fetch.json(question);
    report('success');
    return answer;
  } catch (error) {
    if (error instanceof OutboundFault) report(error.reason, error.message);
    else report('internal', 'asking failed');
    throw error;
  }
}
