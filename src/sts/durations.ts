import type { Caller } from '../authenticate/caller.ts';
import type { Role } from '../directory/role.ts';
import { stsError } from './errors.ts';

const maxChainedDurationSeconds = 3600;

/**
 * A role session may not make longer ones of others. Judged after the decision: what a role allows is not for callers who
 * may not assume it. Throws ValidationError.
 */
export function requireChainedDuration(durationSeconds: number, caller: Caller): void {
  if (caller.kind === 'role-session' && durationSeconds > maxChainedDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
}

/** A session ends within the role's own maximum. Throws ValidationError. */
export function requireDuration(durationSeconds: number, role: Role): void {
  if (durationSeconds > role.maxSessionDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
}
