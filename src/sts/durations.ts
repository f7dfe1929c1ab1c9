import type { Caller } from '../authenticate/caller.ts';
import type { Role } from '../directory/role.ts';
import { stsError } from './errors.ts';

const maxChainedDurationSeconds = 3600;

/**
 * Limits the duration of chained roles to an hour. Checked after the decision, because the error must not reach callers who may
 * not assume the role.
 * @throws ServiceError ValidationError
 */
export function requireChainedDuration(durationSeconds: number, caller: Caller): void {
  if (caller.kind === 'role-session' && durationSeconds > maxChainedDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
}

/**
 * Limits the duration to the role's own maximum.
 * @throws ServiceError ValidationError
 */
export function requireDuration(durationSeconds: number, role: Role): void {
  if (durationSeconds > role.maxSessionDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
}
