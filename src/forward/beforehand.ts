import type { Authorized } from '../authorize/authorize-s3.ts';
import type { Asking } from './asking.ts';
import { requireSource } from './copied-source.ts';

/**
 * True for a request that some store carries out although it should refuse it, so that the store is asked beforehand whether
 * there is a reason to: a copy.
 */
export function needsQuestions({ request: { copySource } }: Authorized): boolean {
  return copySource !== undefined;
}

/**
 * Asks the store, and throws when it would have to refuse the request.
 *
 * @throws ServiceError what the store should have answered
 * @throws MissingHidden, UpstreamFault
 */
export async function askBeforehand(authorized: Authorized, asking: Asking): Promise<void> {
  const { copySource } = authorized.request;
  if (copySource !== undefined) await requireSource(authorized, copySource, asking);
}
