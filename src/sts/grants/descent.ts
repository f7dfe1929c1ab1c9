import { ancestorsOfChild, type SessionAncestor } from '../../tokens/session-ancestors.ts';
import type { SessionClaims } from '../../tokens/session-claims.ts';
import { stsError } from '../errors.ts';

/** Most sessions that a session may descend from. Its token names each of them. */
const maxAncestors = 100;

/**
 * The ancestors of a session that a calling session obtains: the calling session, and those that it descends from.
 * @throws ServiceError PackedPolicyTooLarge for a chain that is too long
 */
export function descentFrom(caller: SessionClaims): readonly SessionAncestor[] {
  const ancestors = ancestorsOfChild(caller);
  if (ancestors.length <= maxAncestors) return ancestors;
  throw stsError(
    'PackedPolicyTooLarge',
    `The session would descend from ${ancestors.length} others; ${maxAncestors} are allowed.`,
  );
}
