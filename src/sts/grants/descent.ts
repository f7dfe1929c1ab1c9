import { ancestorsOfChild } from '../../tokens/session-ancestors.ts';
import type { SessionClaims } from '../../tokens/session-claims.ts';
import { stsError } from '../errors.ts';

/** Most sessions that a session may descend from. Its token names each of them. */
const maxAncestors = 100;

/**
 * The ancestors of a session that a calling session obtains: the calling session, and those that it descends from. With them go the
 * keys that sealed them.
 * @throws ServiceError PackedPolicyTooLarge for a chain that is too long
 */
export function descentFrom(caller: SessionClaims): Pick<SessionClaims, 'ancestors' | 'tokenKeys'> {
  const ancestors = ancestorsOfChild(caller);
  const { tokenKeys = [] } = caller;
  if (ancestors.length <= maxAncestors) return { ancestors, tokenKeys };
  throw stsError(
    'PackedPolicyTooLarge',
    `The session would descend from ${ancestors.length} others; ${maxAncestors} are allowed.`,
  );
}
