import { isMapping } from '../../core/mapping.ts';
import { OutboundFault } from '../../outbound/outbound-fault.ts';
import { IdentityFault } from '../identity-fault.ts';
import type { ApiServer } from './api-server.ts';

/** What a token review must confirm. */
export interface ExpectedReview {
  /** The audiences of the token that the provider accepts. */
  readonly audiences: readonly string[];
  /** The token's `sub`. */
  readonly subject: string;
}

/**
 * Asks the API server whether a token is still valid. It knows about deleted pods and service accounts, which the signature
 * does not show.
 * @throws IdentityFault `provider_rejected` when it is not valid, or `provider_unreachable`
 */
export async function reviewToken(token: string, expected: ExpectedReview, server: ApiServer): Promise<void> {
  const status = readStatus(await ask(token, expected, server));
  const { authenticated, audiences, user } = status;
  // An API server that does not support audiences returns none: it has judged the token for itself, not for this service.
  const isForUs =
    Array.isArray(audiences) && audiences.some((audience) => expected.audiences.includes(String(audience)));
  const username = isMapping(user) ? user['username'] : undefined;
  if (authenticated === true && isForUs && username === expected.subject) return;
  throw new IdentityFault('provider_rejected', 'The identity provider rejected the token', {
    detail: describe(authenticated, isForUs),
  });
}

async function ask(token: string, { audiences }: ExpectedReview, server: ApiServer): Promise<unknown> {
  try {
    return await server.review(token, audiences);
  } catch (cause) {
    if (!(cause instanceof OutboundFault)) throw cause;
    // A 401 or 403 concerns the sidecar's own identity and says nothing about the token.
    throw new IdentityFault('provider_unreachable', 'The identity provider could not be reached', {
      detail: `the token review failed: ${cause.message}`,
      cause,
    });
  }
}

function readStatus(review: unknown): Readonly<Record<string, unknown>> {
  const status = isMapping(review) ? review['status'] : undefined;
  return isMapping(status) ? status : {};
}

function describe(authenticated: unknown, isForUs: boolean): string {
  if (authenticated !== true) return 'the token review did not authenticate the token';
  return isForUs
    ? 'the token review names another user'
    : 'the token review is for none of the accepted audiences';
}
